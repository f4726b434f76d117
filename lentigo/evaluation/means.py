"""Intervals of means over images, such as the Brier score; groups are independent."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.intervals import (
    ROUNDING,
    FloatArray,
    IntArray,
    Interval,
    dot,
    each_alone,
)


def clustered_mean(
    values: FloatArray,
    group: IntArray,
    *,
    confidence: float = 0.95,
    most: float = math.inf,
) -> Interval:
    """The mean of non-negative `values`, (N,), with an interval; groups are independent.

    A few missed melanomas make up most of a Brier score, and a sample without them has too
    small a mean and too small a variance. Hall's transformation (1992,
    doi:10.1111/j.2517-6161.1992.tb01873.x) corrects for this skewness: the upper bound is
    further away than the lower, but not above `most`, the highest possible value. NaN
    without images; the bounds are NaN with one group or no variance (but for rounding).
    """
    if not len(values):
        return Interval(math.nan)
    value, beyond = float(values.mean()), _beyond(values, group)
    error = _error(beyond, values)
    if not error > 0:
        return Interval(value)
    # Products, since a power of numpy takes twenty times as long.
    skewness = dot(beyond * beyond, beyond) / error**3
    times = float(stdtrit(len(beyond) - 1, 0.5 + confidence / 2))
    low, high = (value - error * _unskewed(each, skewness) for each in (times, -times))
    return Interval(value, max(low, 0.0), min(high, most))


def clustered_mean_difference(
    values: FloatArray,
    group: IntArray,
    *,
    freedom: int,
    confidence: float = 0.95,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """The mean of differences, (N,), of either sign, where groups are independent.

    The interval is Student's t with `freedom` degrees of freedom, clipped to the possible
    values `within`. What is NaN is as in `clustered_mean`.
    """
    if not len(values):
        return Interval(math.nan)
    value, error = float(values.mean()), clustered_error(values, group)
    if not error > 0:
        return Interval(value)
    half = error * float(stdtrit(max(freedom, 1), 0.5 + confidence / 2))
    return Interval(value, max(value - half, within[0]), min(value + half, within[1]))


def clustered_error(values: FloatArray, group: IntArray) -> float:
    """Return the standard error of the mean of `values`, (N,), with groups as the unit.

    0 for a single group, and where all groups have the same mean. NaN for no value.
    """
    return _error(_beyond(values, group), values) if len(values) else math.nan


def _beyond(values: FloatArray, group: IntArray) -> FloatArray:
    """Return each group's contribution to the deviation from the mean, (groups,)."""
    beyond: FloatArray
    if each_alone(group):
        beyond = (values - values.mean()) / len(values)
        return beyond
    size = np.bincount(group)
    sums = np.bincount(group, values) - values.mean() * size
    beyond = sums[size > 0] / len(values)
    return beyond


def _error(beyond: FloatArray, values: FloatArray) -> float:
    """The standard error of the mean of `values`, from the result of `_beyond`.

    0 for one group, and where it is no more than `ROUNDING` of the values makes of it.
    """
    groups = len(beyond)
    if groups < 2:
        return 0.0
    error = math.sqrt(dot(beyond, beyond) * groups / (groups - 1))
    rounding = ROUNDING * max(1.0, float(np.abs(values).max()))
    return error if not error <= rounding else 0.0


def _unskewed(times: float, skewness: float) -> float:
    """Return Hall's transformation of the quantile `times` for a `skewness`."""
    if abs(skewness) < 1e-6:
        return times
    return 3 / skewness * float(np.cbrt(1 + skewness * (times - skewness / 6)) - 1)
