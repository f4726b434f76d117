"""The table behind every score: one judged image a row, with its group."""

from __future__ import annotations

import pandas as pd

from lentigo.evaluation.grouping import Groups, grouped
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched
from lentigo.evaluation.parts import DATASET, FOLD


def scored(
    matched: Matched, *, group: str | None
) -> tuple[pd.DataFrame, Groups, list[str]]:
    """The columns `image_id`, `melanoma`, `probability` and `group`, and all notes.

    Where they are known, `fold` and `dataset` stand beside them.
    """
    groups = grouped(matched, group)
    table = matched.table[["image_id", LABEL, "probability"]].rename(
        columns={LABEL: "melanoma"}
    )
    # The fold of a truth is not that of the model that predicted.
    for name, columns in (
        (FOLD, (FOLD, "cv_fold")),
        (DATASET, (DATASET + OF_TRUTH, DATASET)),
    ):
        found = next((column for column in columns if column in matched.table), None)
        if found is not None:
            table[name] = matched.table[found]
    return table.assign(group=groups.group), groups, [*matched.notes, groups.note]
