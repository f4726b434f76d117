"""Thresholds with a wished sensitivity on further images, with confidence or on average.

Both are computed from the melanomas of the images to choose on, without the other images.
The highest threshold that finds 95 % of these melanomas finds fewer of further ones, since
it was chosen on them.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainc

from lentigo.evaluation.intervals import FloatArray, IntArray
from lentigo.evaluation.shares import kish

CONFIDENCE = 0.95
"""Probability, over random sets of images to choose on, that the guarantee holds."""


def guaranteed_threshold(
    score: FloatArray,
    group: IntArray,
    *,
    sensitivity: float,
    confidence: float = CONFIDENCE,
) -> float:
    """Return the highest threshold whose true sensitivity is guaranteed with `confidence`.

    `score` and `group` (integers from 0) are those of the M melanomas, (M,). From the
    lowest threshold upwards the hypothesis is tested that the true sensitivity is below
    `sensitivity`, until it cannot be rejected (learn then test, Angelopoulos et al. 2021,
    arXiv:2110.01052). The test is the exact binomial one; where groups have several
    melanomas it takes their effective number (Kish 1965), as if the melanomas of a group
    were found or missed together. Conformal risk control (Angelopoulos et al. 2024,
    arXiv:2208.02814) guarantees only the mean over sets of images to choose on, with a
    lower sensitivity for about half of them.

    NaN where there are too few melanomas for any threshold: see `needed_for_sure`.
    """
    if not len(score):
        return math.nan
    effective = effective_melanomas(group)
    steps, missed = _missed(score, np.ones(len(score)))
    part = missed * effective / len(score)
    doubt = betainc(effective - part, part + 1, sensitivity)
    # A margin for rounding errors of the effective number, as with 59 of 59 melanomas.
    return _last(steps, doubt <= (1 - confidence) * (1 + 1e-9))


def needed_for_sure(sensitivity: float, *, confidence: float = CONFIDENCE) -> int:
    """Return how many independent melanomas `guaranteed_threshold` needs at least.

    59 for a sensitivity of 95 %, 29 for 90 %.
    """
    return math.ceil(math.log(1 - confidence) / math.log(sensitivity) - 1e-9)


def mean_threshold(score: FloatArray, group: IntArray, *, sensitivity: float) -> float:
    """Return the highest threshold with the wished sensitivity on average.

    `score` and `group` (integers from 0) are those of the M melanomas, (M,). The average is
    over random sets of images to choose on and over further groups, one random melanoma of
    each (conformal risk control, Angelopoulos et al. 2024, arXiv:2208.02814, of the share
    of melanomas missed in each group). NaN with fewer groups than `needed_on_average`.
    """
    if not len(score):
        return math.nan
    sizes = np.bincount(group)
    groups = np.count_nonzero(sizes)
    steps, missed = _missed(score, 1 / sizes[group])
    return _last(steps, missed + 1 <= (1 - sensitivity) * (groups + 1) + 1e-9)


def needed_on_average(sensitivity: float) -> int:
    """Return how many groups with a melanoma `mean_threshold` needs at least.

    19 for a sensitivity of 95 %, 9 for 90 %.
    """
    return math.ceil(1 / (1 - sensitivity) - 1 - 1e-9)


def effective_melanomas(group: IntArray) -> float:
    """Return the effective number of melanomas (Kish 1965), from their groups, (M,)."""
    return kish(np.bincount(group)[np.unique(group)].astype(np.float64))


def _missed(score: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distinct scores, ascending, and the weight of melanomas below each."""
    steps, place = np.unique(score, return_inverse=True)
    weights = np.bincount(place, weight, minlength=len(steps))
    return steps, np.concatenate([[0.0], np.cumsum(weights)[:-1]])


def _last(steps: FloatArray, holds: np.ndarray) -> float:
    """Return the last of `steps` before the first False in `holds`; NaN if none."""
    first_bad = int(np.argmin(holds)) if not holds.all() else len(steps)
    return float(steps[first_bad - 1]) if first_bad else math.nan
