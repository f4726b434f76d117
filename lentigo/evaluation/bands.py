"""How far the whole ROC curve might be off."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import draws
from lentigo.evaluation.sums import Ranking, Sample

_POINTS = 101


def roc_band(
    sample: Sample, *, repeats: int = 500, seed: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """False positive rates, and the middle 95 % of the sensitivity at each: (101,) each.

    From resampling whole groups, at each rate by itself. None where a class is missing or
    there is but one group.
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
