"""Risk by coverage: the gain of not answering, with whole groups resampled."""

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
"""Shares of the images that are answered, at which the risk is told."""
_REPEATS = 1000


@dataclass(frozen=True)
class RiskCoverage:
    """The Brier score of the least strange images, by how many of them are answered."""

    coverage: FloatArray
    """Share of the images that are answered, (C,)."""
    risk: FloatArray
    """Brier score of those, (C,)."""
    low: FloatArray
    high: FloatArray
    """95 % interval of the risk, (C,): percentiles, whole groups resampled."""
    area: tuple[float, float, float]
    """Mean risk over the coverages with its interval: value, low, high (AURC)."""

    def as_dict(self) -> dict[str, list[float]]:
        """Return the numbers, ready for JSON."""
        columns = ("coverage", "risk", "low", "high")
        found = {name: getattr(self, name).tolist() for name in columns}
        return {**found, "area": list(self.area)}


@dataclass(frozen=True)
class Kept:
    """The effect of a model's limit of abstention on judged images."""

    n_images: int
    refused: tuple[float, float, float]
    """Share of the images that are not answered, low, high."""
    auc_all: float
    auc_answered: float
    """AUC of melanoma among all images, and among those that are answered."""
    gain: tuple[float, float, float]
    """The second minus the first, low, high."""


def risk_coverage(
    truth: BoolArray,
    probability: FloatArray,
    strangeness: FloatArray,
    group: Sequence[str],
    *,
    seed: int = 0,
) -> RiskCoverage:
    """Return the risk of answering only the least strange images (El-Yaniv & Wiener 2010).

    All are (N,): the label, the probability of melanoma, how strange an image is, and its
    group. The risk is the Brier score, which needs no threshold.

    Raises `DatasetError` where one of them is missing.
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
    """Return AUC with and without the images that a model does not answer, all (N,).

    Intervals are percentiles over resampled groups. NaN where a class is missing.
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
    """Return the bounds of what the resamples gave; NaN where none gave a number."""
    known = np.array(drawn)[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _at_coverages(loss: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the mean loss of the first shares of the images, which are in order."""
    total, sums = np.cumsum(weights), np.cumsum(loss * weights)
    places = np.searchsorted(total, np.array(COVERAGES) * total[-1] - 1e-9)
    return np.asarray(sums[places] / np.maximum(total[places], 1))
