"""A contact sheet of synthetic lesions, for the documentation and for inspection.

`python -m lentigo.datasets.synthetic.sheet FILE` draws the image in `docs/synthetic.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.files import draw_row
from lentigo.files import written_beside


def contact_sheet(
    table: pd.DataFrame, *, columns: int = 8, size: int = 128
) -> npt.NDArray[np.uint8]:
    """Return the images of a synthetic set in one RGB image, `columns` of them in a row.

    Each is `size` × `size` pixels. An incomplete last row is filled with white.
    """
    pictures = [draw_row(row, size=size).image for row in _rows(table)]
    lines = -(-len(pictures) // columns)
    sheet = np.full((lines * size, columns * size, 3), 255, dtype=np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * size, number % columns * size
        sheet[top : top + size, left : left + size] = picture
    return sheet


def _rows(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def example_sheet(*, seed: int = 0, lines: int = 2) -> npt.NDArray[np.uint8]:
    """Return `lines` rows of nevi above `lines` rows of melanomas, the first of a seed."""
    table = draw_features(60 * 8 * lines, seed=seed).drop_duplicates("lesion_id")
    nevi = table[~table["melanoma"].astype(bool)].head(8 * lines)
    melanomas = table[table["melanoma"].astype(bool)].head(8 * lines)
    return contact_sheet(pd.concat([nevi, melanomas]))


if __name__ == "__main__":
    picture = Image.fromarray(example_sheet())
    # 256 colours keep the file small; the widest palette keeps the rare blues.
    palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    with written_beside(Path(sys.argv[1])) as beside:
        picture.quantize(256, palette=palette).save(beside, optimize=True)
