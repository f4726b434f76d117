"""The calibration error of probabilities, less what chance alone makes of it."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, stdtrit

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval

BINS = 10
_LEFT = math.sqrt(2 / math.pi) * (2 - math.sqrt(2))
"""What is left of chance, in standard errors, where a bin has no error at all."""


def calibration_error(
    truth: BoolArray, probability: FloatArray, group: IntArray, *, bins: int = BINS
) -> Interval:
    """The expected calibration error over bins of equally many images, debiased.

    `truth`, `probability` and `group` are (N,). In each bin the distance of the promised
    from the observed share is above 0 by chance even where probabilities are right; what
    chance adds is subtracted (Kumar, Liang & Ma 2019, arXiv:1909.10155), with the spread of
    whole groups. The result is 0 at least. The interval is that of the signed distances,
    groups as the unit, and reaches down by what chance may have left, too: to 0 where all
    of it may be chance. NaN for no image.
    """
    if not len(truth):
        return Interval(math.nan)
    rest = truth - probability
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    error, left, signs = 0.0, 0.0, np.zeros(len(truth))
    for members in filter(len, parts):
        gap = float(rest[members].mean())
        spread = _spread(rest[members] - gap, group[members])
        share = len(members) / len(truth)
        error += share * _without_chance(abs(gap), spread)
        left += share * _LEFT * spread
        signs[members] = np.sign(gap)
    value = max(error, 0.0)
    towards = signs * rest
    groups = np.unique(group)
    if len(groups) < 2:
        return Interval(value)
    half = float(stdtrit(len(groups) - 1, 0.975)) * _spread(towards - towards.mean(), group)
    return Interval(value, max(value - left - half, 0.0), min(value + half, 1.0))


def _spread(beyond: FloatArray, group: IntArray) -> float:
    """The standard error of a mean, whose distances from it are `beyond`; by groups."""
    sums = np.bincount(group, beyond)[np.unique(group)]
    few = len(sums) / max(len(sums) - 1, 1)
    return math.sqrt(float(sums @ sums) * few) / len(beyond)


def _without_chance(gap: float, spread: float) -> float:
    """`gap` less what a normal error of `spread` adds to a distance of that size."""
    if not spread > 0:
        return gap
    ratio = gap / spread
    expected = spread * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + gap * (
        1 - 2 * float(ndtr(-ratio))
    )
    return gap - (expected - gap)
