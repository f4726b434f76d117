"""Intervals of shares, such as a sensitivity, where images come in groups.

Images of one patient resemble each other, so ten images of three patients hold less
information than ten images of ten patients. The number of images divided by the design
effect (Kish 1965) is their effective number; an interval for independent counts is made
with the effective number (Korn & Graubard 1998, Survey Methodology 24:193–201).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from lentigo.evaluation.intervals import FloatArray, IntArray, Interval, dot, wilson

BoolArray = NDArray[np.bool_]


def clustered_share(
    hit: BoolArray, group: IntArray, *, confidence: float = 0.95
) -> Interval:
    """The share of images that are hits, with an interval; groups are independent.

    `hit` and `group` are (N,); groups count from 0. NaN without images. See `share_of`.
    """
    hits = np.bincount(group, hit.astype(np.float64))
    return share_of(hits, np.bincount(group), confidence=confidence)


def share_of(
    hits: FloatArray | IntArray, of: FloatArray | IntArray, *, confidence: float = 0.95
) -> Interval:
    """The share sum(`hits`) / sum(`of`), both (groups,), with its interval.

    The interval is Wilson's for the effective number of images; shares of 0 and 1 have
    that of Clopper & Pearson 1934, which is exact: 10 of 10 in 10 groups is at least 69 %.
    NaN where all of `of` are 0.
    """
    if len(of) and np.max(of) == 1:  # images that are all independent
        number = int(np.sum(of))
        return share_counting(
            float(np.sum(hits) / number), number, groups=number, confidence=confidence
        )
    there = np.flatnonzero(np.asarray(of) > 0)
    part = np.asarray(hits, dtype=np.float64)[there]
    whole = np.asarray(of, dtype=np.float64)[there]
    if not len(whole):
        return Interval(math.nan)
    value = float(part.sum() / whole.sum())
    return share_counting(
        value, effective_number(part, whole), groups=len(whole), confidence=confidence
    )


def share_counting(
    value: float, number: float, *, groups: int, confidence: float = 0.95
) -> Interval:
    """Return the share `value` with the interval of a share of `number` independent images.

    Student's t has `groups` − 1 degrees of freedom, at least 1.
    """
    if 0 < value < 1:
        times = float(stdtrit(max(groups - 1, 1), 0.5 + confidence / 2))
        return Interval(value, *wilson(value, number, times))
    # One outcome did not occur; at the bound this has a probability of 2.5 %.
    reach = (0.5 - confidence / 2) ** (1 / number)
    return Interval(value, reach, 1.0) if value == 1 else Interval(value, 0.0, 1 - reach)


def effective_number(part: FloatArray, whole: FloatArray) -> float:
    """Return the effective number of images for an estimate of the share of hits.

    `part` and `whole` are each group's numbers of hits and of images, (groups,).

    It lies between Kish's number, for identical images within a group, and the number of
    images. It is Kish's number where all images are hits, or none is.
    """
    total = float(whole.sum())
    least = kish(whole)
    value = float(part.sum()) / total
    if len(whole) < 2 or not 0 < value < 1:
        return least
    beyond = part - value * whole
    variance = len(whole) / (len(whole) - 1) * dot(beyond, beyond) / total**2
    if not variance > 0:
        return total
    return min(max(value * (1 - value) / variance, least), total)


def kish(sizes: FloatArray) -> float:
    """Return Kish's effective number of images, (Σ n)² / Σ n², for groups of n images.

    It holds where the images of a group are identical. `sizes`, (groups,), are the n.
    """
    return float(sizes.sum()) ** 2 / dot(sizes, sizes)


def mean_of_shares(first: Interval, second: Interval) -> Interval:
    """The mean of two shares of different images, such as sensitivity and specificity.

    Their distances to their bounds are combined as the root of the sum of squares (Zou &
    Donner 2008, doi:10.1002/sim.3095).
    """
    value = (first.value + second.value) / 2
    low = math.hypot(first.value - first.low, second.value - second.low) / 2
    high = math.hypot(first.high - first.value, second.high - second.value) / 2
    return Interval(value, max(value - low, 0.0), min(value + high, 1.0))
