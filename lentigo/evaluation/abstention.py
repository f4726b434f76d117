"""Risk-coverage curves: the gain of abstaining, with intervals that resample groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import DatasetError
from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.intervals import draws

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
    """95 % percentile interval of the risk, from resampling whole groups."""
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
    refused: tuple[float, float, float]
    """Share of the images that are not answered: (value, low, high)."""
    auc_all: float
    auc_answered: float
    """`auc_all`: AUC among all images. `auc_answered`: AUC among the answered images."""
    gain: tuple[float, float, float]
    """`auc_answered` − `auc_all`: (value, low, high)."""


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
    risk is the Brier score, which needs no threshold.

    Raises `DatasetError` when a probability or an out-of-distribution score is NaN.
    """
    _check_known(probability, strangeness)
    order = np.argsort(strangeness, kind="stable")
    loss = (probability - truth)[order] ** 2
    groups = np.unique(np.asarray(group), return_inverse=True)[1][order]
    ones = np.ones(len(loss))
    drawn = [
        _at_coverages(loss, weights[groups])
        for weights in draws(int(groups.max()) + 1, repeats=_REPEATS, seed=seed)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    risk = _at_coverages(loss, ones)
    means = np.mean(drawn, axis=1)
    area = (float(risk.mean()), *map(float, np.nanquantile(means, [0.025, 0.975])))
    return RiskCoverage(np.array(COVERAGES), risk, low, high, (area[0], area[1], area[2]))


def kept(
    truth: BoolArray,
    probability: FloatArray,
    refused: BoolArray,
    group: Sequence[str],
    *,
    seed: int = 0,
) -> Kept:
    """Return the AUC with and without the images that a model does not answer.

    All inputs are (N,); `refused` is True for an image that is not answered. Intervals are
    percentiles over 200 resamples of whole groups. NaN where a class is missing.
    """
    groups = np.unique(np.asarray(group), return_inverse=True)[1]
    places = [np.flatnonzero(groups == each) for each in range(int(groups.max()) + 1)]
    rng = np.random.default_rng(seed)
    shares, gains = [], []
    for _ in range(_REPEATS // 5):
        rows = np.concatenate(
            [places[each] for each in rng.integers(len(places), size=len(places))]
        )
        shares.append(refused[rows].mean())
        gains.append(_gain(truth[rows], probability[rows], refused[rows]))
    whole, answered = auc(truth, probability), auc(truth[~refused], probability[~refused])
    low, high = _bounds(shares)
    down, up = _bounds(gains)
    return Kept(
        n_images=len(truth),
        refused=(float(refused.mean()), float(low), float(high)),
        auc_all=float(whole),
        auc_answered=float(answered),
        gain=(float(answered - whole), float(down), float(up)),
    )


def _gain(truth: BoolArray, probability: FloatArray, refused: BoolArray) -> float:
    return float(auc(truth[~refused], probability[~refused]) - auc(truth, probability))


def _check_known(*given: FloatArray) -> None:
    missing = sum(int(np.isnan(each).sum()) for each in given)
    if missing:
        raise DatasetError(
            f"{missing:,} probabilities or numbers of strangeness are missing. Predict "
            "with --no-abstain, by a model with an index."
        )


def _bounds(drawn: Sequence[float]) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of `drawn` without NaN; NaN if all are NaN."""
    known = np.array(drawn)[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _at_coverages(loss: FloatArray, weights: FloatArray) -> FloatArray:
    """Return, for each share in `COVERAGES`, the mean loss of that share of the images.

    They are the first of the N images, which are sorted by out-of-distribution score,
    ascending. `loss` and `weights`, how often an image counts, are (N,).
    """
    total, sums = np.cumsum(weights), np.cumsum(loss * weights)
    places = np.searchsorted(total, np.array(COVERAGES) * total[-1] - 1e-9)
    return np.asarray(sums[places] / np.maximum(total[places], 1))
