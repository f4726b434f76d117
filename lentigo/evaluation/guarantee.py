"""Thresholds that find a wished share of further melanomas, for sure or on average.

Both look at the melanomas to choose on alone. The lowest threshold that finds 95 % of them
finds less of the next ones, for it was chosen to.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainc

from lentigo.evaluation.intervals import FloatArray, IntArray
from lentigo.evaluation.shares import kish

CONFIDENCE = 0.95
"""Share of draws of images to choose on in which a guarantee holds."""


def guaranteed_threshold(
    score: FloatArray,
    group: IntArray,
    *,
    sensitivity: float,
    confidence: float = CONFIDENCE,
) -> float:
    """The highest threshold whose true sensitivity is as wished with `confidence`.

    `score` and `group` are (M,), those of the melanomas. From the lowest threshold upwards
    it is tested whether the true sensitivity may be below the wish, until that cannot be
    refused (learn then test, Angelopoulos et al. 2021, arXiv:2110.01052). The test is the
    exact binomial one; where groups have several melanomas it takes their effective number
    (Kish 1965), as if those of a group were found or missed together. Conformal risk
    control (Angelopoulos et al. 2024, arXiv:2208.02814) would promise the mean over draws,
    and in half of them less.

    NaN where even a threshold below all melanomas says too little: see `needed_for_sure`.
    """
    if not len(score):
        return math.nan
    effective = effective_melanomas(group)
    steps, missed = _missed(score, np.ones(len(score)))
    part = missed * effective / len(score)
    doubt = betainc(effective - part, part + 1, sensitivity)
    # A margin for the rounding of the effective number, as in 59 of 59.
    return _last(steps, doubt <= (1 - confidence) * (1 + 1e-9))


def needed_for_sure(sensitivity: float, *, confidence: float = CONFIDENCE) -> int:
    """How many independent melanomas a guarantee takes: 59 for 95 %, 29 for 90 %."""
    return math.ceil(math.log(1 - confidence) / math.log(sensitivity) - 1e-9)


def mean_threshold(score: FloatArray, group: IntArray, *, sensitivity: float) -> float:
    """The highest threshold that finds the wished share of melanomas on average.

    `score` and `group` are (M,), those of the melanomas. The mean is over draws of the
    images to choose on and over further groups, a melanoma of each drawn at random
    (conformal risk control, Angelopoulos et al. 2024, arXiv:2208.02814, of the share of
    melanomas missed in each group). NaN with fewer groups than `needed_on_average`.
    """
    if not len(score):
        return math.nan
    sizes = np.bincount(group)
    groups = np.count_nonzero(sizes)
    steps, missed = _missed(score, 1 / sizes[group])
    return _last(steps, missed + 1 <= (1 - sensitivity) * (groups + 1) + 1e-9)


def needed_on_average(sensitivity: float) -> int:
    """How many groups with a melanoma a mean takes: 19 for 95 %, 9 for 90 %."""
    return math.ceil(1 / (1 - sensitivity) - 1 - 1e-9)


def effective_melanomas(group: IntArray) -> float:
    """Return for how many independent melanomas those of `group`, (M,), count."""
    return kish(np.bincount(group)[np.unique(group)].astype(np.float64))


def _missed(score: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The distinct scores, rising, and the weight of melanomas below each."""
    steps, place = np.unique(score, return_inverse=True)
    weights = np.bincount(place, weight, minlength=len(steps))
    return steps, np.concatenate([[0.0], np.cumsum(weights)[:-1]])


def _last(steps: FloatArray, holds: np.ndarray) -> float:
    """Return the highest step up to which all hold; NaN where the first does not."""
    first_bad = int(np.argmin(holds)) if not holds.all() else len(steps)
    return float(steps[first_bad - 1]) if first_bad else math.nan
