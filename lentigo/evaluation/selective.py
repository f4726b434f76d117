"""Whether images were left out by their diagnosis, which changes what shares mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from lentigo.words import counted

_UNLIKELY = 0.001
_RATIO = 1.25
"""Shares of melanoma that differ by a smaller factor are not told: too little to matter."""


def chosen_by_outcome(labels: pd.Series[Any], judged: pd.Series[Any]) -> list[str]:
    """Return a sentence where melanoma is rarer or more frequent among the images left out.

    `labels` are the labels of the whole truth, some perhaps missing, `judged` those of the
    images that are judged. Nothing is said where chance (Fisher's exact test) could do it,
    or the share of melanoma moves by less than a quarter.
    """
    known = labels.dropna().astype(bool).to_numpy()
    here = judged.to_numpy(dtype=bool)
    lost, lost_melanomas = len(known) - len(here), int(known.sum()) - int(here.sum())
    if lost <= 0 or not len(here) or not 0 <= lost_melanomas <= lost:
        return []
    whole, now = float(known.mean()), float(here.mean())
    if not _differ(whole, now):
        return []
    from scipy.stats import fisher_exact  # doubles the time to import evaluation

    counts = np.array(
        [[lost_melanomas, lost - lost_melanomas], [here.sum(), (~here).sum()]]
    )
    if fisher_exact(counts).pvalue > _UNLIKELY:
        return []
    return [
        f"Of the {counted(lost, 'labelled image')} left out "
        f"{100 * lost_melanomas / lost:.3g} % are melanomas, of those judged "
        f"{100 * now:.3g} % (of all {100 * whole:.3g} %): PPV, NPV, average precision, "
        "Brier score, calibration and net benefit are those of images chosen so."
    ]


def _differ(one: float, other: float) -> bool:
    """Tell whether the odds of two shares differ by a factor that matters."""
    if min(one, other) <= 0 or max(one, other) >= 1:
        return one != other
    odds = [math.log(share / (1 - share)) for share in (one, other)]
    return abs(odds[0] - odds[1]) > math.log(_RATIO)
