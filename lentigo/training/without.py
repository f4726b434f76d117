"""Keep the logits of a network that takes age, sex and site, computed without these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.inference.columns import with_columns
from lentigo.tables import WITHOUT_METADATA


def with_raw_without(
    predictions: pd.DataFrame, logits: NDArray[np.float64]
) -> pd.DataFrame:
    """Add the uncalibrated logits without metadata, (N,), to a table of N predictions."""
    names = [f"{name}{WITHOUT_METADATA}" for name in ("logit", "raw_logit")]
    return with_columns(predictions, dict.fromkeys(names, logits))


def mean_without(
    tables: Sequence[pd.DataFrame], name: str
) -> dict[str, NDArray[np.float64]]:
    """Return the mean over several networks of the logits without metadata, by column name.

    `name` is `logit` or `raw_logit`. For a network that takes no metadata its usual logits
    are used. If no network takes metadata, the result is empty.
    """
    column = f"{name}{WITHOUT_METADATA}"
    if not any(column in table for table in tables):
        return {}
    own = [table[column if column in table else name] for table in tables]
    return {column: np.mean([each.to_numpy(np.float64) for each in own], axis=0)}
