"""The AUC's interval where images come in groups, without resampling.

It takes two sorts of the scores. Resampling groups takes one pass over the images for each
resample: minutes for a few models on 400,000 images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from lentigo.evaluation.discrimination import BoolArray, FloatArray, placements
from lentigo.evaluation.intervals import (
    ROUNDING,
    Interval,
    count_groups,
    dot,
    each_alone,
)

IntArray = NDArray[np.intp]


def clustered_auc(
    truth: BoolArray, score: FloatArray, group: IntArray, *, confidence: float = 0.95
) -> Interval:
    """The AUC with an interval that takes groups, not images, as independent.

    `truth`, `score` and `group` are (N,); groups count from 0. The variance is that of
    Obuchowski 1997 (doi:10.2307/2533958), which is DeLong's where each image is a group of
    its own. The interval is made on the logit scale, with Student's t on one degree of
    freedom less than the rarer class has groups, as few groups estimate a variance poorly.

    NaN where a class is absent. The bounds are NaN where a class lies in fewer than two
    groups, and where the estimated variance is 0 (but for rounding) or the AUC is 0 or 1,
    since an estimated variance of 0 does not show certainty.
    """
    above, below = placements(truth, score)
    if not len(above):
        return Interval(math.nan)
    value = float(above.mean())
    groups = [count_groups(group[side]) for side in (truth, ~truth)]
    if min(groups) < 2 or not 0 < value < 1:
        return Interval(value)
    variance = obuchowski_variance(truth, group, above, below)
    if not variance > ROUNDING**2:
        return Interval(value)
    times = float(stdtrit(min(groups) - 1, 0.5 + confidence / 2))
    half = times * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    # Beyond these bounds the exponential overflows; the share is 0 or 1 well within them.
    ends = np.clip([centre - half, centre + half], -700.0, 700.0)
    low, high = (1 / (1 + np.exp(-ends))).tolist()
    return Interval(value, low, high)


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and the degrees of freedom of Student's t."""

    value: float
    error: float = math.nan
    """Standard error; NaN where the estimated variance is 0."""
    freedom: int = 0
    unchanged: int = 0
    """Of a difference of AUCs: number of groups of the rarer class, if no melanoma and no
    other image is ranked differently; else 0."""

    def interval(self, *, confidence: float = 0.95) -> Interval:
        """Return the number with its interval; bounds are NaN if the standard error is."""
        if math.isnan(self.error):
            return Interval(self.value)
        half = float(stdtrit(self.freedom, 0.5 + confidence / 2)) * self.error
        return Interval(self.value, self.value - half, self.value + half)

    def chance_above(self, bound: float) -> float:
        """Return the one-sided p-value of the hypothesis that the true value ≤ `bound`.

        For a difference of AUCs of -m, the two scores have to rank a share of at least m of
        the melanomas, or of the other images, differently. Where they do so in none of the
        groups of the rarer class (`unchanged`), the p-value is the highest chance of that:
        (1 - m) to the power of the number of these groups. Otherwise NaN where the standard
        error is NaN.
        """
        if self.unchanged and bound < 0:
            return (1 + max(bound, -1.0)) ** self.unchanged
        if math.isnan(self.error):
            return math.nan
        return float(stdtr(self.freedom, (bound - self.value) / self.error))


def estimated_difference(
    truth: BoolArray, a: FloatArray, b: FloatArray, group: IntArray
) -> Estimate:
    """AUC of `a` minus AUC of `b` on the same images; groups are independent; (N,) each.

    Variance and degrees of freedom as for `clustered_auc`. NaN where a class is absent; the
    standard error is NaN where a class lies in fewer than two groups, or the variance is 0.
    """
    return estimated_mean_difference(truth, [(a, b)], group)


def estimated_mean_difference(
    truth: BoolArray, pairs: Sequence[tuple[FloatArray, FloatArray]], group: IntArray
) -> Estimate:
    """Mean, over `pairs` of scores, of the AUC of the first minus that of the second.

    Each score is (N,); all are of the same images, such as of models that differ only in
    their seed. `estimated_difference` is the case of one pair, and says what is NaN.
    """
    differences = [_difference(truth, *pair) for pair in pairs]
    above, below = (np.mean(side, axis=0) for side in zip(*differences, strict=True))
    if not len(above):
        return Estimate(math.nan)
    value = float(above.mean())
    freedom = min(count_groups(group[side]) for side in (truth, ~truth)) - 1
    if freedom < 1:
        return Estimate(value)
    variance = obuchowski_variance(truth, group, above, below)
    error = math.sqrt(variance) if variance > ROUNDING**2 else math.nan
    same = max(np.abs(above).max(), np.abs(below).max()) < ROUNDING
    return Estimate(value, error, freedom, unchanged=freedom + 1 if same else 0)


def _difference(
    truth: BoolArray, a: FloatArray, b: FloatArray
) -> tuple[FloatArray, FloatArray]:
    first, second = placements(truth, a), placements(truth, b)
    return first[0] - second[0], first[1] - second[1]


def clustered_difference(
    truth: BoolArray,
    a: FloatArray,
    b: FloatArray,
    group: IntArray,
    *,
    confidence: float = 0.95,
) -> Interval:
    """AUC of `a` minus AUC of `b` on the same images, with its interval; (N,) each.

    Groups are taken as independent; see `estimated_difference`.
    """
    return estimated_difference(truth, a, b, group).interval(confidence=confidence)


def obuchowski_variance(
    truth: BoolArray, group: IntArray, above: FloatArray, below: FloatArray
) -> float:
    """The variance of an AUC, or of a difference of AUCs, where groups are independent.

    `truth` and `group` are (N,). `above` (one value a melanoma) and `below` (one a
    non-melanoma) are the result of `placements`, or the difference of two such results. A
    class that lies in only one group contributes no variance of its own.
    """
    if each_alone(group):
        return _variance_of_singles(above) + _variance_of_singles(below)
    size = int(group.max()) + 1
    parts, counts = [], []
    for places, side in ((above, truth), (below, ~truth)):
        own = group.take(np.flatnonzero(side))
        beyond = (places - places.mean()) / len(places)
        parts.append(np.bincount(own, weights=beyond, minlength=size))
        counts.append(count_groups(own))
    every = count_groups(group)
    alone = sum(
        count / (count - 1) * dot(part, part)
        for count, part in zip(counts, parts, strict=True)
        if count > 1
    )
    shared = 2 * every / (every - 1) * dot(parts[0], parts[1]) if every > 1 else 0.0
    return alone + shared


def _variance_of_singles(places: FloatArray) -> float:
    """Return the variance of the mean of `places`, where each image is its own group."""
    if len(places) < 2:
        return 0.0
    beyond = (places - places.mean()) / len(places)
    return len(places) / (len(places) - 1) * dot(beyond, beyond)
