"""Conformal prediction sets: sets of diagnoses that hold the right one as often as asked.

After Angelopoulos & Bates 2021 (doi:10.1561/2200000101). The guarantee is an average over
groups like those the threshold was set on, where each group counts once; it does not hold
for images of another clinic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError, DatasetError
from lentigo.words import counted, verb

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Conformal:
    """Thresholds: a class is in an image's set if its probability reaches its threshold."""

    least: FloatArray
    """The threshold of each of the K classes, (K,). It is 0 for a class with too few
    groups, which is thus always in the set."""
    missed: float
    """The wished share of sets that lack the right class, such as 0.1."""

    def sets(self, probabilities: FloatArray) -> NDArray[np.bool_]:
        """Return which of the K classes are in the set of each of N images: (N, K) bool.

        `probabilities` are (N, K).
        """
        return np.asarray(probabilities >= self.least)


def fit_conformal(
    probabilities: FloatArray,
    truth: IntArray,
    group: Sequence[str],
    *,
    missed: float = 0.1,
    by_class: bool = True,
) -> Conformal:
    """Compute the thresholds from images that the network was not trained on.

    `probabilities` are (N, K), `truth` the index of the right class of each image, (N,).
    With `by_class` (Mondrian) each class has a threshold of its own, and at least 1 −
    `missed` of the images of each class have the right class in their set, on average;
    otherwise all classes share one threshold, and this holds for all images together. A
    group counts once, its images sharing its weight (Dunn et al. 2022,
    doi:10.1080/01621459.2022.2060112), because images of one patient are not independent.

    Raises `ConfigError` when `missed` is not between 0 and 1, `DatasetError` when there is
    no image or a probability is NaN.
    """
    if not 0 < missed < 1:
        raise ConfigError(f"missed is {missed}; give a share between 0 and 1.")
    if not len(truth):
        raise DatasetError("There is no image to set the sets of diagnoses on.")
    own = probabilities[np.arange(len(truth)), truth]
    if missing := int(np.isnan(probabilities).any(axis=1).sum()):
        raise DatasetError(
            f"{counted(missing, 'image')} {verb(missing, 'lacks', 'lack')} a probability; "
            "leave them out."
        )
    names = np.asarray(group)
    count = probabilities.shape[1]
    if not by_class:
        return Conformal(np.full(count, _least(own, names, missed)), missed)
    least = [
        _least(own[truth == each], names[truth == each], missed) for each in range(count)
    ]
    return Conformal(np.array(least), missed)


def coverage(
    sets: NDArray[np.bool_], truth: IntArray, group: Sequence[str]
) -> tuple[float, float]:
    """Return the share of sets that hold the right class, and the mean size of the sets.

    `sets` are (N, K) bool, `truth` and `group` (N,). Each group counts once in both means.
    Both are NaN without images.
    """
    if not len(truth):
        return float("nan"), float("nan")
    weights = _once(np.asarray(group))
    found = sets[np.arange(len(truth)), truth]
    return (
        float(np.average(found, weights=weights)),
        float(np.average(sets.sum(axis=1), weights=weights)),
    )


def _least(own: FloatArray, group: NDArray[np.str_], missed: float) -> float:
    """Return the highest threshold below which at most the share `missed` of groups lies.

    One future group counts as below. `own`, the probability of the right class, and `group`
    are (M,), for M images. The result is 0 where there are too few groups.
    """
    if not len(own):
        return 0.0
    weights = _once(group)
    total = float(weights.sum())
    order = np.argsort(own, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])[:-1]])
    # With the future group there are total + 1; the share `missed` of them may lie below.
    allowed = np.flatnonzero(below + 1 <= missed * (total + 1) + 1e-9)
    return float(own[order[allowed[-1]]]) if len(allowed) else 0.0


def _once(group: NDArray[np.str_]) -> FloatArray:
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[place], np.float64)
