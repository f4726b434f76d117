"""A 95 % band around a ROC curve, from resampling whole groups."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import draws
from lentigo.evaluation.sums import Ranking, Sample

_POINTS = 101


def roc_band(
    sample: Sample, *, repeats: int = 500, seed: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return false positive rates and the band's lower and upper sensitivity: (101,) each.

    The band is the middle 95 % of the resampled curves at each false positive rate by
    itself; whole groups are resampled. None where a class is missing or there is only one
    group.
    """
    if sample.groups < 2 or not sample.truth.any() or sample.truth.all():
        return None
    ranking = Ranking(sample)
    matrix = ranking.matrix
    rates = np.linspace(0, 1, _POINTS)
    curves = [
        curve
        for counts in draws(sample.groups, repeats=repeats, seed=seed)
        if (curve := ranking.curve(matrix @ counts)) is not None
    ]
    heights = np.stack([np.interp(rates, x, y) for x, y in curves])
    low, high = np.quantile(heights, [0.025, 0.975], axis=0)
    return rates, low, high
