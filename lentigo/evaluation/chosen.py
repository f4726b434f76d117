"""Intervals at a threshold that is judged on the same images it was chosen on.

The highest threshold that finds 95 % of 20 melanomas finds 90.5 % of further melanomas on
average, so its metrics on the same images are too favourable. Resampling does not correct
this: a melanoma that would have needed a lower threshold is in no resample. The intervals
therefore allow for all thresholds whose true sensitivity may be the wished one: those at
which the number of melanomas found is neither improbably small nor improbably large (the
binomial interval of a quantile, Hahn & Meeker 1991, with their effective number).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval, dot
from lentigo.evaluation.operating_points import at_threshold, threshold_at_sensitivity
from lentigo.evaluation.predictive_values import bayes, predictive, rest

_ALPHA = 0.05


@dataclass(frozen=True)
class _Range:
    """A chosen threshold with its 95 % interval, from `low` to `high`."""

    value: float
    low: float
    high: float


def chosen_at_sensitivity(
    truth: BoolArray,
    score: FloatArray,
    group: IntArray,
    *,
    sensitivity: float = 0.95,
    share: float | None = None,
) -> dict[str, Interval]:
    """The threshold with a wished `sensitivity` on these images, and its other metrics.

    `truth`, `score` and `group` are (N,), scores in 0–1. The result has the threshold, and
    specificity, PPV and NPV on the same images, named such as `ppv_at_sensitivity_95`; PPV
    and NPV are for `share` of melanomas where it is given, else for that of these. The
    intervals hold for the threshold whose true sensitivity is the wished one: with few
    melanomas (for 95 %, fewer than 59 in 59 groups) it may lie below all scores, and the
    lower bound of threshold and specificity is 0. All NaN without a melanoma.
    """
    ending = f"at_sensitivity_{100 * sensitivity:g}"
    names = ("threshold", "specificity", "ppv", "npv")
    if not truth.any():
        return {f"{name}_{ending}": Interval(math.nan) for name in names}
    chosen = _range(truth, score, group, sensitivity)
    found = {"threshold": Interval(chosen.value, chosen.low, chosen.high)}
    here = at_threshold(truth, score, group, threshold=chosen.value)
    if share is not None:
        right, others = here["sensitivity"], here["specificity"]
        here["ppv"] = predictive(share, right, rest(others))
        here["npv"] = predictive(1 - share, others, rest(right))
    of = _shares(truth, score, share)
    for name in names[1:]:
        ends = [of[name](end) for end in (chosen.low, chosen.high)]
        found[name] = _joined(here[name], ends)
    return {f"{name}_{ending}": interval for name, interval in found.items()}


def _range(
    truth: BoolArray, score: FloatArray, group: IntArray, sensitivity: float
) -> _Range:
    """Return the threshold chosen on these images, with its 95 % interval.

    The interval is for the threshold whose true sensitivity is `sensitivity`.
    """
    order = np.argsort(-score[truth], kind="stable")
    ranked = score[truth][order]
    worth = _worth(group[truth][order])  # effective number, for each number found
    part = np.arange(len(ranked) + 1) / len(ranked)
    missed, found = worth * (1 - part), worth * part
    # Probabilities to find at most, and at least, each number at the true threshold.
    few = np.where(
        missed > 0, betainc(np.maximum(missed, 1e-9), found + 1, 1 - sensitivity), 1
    )
    many = np.where(found > 0, betainc(np.maximum(found, 1e-9), missed + 1, sensitivity), 1)
    below_all = many[-1] > _ALPHA / 2
    low = 0.0 if below_all else _crossing(ranked, many, _ALPHA / 2)
    backwards = _crossing(ranked[::-1], few[::-1], _ALPHA if below_all else _ALPHA / 2)
    value = threshold_at_sensitivity(truth, score, sensitivity=sensitivity)
    return _Range(value, min(low, value), max(backwards, value))


def _crossing(ranked: FloatArray, chance: FloatArray, alpha: float) -> float:
    """Return the score where `chance` falls to `alpha`, interpolated between two melanomas.

    `ranked`, (m,), are the sorted scores of the m melanomas. `chance[k]`, k from 0 to m, is
    a probability for the place after the first k of them.
    """
    place = int(np.argmax(chance <= alpha))  # the first with a small enough chance
    if chance[place] > alpha:
        return float(ranked[-1])
    outer, inner = ranked[max(place - 1, 0)], ranked[max(place - 2, 0)]
    step = chance[place - 1] - chance[place] if place else 0.0
    weight = float((alpha - chance[place]) / step) if step > 0 else 0.0
    return float(outer + weight * (inner - outer))


def _worth(group: IntArray) -> FloatArray:
    """Return the effective number of m melanomas when the first k are found, k = 0 … m.

    The result is (m + 1,). `group`, (m,), are the groups of the melanomas, sorted by
    score, the highest first.
    """
    total = len(group)
    codes, names = pd.factorize(group)
    size = np.bincount(codes).astype(np.float64)
    before = pd.Series(codes).groupby(codes).cumcount().to_numpy(np.float64)
    squares = np.concatenate([[0.0], np.cumsum(2 * before + 1)])
    with_size = np.concatenate([[0.0], np.cumsum(size[codes])])
    part = np.arange(total + 1) / total
    pairs = dot(size, size)
    least = total**2 / pairs
    beyond = squares - 2 * part * with_size + part**2 * pairs
    between = max(len(names) - 1, 1) / len(names)
    worth = np.full(total + 1, least)
    inside = slice(1, total)
    spread = part * (1 - part) * total**2 * between
    np.divide(spread, beyond, out=worth, where=beyond > 0)
    worth[0] = worth[-1] = least
    worth[inside] = np.clip(worth[inside], least, total)
    return worth


def _shares(
    truth: BoolArray, score: FloatArray, share: float | None
) -> dict[str, Callable[[float], float]]:
    """Specificity, PPV and NPV as functions of the threshold.

    PPV and NPV are for `share` of melanomas; None for that of these images.
    """
    melanomas = truth.mean() if share is None else share

    def counted(threshold: float) -> tuple[int, int, int, int]:
        called = score >= threshold
        tp, fp = (int(np.count_nonzero(called & side)) for side in (truth, ~truth))
        positive = int(np.count_nonzero(truth))
        return tp, fp, positive - tp, len(truth) - positive - fp

    def specificity(threshold: float) -> float:
        _, fp, _, tn = counted(threshold)
        return tn / (tn + fp) if tn + fp else math.nan

    def ppv(threshold: float) -> float:
        tp, fp, fn, tn = counted(threshold)
        if not tp + fp:
            return 1.0
        return bayes(melanomas, tp / (tp + fn), fp / (fp + tn) if fp else 0.0)

    def npv(threshold: float) -> float:
        tp, fp, fn, tn = counted(threshold)
        if not tn + fn:
            return 1.0
        return bayes(1 - melanomas, tn / (tn + fp) if tn else 0.0, fn / (fn + tp))

    return {"specificity": specificity, "ppv": ppv, "npv": npv}


def _joined(here: Interval, ends: list[float]) -> Interval:
    """Widen `here`, the interval at a fixed threshold, by the metric at both `ends`.

    `ends` are the values at the lowest and highest possible threshold. The two distances
    are combined as the root of the sum of squares (Zou & Donner 2008,
    doi:10.1002/sim.3095).
    """
    if math.isnan(here.value):
        return here
    lowest, highest = min(*ends, here.value), max(*ends, here.value)
    low = here.value - math.hypot(here.value - here.low, here.value - lowest)
    high = here.value + math.hypot(here.high - here.value, highest - here.value)
    return Interval(here.value, max(low, 0.0), min(high, 1.0))
