"""Resolution of the image files, from the columns of a lesion table."""

from __future__ import annotations

import numpy as np
import pandas as pd

SQUASHED = (0.98, 1.02)
"""Range of width over height of a square file: no camera of a dermatoscope takes squares,
so the file was cropped, or distorted as the public 256 × 256 copies of ISIC are."""


def resolution(table: pd.DataFrame) -> pd.DataFrame:
    """Return smallest side, megapixels, aspect and squareness of each file, one row each.

    `table` has `width` and `height` (of the upright image in the file). The columns are
    `smallest_side` in pixels, `megapixels`, `aspect` (the longer over the shorter side) and
    `square` (1 or 0: cropped or distorted to a square). NaN if the size is not known.
    """
    width = table["width"].astype("float64")
    height = table["height"].astype("float64")
    smallest = np.minimum(width, height)
    ratio = width / height
    square = ratio.between(*SQUASHED).astype("float64").where(ratio.notna())
    return pd.DataFrame(
        {
            "smallest_side": smallest,
            "megapixels": width * height / 1e6,
            "aspect": np.maximum(width, height) / smallest,
            "square": square,
        },
        index=table.index,
    )
