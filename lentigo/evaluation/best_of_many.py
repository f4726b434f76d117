"""How good the best of many models is, corrected for that it was chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray


@dataclass(frozen=True)
class CorrectedBest:
    """The AUC of the best of several models on images that did not choose it."""

    value: float
    """The mean over resamples; NaN where none had an answer."""
    undefined: int
    """Resamples in which the chosen or the left-out groups lack a class."""


def corrected_best(
    truth: BoolArray,
    scores: FloatArray,
    group: IntArray,
    *,
    repeats: int = 500,
    seed: int = 0,
) -> CorrectedBest:
    """Estimate what choosing the best of T models on these images gives on other ones.

    Groups are drawn with replacement; the model with the best AUC on what was drawn is
    judged on the groups that were not (Tsamardinos et al. 2018, bootstrap bias corrected,
    doi:10.1007/s10994-018-5714-4). `truth` and `group` are (N,), `scores` (T, N). It
    counts the choice among these models, not what each of them chose by itself, such as
    its epoch. With a single model it is that model's AUC, a little noisier.
    """
    numbers, rng = np.unique(group, return_inverse=True)[1], np.random.default_rng(seed)
    groups = int(numbers.max()) + 1
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=repeats)[:, numbers]
    inside = np.stack([weighted_auc(truth, own, drawn) for own in scores])
    outside = np.stack([weighted_auc(truth, own, drawn == 0) for own in scores])
    known = ~(np.isnan(inside[0]) | np.isnan(outside[0]))
    if not known.any():
        return CorrectedBest(math.nan, repeats)
    chosen = np.argmax(inside[:, known], axis=0)
    found = outside[:, known][chosen, np.arange(len(chosen))]
    return CorrectedBest(float(found.mean()), int(repeats - known.sum()))


def weighted_auc(truth: BoolArray, score: FloatArray, weights: np.ndarray) -> FloatArray:
    """Return the AUC under each of R weightings of the images; a tie counts half.

    `truth` and `score` are (N,), `weights` (R, N); the result is (R,), NaN where a class
    has no weight.
    """
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    weights = np.asarray(weights, dtype=np.float64)[:, order]
    melanoma = np.add.reduceat(weights * truth[order], starts, axis=1)
    others = np.add.reduceat(weights * ~truth[order], starts, axis=1)
    below = np.cumsum(others, axis=1) - others / 2
    pairs = melanoma.sum(axis=1) * others.sum(axis=1)
    with np.errstate(invalid="ignore"):
        found: FloatArray = (melanoma * below).sum(axis=1) / np.where(pairs, pairs, np.nan)
    return found
