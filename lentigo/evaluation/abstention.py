"""Risk-coverage curves: the gain of abstaining, with intervals that resample groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from lentigo.errors import DatasetError
from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import ROUNDING, Interval, draws
from lentigo.evaluation.shares import clustered_share

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

COVERAGES = tuple(share / 20 for share in range(1, 21))
"""Shares of answered images (0.05, 0.10, …, 1) at which the risk is computed."""
_REPEATS = 1000


@dataclass(frozen=True)
class RiskCoverage:
    """The Brier score of the answered images, by the share of images that are answered.

    The images with the lowest out-of-distribution scores are answered first. The arrays
    are (C,), one entry for each of the C `COVERAGES`.
    """

    coverage: FloatArray
    """Share of the images that are answered."""
    risk: FloatArray
    """Brier score of the answered images."""
    low: FloatArray
    high: FloatArray
    """95 % percentile interval of the risk, from resampling whole groups; NaN where there
    are fewer than `FEWEST` of them, which show too little of their spread."""
    area: tuple[float, float, float]
    """Mean risk over the coverages (AURC) and its 95 % interval: (value, low, high)."""

    def as_dict(self) -> dict[str, list[float]]:
        """Return the fields by name as lists of numbers, for JSON."""
        columns = ("coverage", "risk", "low", "high")
        found = {name: getattr(self, name).tolist() for name in columns}
        return {**found, "area": list(self.area)}


@dataclass(frozen=True)
class Kept:
    """The effect of a model's abstention rule on the share answered and on the AUC."""

    n_images: int
    refused: Interval
    """Share of the images that are not answered."""
    auc_all: float
    auc_answered: float
    """`auc_all`: AUC among all images. `auc_answered`: AUC among the answered images."""
    gain: Interval
    """`auc_answered` − `auc_all`; always rough."""


def risk_coverage(
    truth: BoolArray,
    probability: FloatArray,
    strangeness: FloatArray,
    group: Sequence[str],
    *,
    seed: int = 0,
) -> RiskCoverage:
    """Return the risk-coverage curve (El-Yaniv & Wiener 2010).

    All inputs are (N,): the label, the probability of melanoma, the out-of-distribution
    score (`strangeness`, higher is further from the training images) and the group. The
    risk is the Brier score, which needs no threshold. Images of one out-of-distribution
    score count with their mean loss, since none of them is answered before another.

    Raises `DatasetError` when a probability or an out-of-distribution score is NaN.
    """
    _check_known(probability, strangeness)
    order = np.argsort(strangeness, kind="stable")
    loss = (probability - truth)[order] ** 2
    ties = np.unique(strangeness[order], return_inverse=True)[1]
    groups = np.unique(np.asarray(group), return_inverse=True)[1][order]
    risk = _at_coverages(loss, np.ones(len(loss)), ties)
    count = int(groups.max()) + 1
    low, high, ends = np.full_like(risk, np.nan), np.full_like(risk, np.nan), [np.nan] * 2
    if count >= FEWEST:
        drawn = [
            _at_coverages(loss, weights[groups], ties)
            for weights in draws(count, repeats=_REPEATS, seed=seed)
        ]
        low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
        ends = np.nanquantile(np.mean(drawn, axis=1), [0.025, 0.975]).tolist()
    area = (float(risk.mean()), ends[0], ends[1])
    return RiskCoverage(np.array(COVERAGES), risk, low, high, area)


def kept(
    truth: BoolArray,
    probability: FloatArray,
    refused: BoolArray,
    group: Sequence[str],
    *,
    seed: int = 0,
) -> Kept:
    """Return the AUC with and without the images that a model does not answer.

    All inputs are (N,); `refused` is True for an image that is not answered. The gain has
    Student's t with the standard deviation of 200 resamples of whole groups, in each of
    which both AUCs are computed, and the groups of the rarer class as its degrees of
    freedom; it is always rough. NaN where a class is missing.
    """
    groups = np.unique(np.asarray(group), return_inverse=True)[1]
    places = [np.flatnonzero(groups == each) for each in range(int(groups.max()) + 1)]
    rng = np.random.default_rng(seed)
    gains = []
    for _ in range(_REPEATS // 5):
        rows = np.concatenate(
            [places[each] for each in rng.integers(len(places), size=len(places))]
        )
        gains.append(_gain(truth[rows], probability[rows], refused[rows]))
    whole, answered = auc(truth, probability), auc(truth[~refused], probability[~refused])
    freedom = min(len(np.unique(groups[side])) for side in (truth, ~truth)) - 1
    return Kept(
        n_images=len(truth),
        refused=clustered_share(refused, groups),
        auc_all=float(whole),
        auc_answered=float(answered),
        gain=_with_spread(float(answered - whole), np.array(gains), freedom),
    )


def _with_spread(value: float, drawn: FloatArray, freedom: int) -> Interval:
    """Return a difference of AUC with Student's t, from its values in resamples, (R,)."""
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or len(known) < 2 or not known.std() > ROUNDING:
        return Interval(value)
    half = float(stdtrit(max(freedom, 1), 0.975) * known.std())
    return Interval(value, max(value - half, -1.0), min(value + half, 1.0), rough=True)


def _gain(truth: BoolArray, probability: FloatArray, refused: BoolArray) -> float:
    return float(auc(truth[~refused], probability[~refused]) - auc(truth, probability))


def _check_known(*given: FloatArray) -> None:
    missing = sum(int(np.isnan(each).sum()) for each in given)
    if missing:
        raise DatasetError(
            f"{missing:,} probabilities or numbers of strangeness are missing. Predict "
            "with --no-abstain, by a model with an index."
        )


def _at_coverages(
    loss: FloatArray, weights: FloatArray, ties: NDArray[np.intp]
) -> FloatArray:
    """Return, for each share in `COVERAGES`, the mean loss of that share of the images.

    They are the first of the N images, which are sorted by out-of-distribution score,
    ascending; those of one number of `ties` have one score and count with their mean loss.
    `loss`, `weights`, how often an image counts, and `ties` are (N,).
    """
    losses = loss * weights
    if ties[-1] < len(loss) - 1:
        mean = np.bincount(ties, losses) / np.maximum(np.bincount(ties, weights), 1)
        losses = mean[ties] * weights
    total, sums = np.cumsum(weights), np.cumsum(losses)
    places = np.searchsorted(total, np.array(COVERAGES) * total[-1] - 1e-9)
    return np.asarray(sums[places] / np.maximum(total[places], 1))
