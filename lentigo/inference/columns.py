"""Add columns to a prediction table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

_LAST = "reason"


def with_columns(predictions: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return `predictions` with columns added or replaced; `reason` stays last.

    `columns` holds an array, a list or a series of N values by name, for N predictions.
    """
    # One new table: adding columns one by one takes most of the time of an answer.
    whole = {str(name): values.array for name, values in predictions.items()} | dict(
        columns
    )
    last = {name: whole.pop(name) for name in (_LAST,) if name in whole}
    return pd.DataFrame(whole | last, index=predictions.index)
