"""Faithfulness of a map to what a model used: deletion, insertion and the sanity check."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.occlusion import blurred, logits_of
from lentigo.models.backend import Images, Predictor
from lentigo.models.metadata import Patients

Map = NDArray[np.float32]

STEPS = 14
"""Number of steps in which the image is blurred or shown."""
ALIKE = 0.5
"""Rank correlation with the map of shuffled weights from which a map fails the check."""
_FLAT = 1e-5
"""Share of its largest value up to which the values of a map differ by rounding alone: a
feature map of one cell is as good as constant when it has been enlarged."""


def deletion_insertion(
    predictor: Predictor, square: Images, heat: Map, *, patient: Patients | None = None
) -> tuple[float, float]:
    """Return the deletion and the insertion area of a map (Petsiuk 2018, arXiv:1806.07421).

    `square` is (S, S, 3), `heat` (S, S); `patient` is as in `occlusion`. Deletion is the
    mean probability of melanoma while pixels of the image are blurred, those with the
    highest heat first (for a faithful map it falls at once: small is good). Insertion is
    the mean while they are shown in a blurred image (large is good). Both are from 0 to 1.
    For a lesion that the model calls benign both are small.
    """
    side = len(square)
    order = np.argsort(-heat.reshape(-1), kind="stable")
    rank = np.empty(side * side, np.int64)
    rank[order] = np.arange(side * side)
    share = rank.reshape(side, side, 1) / (side * side)
    plain = blurred(square)
    levels = np.arange(STEPS + 1) / STEPS
    deleted = [np.where(share < level, plain, square) for level in levels]
    inserted = [np.where(share < level, square, plain) for level in levels]
    logits = logits_of(predictor, np.stack(deleted + inserted), patient=patient)
    curves = (1 / (1 + np.exp(-logits))).reshape(2, -1)
    deletion, insertion = (float(np.trapezoid(curve, levels)) for curve in curves)
    return deletion, insertion


def likeness(heat: Map, of_shuffled: Map) -> float:
    """Return the rank correlation of a map with the map of shuffled weights: −1 to 1.

    Adebayo et al. 2018 (arXiv:1810.03292): a map that stays the same when the weights are
    shuffled does not show what was learnt. 0 where only the map of shuffled weights is
    constant: nothing is left of `heat`. NaN where `heat` itself is constant. What differs
    by rounding alone counts as constant.
    """
    from scipy.stats import rankdata  # takes a second to import

    step = 1 if is_flat(heat[::4, ::4]) else 4
    first, second = heat[::step, ::step], of_shuffled[::step, ::step]
    if is_flat(first):
        return math.nan
    if is_flat(second):
        return 0.0
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def is_flat(heat: Map) -> bool:
    """Tell whether a map is the same everywhere, but for rounding."""
    return bool(np.ptp(heat) <= _FLAT * np.abs(heat).max())


def says_nothing(heat: Map, alike: float) -> bool:
    """Tell whether a map shows nothing: it is constant, or fails the sanity check.

    It fails where `alike`, the result of `likeness`, is `ALIKE` or more.
    """
    return is_flat(heat) or alike >= ALIKE
