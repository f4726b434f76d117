"""Intervals of means over images, such as the Brier score, where images come in groups."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.intervals import FloatArray, IntArray, Interval


def clustered_mean(
    values: FloatArray,
    group: IntArray,
    *,
    signed: bool = False,
    confidence: float = 0.95,
) -> Interval:
    """The mean of `values`, (N,), with groups, not images, independent.

    Unless they are `signed`, values are not negative and neither is the lower bound.

    A few missed melanomas carry most of a Brier score, and a sample without them has too
    small a mean and too small a spread. Hall's transformation (1992,
    doi:10.1111/j.2517-6161.1992.tb01873.x) allows for that skewness: the upper bound is
    further away than the lower. NaN for no image, no bounds for a single group.
    """
    if not len(values):
        return Interval(math.nan)
    number = len(values)
    value = float(values.mean())
    size = np.bincount(group)
    there = size > 0
    beyond = (np.bincount(group, values) - value * size)[there] / number
    groups = len(beyond)
    variance = float(beyond @ beyond) * groups / max(groups - 1, 1)
    if groups < 2 or not variance > 0:
        return Interval(value)
    skewness = float((beyond**3).sum()) / variance**1.5
    times = float(stdtrit(groups - 1, 0.5 + confidence / 2))
    error = math.sqrt(variance)
    low, high = (value - error * _unskewed(each, skewness) for each in (times, -times))
    return Interval(value, low if signed else max(low, 0.0), high)


def _unskewed(times: float, skewness: float) -> float:
    """Where a skewed estimate has the quantile that a symmetric one has at `times`."""
    if abs(skewness) < 1e-6:
        return times
    return 3 / skewness * float(np.cbrt(1 + skewness * (times - skewness / 6)) - 1)
