"""Agreement of readers, corrected for chance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import ROUNDING, IntArray, Interval, dot


def fleiss_kappa(counts: FloatArray, group: IntArray) -> Interval:
    """Fleiss' kappa (1971, doi:10.1037/h0031619) with its 95 % interval.

    `counts` is (N, q): how many readers put each image into each of q categories; `group`
    is (N,), counting from 0. An image with one reader counts only for how frequent each
    category is. 1 is full agreement, 0 the agreement by chance. The interval is a jackknife
    over groups, with Student's t on the number of groups less one. Kappa falls where nearly
    all images belong to one category, however well readers agree: see `gwet_ac1`. NaN where
    no image has two readers, or all readings are of one category.
    """
    return _with_interval(counts, group, lambda share: dot(share, share))


def gwet_ac1(counts: FloatArray, group: IntArray) -> Interval:
    """Gwet's AC1 (2008, doi:10.1348/000711006X126600) with its 95 % interval.

    As `fleiss_kappa`, but with an agreement by chance that does not rise where one category
    is rare, as melanoma is. It is 1 where all readings are of one category.
    """

    def by_chance(share: FloatArray) -> float:
        return dot(share, 1 - share) / (len(share) - 1)

    return _with_interval(counts, group, by_chance)


def _with_interval(
    counts: FloatArray, group: IntArray, by_chance: Callable[[FloatArray], float]
) -> Interval:
    readers = counts.sum(axis=1)
    known = readers > 0
    counts, readers, group = counts[known], readers[known], group[known]
    several = readers >= 2
    if not several.any():
        return Interval(math.nan)
    pairs = np.maximum(readers * (readers - 1), 1)
    agreed = np.where(several, (counts * (counts - 1)).sum(axis=1) / pairs, 0.0)
    # Per image: 1 if several readers read it, their agreement, 1, share of each category.
    rows = np.column_stack(
        [several, agreed, np.ones(len(counts)), counts / readers[:, None]]
    )
    sums = np.zeros((int(group.max()) + 1, rows.shape[1]))
    np.add.at(sums, group, rows)
    sums = sums[sums[:, 2] > 0]
    total = sums.sum(axis=0)
    value = _coefficient(total, by_chance)
    if math.isnan(value) or len(sums) < 2:
        return Interval(value)
    left = np.array([_coefficient(total - own, by_chance) for own in sums])
    if np.isnan(left).any():
        return Interval(value)
    variance = (len(left) - 1) / len(left) * float(((left - left.mean()) ** 2).sum())
    if not variance > ROUNDING**2:
        return Interval(value)
    half = float(stdtrit(len(left) - 1, 0.975)) * math.sqrt(variance)
    return Interval(value, max(value - half, -1.0), min(value + half, 1.0))


def _coefficient(sums: FloatArray, by_chance: Callable[[FloatArray], float]) -> float:
    if not sums[0] > 0:
        return math.nan
    chance = by_chance(sums[3:] / sums[2])
    return (sums[1] / sums[0] - chance) / (1 - chance) if chance < 1 else math.nan
