"""The partial AUC at high sensitivity, where few melanomas are missed, as in ISIC 2024."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from lentigo.evaluation.clustered import obuchowski_variance
from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements
from lentigo.evaluation.intervals import IntArray, Interval, count_groups
from lentigo.evaluation.ranking import FREEDOM, worth

SENSITIVITY = 0.8
"""The sensitivity above which ISIC 2024 counts the area."""


def partial_auc(
    truth: BoolArray, score: FloatArray, *, sensitivity: float = SENSITIVITY
) -> float:
    """Return the area between the ROC curve and `sensitivity`: 0 to 1 − `sensitivity`.

    It is the integral of the specificity over the share of melanomas missed, from 0 to
    1 − `sensitivity`, as in ISIC 2024 (Kurtansky et al. 2024,
    doi:10.1038/s41597-024-03743-w): with 80 %, 0.2 at best and 0.02 by guessing. NaN where
    a class is absent.
    """
    return _area(truth, score, 1 - sensitivity)[0]


def partial_auc_interval(
    truth: BoolArray,
    score: FloatArray,
    group: IntArray,
    *,
    sensitivity: float = SENSITIVITY,
    confidence: float = 0.95,
) -> Interval:
    """Return `partial_auc` with an interval that takes groups as independent.

    `sensitivity` is the lowest sensitivity that counts. `truth`, `score` and `group` are
    (N,). As in `auc_interval`, the interval holds all true areas at most t standard errors
    away, each with its own standard error: that of two normal distributions of equal
    variance, raised to Obuchowski's (1997) where it is larger. A melanoma scored above the
    cut contributes as much as one at the cut, as in a trimmed mean. NaN where a class is
    absent; the bounds are NaN for one group, or where all scores are equal.
    """
    most = 1 - sensitivity
    value, height = _area(truth, score, most)
    if math.isnan(value) or count_groups(group) < 2 or score.min() == score.max():
        return Interval(value)
    above, below = placements(truth, score)
    mine, rest = np.minimum(above, height), np.maximum(below - sensitivity, 0.0)
    model = _model(most)
    number, others = worth(mine, group[truth]), worth(rest, group[~truth])
    variance = model.of_melanomas / number + model.of_others / others
    # Compare the observed variance with that of the model at the same area.
    inside = min(max(value, most * 0.25 / number), most * (1 - 0.25 / number))
    floor = float(np.interp(inside, model.area, variance))
    seen = obuchowski_variance(truth, group, mine, rest)
    freedom = count_groups(group[truth]) - 1 + FREEDOM
    times = float(stdtrit(freedom, 0.5 + confidence / 2))
    error = times * np.sqrt(variance * max(1.0, seen / floor))
    inner = np.flatnonzero(np.abs(model.area - value) <= error)
    if not len(inner):
        return Interval(value)
    low, high = model.area[inner[0]], model.area[inner[-1]]
    return Interval(value, min(float(low), value), max(float(high), value))


@dataclass(frozen=True)
class _Model:
    """Partial AUCs and variances for two normal distributions at D distances: (D,) each."""

    area: FloatArray
    """The partial AUC, increasing with the distance of the two distributions."""
    of_melanomas: FloatArray
    """Variance of one melanoma's contribution to the area."""
    of_others: FloatArray
    """Variance of one non-melanoma image's contribution to the area."""


@cache
def _model(most: float) -> _Model:
    at = ndtri((np.arange(500) + 0.5) / 500)
    edge = ndtri(most)
    rows = []
    # A few distances at a time: fresh memory for all of them costs more than the numbers.
    for distance in np.array_split(np.linspace(-6, 12, 3601)[:, np.newaxis], 60):
        # The points lie evenly around 0: those of the other images are the same ones.
        below = ndtr(distance + at)
        places = np.minimum(below, ndtr(distance + edge))
        passed = np.maximum(below - (1 - most), 0.0)
        rows.append((passed.mean(axis=1), places.var(axis=1), passed.var(axis=1)))
    return _Model(*map(np.concatenate, zip(*rows, strict=True)))


def _area(truth: BoolArray, score: FloatArray, most: float) -> tuple[float, float]:
    """Return the partial AUC, and the specificity where the share `most` is missed.

    The partial AUC is the integral of the specificity over the share of melanomas missed,
    from 0 to `most`. Both are NaN where a class is absent or a score is NaN.
    """
    melanomas = int(np.count_nonzero(truth))
    if not melanomas or truth.all() or np.isnan(score).any():
        return math.nan, math.nan
    steps, here = np.unique(score[truth], return_counts=True)
    others = np.sort(score[~truth])
    end = np.cumsum(here) / melanomas
    start = end - here / melanomas
    # Tied melanomas are missed one after the other, together with tied other images.
    lower = np.searchsorted(others, steps, "left") / len(others)
    upper = np.searchsorted(others, steps, "right") / len(others)
    stop = np.minimum(end, most)
    width = np.maximum(stop - start, 0.0)
    reach = lower + (upper - lower) * width / (end - start)
    last = int(np.searchsorted(end, most - 1e-12, "left"))
    return float(np.sum(width * (lower + reach) / 2)), float(reach[last])
