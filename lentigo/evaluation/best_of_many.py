"""The AUC of the best of many models, corrected for having chosen the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray


@dataclass(frozen=True)
class CorrectedBest:
    """The mean AUC of the best of several models on images not used to choose it."""

    value: float
    """Mean AUC over resamples; NaN if it is undefined in all resamples."""
    undefined: int
    """Number of resamples in which the drawn or the left-out groups lack a class."""


def corrected_best(
    truth: BoolArray,
    scores: FloatArray,
    group: IntArray,
    *,
    repeats: int = 500,
    seed: int = 0,
) -> CorrectedBest:
    """Estimate the AUC, on other images, of the model chosen as best on these images.

    In each resample, groups are drawn with replacement; the model with the highest AUC on
    the drawn groups is judged on the groups that were not drawn (Tsamardinos et al. 2018,
    bootstrap bias corrected, doi:10.1007/s10994-018-5714-4). `truth` and `group` are (N,),
    `scores` (T, N) for T models. This corrects for the choice among the models, not for
    choices made within one, such as that of its best epoch. With a single model the result
    is its AUC, a little noisier.
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
