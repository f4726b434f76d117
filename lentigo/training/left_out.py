"""Count, by reason, the images of a table that a training could not use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.run_layout import RunLayout
from lentigo.tables import check_table, read_any_table


def left_out(table: pd.DataFrame, out: Path) -> dict[str, Any]:
    """Count the rows of `table` that are missing in the table of the run folder `out`.

    Returns a dict with `images` and `melanomas`, the numbers of all rows of `table` and of
    those labelled as melanoma; `left_out`, a dict from each reason that occurs to its
    number of rows; and `melanomas_left_out`, the number of melanomas among these.
    """
    table = check_table(table, source="the lesion table")
    used = set(read_any_table(RunLayout(out).table)["image_id"].astype("string"))
    labelled = table["melanoma"].notna().to_numpy(bool)
    melanoma = table["melanoma"].eq(True).fillna(False).to_numpy(bool)
    unused = ~table["image_id"].astype("string").isin(used).to_numpy(bool)
    lost = labelled & unused
    without_file = lost & table["path"].isna().to_numpy(bool)
    counts = {
        "without a label": int((~labelled & unused).sum()),
        "without a file": int(without_file.sum()),
        "that cannot be decoded": int((lost & ~without_file).sum()),
    }
    return {
        "images": len(table),
        "melanomas": int(melanoma.sum()),
        "left_out": {k: n for k, n in counts.items() if n},
        "melanomas_left_out": int((melanoma & unused).sum()),
    }
