"""The ids under which the ISIC archive knows an image, taken out of names of any kind."""

from __future__ import annotations

from typing import Any

import pandas as pd

_ISIC_ID = r"(?i)(?:^|[/\\:])(ISIC_\d{7,})(?:_downsampled)?$"


def isic_ids(names: pd.Series[Any]) -> pd.Series[Any]:
    """The id of the ISIC archive in each name of an image, missing where there is none.

    A folder, a data set ("isic2019:") and "_downsampled" around it do not matter.
    """
    return names.astype("string").str.extract(_ISIC_ID, expand=False).str.upper()
