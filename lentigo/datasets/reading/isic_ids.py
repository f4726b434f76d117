"""The ids of the ISIC archive, extracted from the names of images."""

from __future__ import annotations

from typing import Any

import pandas as pd

_ISIC_ID = r"(?i)(?:^|[/\\:])(ISIC_\d{7,})(?:_downsampled)?$"


def isic_ids(names: pd.Series[Any]) -> pd.Series[Any]:
    """Return the id of the ISIC archive in each name of an image, missing where none is.

    A folder or a data set ("isic2019:") before it, and "_downsampled" after it, are
    ignored.
    """
    return names.astype("string").str.extract(_ISIC_ID, expand=False).str.upper()
