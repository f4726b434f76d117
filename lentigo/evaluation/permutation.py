"""A permutation test of whether two models have equal AUCs; it needs no variance formula.

If two models rank equally well, it is chance which of them gave which scores to a patient.
So the scores, as ranks among all images, are exchanged between the models patient by
patient, and the difference of the two AUCs is compared with those after many random
exchanges (Bandos, Rockette & Gur 2005, doi:10.1002/sim.2149, who exchange image by image).
"""

from __future__ import annotations

import math

import numpy as np

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray


def permutation_p(
    truth: BoolArray,
    a: FloatArray,
    b: FloatArray,
    group: IntArray,
    *,
    repeats: int = 2000,
    seed: int = 0,
) -> float:
    """Return the two-sided p-value of equal AUCs of the scores `a` and `b`.

    All inputs are (N,); `group` counts from 0. The scores of a group are exchanged
    together, in `repeats` random exchanges. The p-value is at least 1 / (repeats + 1),
    since the observed difference counts as one of them. NaN where a class is absent or a
    score is NaN.
    """
    if truth.all() or not truth.any() or np.isnan(a).any() or np.isnan(b).any():
        return math.nan
    exchanged = _Exchanged(truth, a, b)
    seen = abs(exchanged.difference(np.zeros(len(truth), bool)))
    rng = np.random.default_rng(seed)
    as_far = 0
    for _ in range(repeats):
        flips = rng.integers(2, size=int(group.max()) + 1).astype(bool)
        # A difference that is equal up to rounding counts as at least as large.
        as_far += abs(exchanged.difference(flips[group])) >= seen - 1e-12
    return (1 + as_far) / (1 + repeats)


class _Exchanged:
    """The ranks of both models, sorted together once; an exchange needs no sorting."""

    def __init__(self, truth: BoolArray, a: FloatArray, b: FloatArray) -> None:
        from scipy.stats import rankdata  # doubles the time to import evaluation

        ranks = np.concatenate([rankdata(a), rankdata(b)])
        order = np.argsort(ranks, kind="stable")
        self._image = order % len(truth)
        self._of_b = order >= len(truth)
        self._melanoma = np.flatnonzero(truth[self._image])
        self._other = ~truth[self._image]
        ranked = ranks[order]
        mine = ranked[self._melanoma]
        self._from = np.searchsorted(ranked, mine, "left")
        self._to = np.searchsorted(ranked, mine, "right")
        self._pairs = int(truth.sum()) * int((~truth).sum())

    def difference(self, flipped: BoolArray) -> float:
        """Return AUC of the first minus AUC of the second, after exchanging some images.

        `flipped`, (N,), is True for an image whose two ranks are exchanged.
        """
        first = self._of_b == flipped[self._image]
        return self._auc(first) - self._auc(~first)

    def _auc(self, taken: BoolArray) -> float:
        others = np.concatenate([[0], np.cumsum(self._other & taken)])
        below = others[self._from] + others[self._to]
        return float(below[taken[self._melanoma]].sum()) / (2 * self._pairs)


def holm(p: FloatArray) -> FloatArray:
    """Adjust p-values, (K,), for their number (Holm 1979); NaN stays and does not count.

    The chance to reject any true null hypothesis is then at most the level of one test.
    https://www.jstor.org/stable/4615733
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    times = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(times * p[order]), 1.0)
    return adjusted
