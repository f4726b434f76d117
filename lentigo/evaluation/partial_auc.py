"""The area of the ROC curve where few melanomas are missed, as ISIC 2024 scores it."""

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
"""From which sensitivity upwards ISIC 2024 counts."""


def partial_auc(
    truth: BoolArray, score: FloatArray, *, sensitivity: float = SENSITIVITY
) -> float:
    """Return the area between the ROC curve and `sensitivity`: 0 to 1 − `sensitivity`.

    It is the specificity at each share of melanomas missed, added up from none missed to
    1 − `sensitivity` of them, which is how ISIC 2024 scores (Kurtansky et al. 2024,
    doi:10.1038/s41597-024-03743-w): 0.2 at best, 0.02 by guessing. NaN without a class.
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
    """Return `partial_auc` with an interval that takes groups as the unit; (N,) each.

    All true areas count as possible that lie no more than t standard errors away, the
    standard error being that for the true one, as for `auc_interval`: that of two normal
    distributions of equal spread, raised to Obuchowski's variance (1997) where that is
    larger. A melanoma above the cut adds what the cut adds, as for a trimmed mean. NaN
    without a class; no bounds for one group, or where all scores are equal.
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
    # The spread that is seen, beside that of the model where it has such an area.
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
    """Two normal distributions at a row of distances: (D,) each."""

    area: FloatArray
    """Rising with the distance."""
    of_melanomas: FloatArray
    """Variance of what one melanoma adds to the area; then of what another image adds."""
    of_others: FloatArray


@cache
def _model(most: float) -> _Model:
    distance = np.linspace(-6, 12, 3601)[:, np.newaxis]
    at = ndtri((np.arange(500) + 0.5) / 500)
    edge = ndtri(most)
    places = np.minimum(ndtr(distance + at), ndtr(distance + edge))
    passed = np.maximum(ndtr(distance - at) - (1 - most), 0.0)
    return _Model(passed.mean(axis=1), places.var(axis=1), passed.var(axis=1))


def _area(truth: BoolArray, score: FloatArray, most: float) -> tuple[float, float]:
    """The area up to a share `most` of melanomas missed, and the specificity there."""
    melanomas = int(np.count_nonzero(truth))
    if not melanomas or truth.all() or np.isnan(score).any():
        return math.nan, math.nan
    steps, here = np.unique(score[truth], return_counts=True)
    others = np.sort(score[~truth])
    end = np.cumsum(here) / melanomas
    start = end - here / melanomas
    # Melanomas that score alike are missed one after the other, others with them.
    lower = np.searchsorted(others, steps, "left") / len(others)
    upper = np.searchsorted(others, steps, "right") / len(others)
    stop = np.minimum(end, most)
    width = np.maximum(stop - start, 0.0)
    reach = lower + (upper - lower) * width / (end - start)
    last = int(np.searchsorted(end, most - 1e-12, "left"))
    return float(np.sum(width * (lower + reach) / 2)), float(reach[last])
