"""The expected calibration error of probabilities, corrected for its bias by chance."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, stdtrit

from lentigo.evaluation.calibration import even_bins
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import ROUNDING, IntArray, Interval, count_groups, dot

BINS = 10
_LEFT = math.sqrt(2 / math.pi) * (2 - math.sqrt(2))
"""Mean bias, in standard errors, that the correction leaves in a bin without true error."""


def calibration_error(
    truth: BoolArray, probability: FloatArray, group: IntArray, *, bins: int = BINS
) -> Interval:
    """The expected calibration error over bins of equally many images, debiased.

    `truth`, `probability` and `group` are (N,). Images of one probability are in one bin
    (`even_bins`). In each bin the absolute difference of
    predicted and observed share is above 0 by chance even where probabilities are right;
    its bias is estimated and subtracted (Kumar, Liang & Ma 2019, arXiv:1909.10155). A
    negative result becomes 0. The interval is Student's t of the signed differences; its
    lower bound is lowered by the bias that may remain, so that it is 0 where the whole
    error may be chance. Both take groups as independent. NaN without images; no bounds with
    one group, or where all images are as far off.
    """
    if not len(truth):
        return Interval(math.nan)
    rest = truth - probability
    error, left, signs = 0.0, 0.0, np.zeros(len(truth))
    for members in even_bins(probability, bins):
        gap = float(rest[members].mean())
        spread = _spread(rest[members] - gap, group[members])
        share = len(members) / len(truth)
        error += share * _without_chance(abs(gap), spread)
        left += share * _LEFT * spread
        signs[members] = -1.0 if gap < 0 else 1.0  # a gap of 0 has a spread, too
    value = max(error, 0.0)
    towards = signs * rest
    groups = count_groups(group)
    error = _spread(towards - towards.mean(), group)
    if groups < 2 or not error > ROUNDING:
        return Interval(value)
    half = float(stdtrit(groups - 1, 0.975)) * error
    return Interval(value, max(value - left - half, 0.0), min(value + half, 1.0))


def _spread(beyond: FloatArray, group: IntArray) -> float:
    """Return the standard error of a mean, from the deviations from it, `beyond`, (N,).

    Groups, not images, are taken as independent.
    """
    sums, groups = np.bincount(group, beyond), count_groups(group)
    few = groups / max(groups - 1, 1)
    return math.sqrt(dot(sums, sums) * few) / len(beyond)


def _without_chance(gap: float, spread: float) -> float:
    """Return the absolute difference `gap` minus its bias.

    The bias is the expected excess of an absolute difference whose true value is `gap` and
    whose error is normal with the standard deviation `spread`.
    """
    if not spread > 0:
        return gap
    ratio = gap / spread
    expected = spread * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + gap * (
        1 - 2 * float(ndtr(-ratio))
    )
    return gap - (expected - gap)
