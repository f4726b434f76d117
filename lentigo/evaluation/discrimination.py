"""Measure how well scores discriminate melanoma from other lesions, on any scale of scores.

Throughout, `truth` is (N,) bool, True for melanoma, and `score` is (N,) float, higher for
likelier melanoma. Where a class that is needed is absent the result is NaN: neither 0 nor 1
would be true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lentigo.evaluation.intervals import ROUNDING, Interval, ratio

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points of a curve, one for each threshold, from the highest threshold down."""

    threshold: FloatArray
    """Threshold of each point; images are called melanoma from this score upwards."""
    x: FloatArray
    """Position of each point along the horizontal axis; `y`: along the vertical axis."""
    y: FloatArray


def auc(truth: BoolArray, score: FloatArray) -> float:
    """The chance that a melanoma scores higher than another image; a tie counts half.

    NaN where a class is absent, or a score is NaN.
    """
    melanoma_places, _ = placements(truth, score)
    return float(melanoma_places.mean()) if len(melanoma_places) else math.nan


def placements(truth: BoolArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For each melanoma the share of other images below it, and for each other image
    the share of melanomas above it; a tie counts half.

    The mean of either array is the AUC; DeLong's variance is made of their variances.
    Both are empty where a class is absent or a score is NaN. See `placements_and_ties`.
    """
    above, below, _ = placements_and_ties(truth, score)
    return above, below


def placements_and_ties(
    truth: BoolArray, score: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Return `placements`, and the share of pairs whose two scores are equal.

    Computed by sorting, in n log n steps as in Sun & Xu 2014
    (doi:10.1109/LSP.2014.2337313); scores in ascending order are not sorted again. The
    share is NaN where the arrays are empty.
    """
    mine, rest = score.take(np.flatnonzero(truth)), score.take(np.flatnonzero(~truth))
    if not len(mine) or not len(rest) or np.isnan(score).any():
        return np.empty(0), np.empty(0), math.nan
    order = None if (rest[1:] >= rest[:-1]).all() else np.argsort(rest)
    ranked = rest if order is None else rest[order]
    left, right = np.searchsorted(ranked, mine), np.searchsorted(ranked, mine, "right")
    # An image ranks above a melanoma from its `right` on, and at least equal from `left`.
    ends = np.bincount(np.concatenate([left, right]), minlength=len(rest) + 1)
    upper = 1 - np.cumsum(ends[:-1]) / (2 * len(mine))
    below = upper
    if order is not None:
        below = np.empty(len(rest))
        below[order] = upper
    tied = float((right - left).mean() / len(rest))
    return (left + right) / (2 * len(rest)), below, tied


def delong_variance(truth: BoolArray, score: FloatArray) -> float:
    """The variance of the AUC after DeLong et al. 1988 (doi:10.2307/2531595).

    Images are taken as independent. NaN with fewer than two of either class.
    """
    return _variance(*placements(truth, score))


def delong_interval(
    truth: BoolArray, score: FloatArray, *, confidence: float = 0.95
) -> Interval:
    """The AUC with DeLong's interval, made on the logit scale so that it stays within 0–1.

    The bounds are NaN where the variance is of no use: with fewer than two images of a
    class, or with a perfect ranking (AUC 0 or 1), where an estimated variance of 0 does not
    show certainty.
    """
    value, variance = auc(truth, score), delong_variance(truth, score)
    if not variance > ROUNDING**2 or not 0 < value < 1:
        return Interval(value)
    half = ndtri(0.5 + confidence / 2) * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + sign * half))) for sign in (-1, 1))
    return Interval(value, low, high)


def auc_difference(
    truth: BoolArray, a: FloatArray, b: FloatArray, *, confidence: float = 0.95
) -> Interval:
    """AUC of `a` minus AUC of `b` on the same images, with DeLong's paired interval.

    Images are taken as independent; use `compare` where patients have several images.
    """
    first, second = placements(truth, a), placements(truth, b)
    value = auc(truth, a) - auc(truth, b)
    variance = _variance(first[0] - second[0], first[1] - second[1])
    if not variance > ROUNDING**2:
        return Interval(value)
    half = float(ndtri(0.5 + confidence / 2)) * math.sqrt(variance)
    return Interval(value, value - half, value + half)


def roc_curve(truth: BoolArray, score: FloatArray) -> Curve:
    """The ROC curve: x is 1 − specificity, y is sensitivity, at every distinct score.

    It starts at (0, 0), where the threshold is infinite. x is NaN without a non-melanoma
    image, y without a melanoma.
    """
    threshold, found, alarms = _cumulative_calls(truth, score)
    return Curve(threshold, ratio(alarms, alarms[-1:]), ratio(found, found[-1:]))


def precision_recall_curve(truth: BoolArray, score: FloatArray) -> Curve:
    """The precision–recall curve: x is sensitivity, y is the positive predictive value.

    One point for each distinct score, after a first one at an infinite threshold, where no
    image is called melanoma and there is no precision (y is NaN). Without a melanoma x is
    NaN, and y is 0 from the second point on.
    """
    threshold, found, alarms = _cumulative_calls(truth, score)
    return Curve(threshold, ratio(found, found[-1:]), ratio(found, found + alarms))


def average_precision(truth: BoolArray, score: FloatArray) -> float:
    """The mean, over melanomas, of the precision at the melanoma's score.

    There is no interpolation. A random score reaches about the share of melanomas. NaN
    without a melanoma.
    """
    curve = precision_recall_curve(truth, score)
    if not truth.any():
        return math.nan
    return float(np.sum(np.diff(curve.x) * curve.y[1:]))


def _cumulative_calls(
    truth: BoolArray, score: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct thresholds, descending from infinity, with true and false positives."""
    order = np.argsort(-score, kind="stable")
    ranked: FloatArray = score[order]
    if not len(ranked):
        return np.array([np.inf]), np.zeros(1), np.zeros(1)
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, [True]))
    found = np.concatenate([[0.0], np.cumsum(truth[order])[last]])
    called = np.concatenate([[0.0], last + 1.0])
    return np.concatenate([[np.inf], ranked[last]]), found, called - found


def _variance(melanoma_places: FloatArray, other_places: FloatArray) -> float:
    if min(len(melanoma_places), len(other_places)) < 2:
        return math.nan
    return float(
        melanoma_places.var(ddof=1) / len(melanoma_places)
        + other_places.var(ddof=1) / len(other_places)
    )
