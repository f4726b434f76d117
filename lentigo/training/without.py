"""Keep what a network that takes age, sex and site answers without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.tables import WITHOUT_METADATA


def with_raw_without(
    predictions: pd.DataFrame, logits: NDArray[np.float64]
) -> pd.DataFrame:
    """Return predictions with the logits without metadata, (N,), not calibrated yet."""
    names = [f"{name}{WITHOUT_METADATA}" for name in ("logit", "raw_logit")]
    told = predictions.assign(**dict.fromkeys(names, logits))
    return told[[*told.columns.drop("reason"), "reason"]]


def mean_without(
    tables: Sequence[pd.DataFrame], name: str
) -> dict[str, NDArray[np.float64]]:
    """Return the mean of the logits without metadata over several networks, by its name.

    `name` is `logit` or `raw_logit`. A network that takes no metadata answers as ever;
    where none takes any, there is nothing to tell.
    """
    column = f"{name}{WITHOUT_METADATA}"
    if not any(column in table for table in tables):
        return {}
    own = [table[column if column in table else name] for table in tables]
    return {column: np.mean([each.to_numpy(np.float64) for each in own], axis=0)}
