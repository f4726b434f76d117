"""Sets of diagnoses that hold the right one as often as asked (Angelopoulos & Bates 2021).

doi:10.1561/2200000101. What is guaranteed is an average over groups like those that set
the threshold, where each group counts once; nothing is said of another clinic's images.
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
    """Thresholds of the probability from which a class is in the set."""

    least: FloatArray
    """One a class, (K,). 0 where a class had too few groups: always in the set."""
    missed: float
    """Share of the sets that may lack the right class."""

    def sets(self, probabilities: FloatArray) -> NDArray[np.bool_]:
        """Return which classes are in the set of each image, (N, K)."""
        return np.asarray(probabilities >= self.least)


def fit_conformal(
    probabilities: FloatArray,
    truth: IntArray,
    group: Sequence[str],
    *,
    missed: float = 0.1,
    by_class: bool = True,
) -> Conformal:
    """Return the thresholds, from images that the network did not learn from.

    `probabilities` are (N, K), `truth` the right class of each, (N,). By class (Mondrian)
    each class is in its sets as often as asked; else all classes share one threshold. A
    group counts once, its images sharing its weight (Dunn et al. 2022,
    doi:10.1080/01621459.2022.2060112), because those of one patient are no further proof.

    Raises `ConfigError` for a share outside 0–1, `DatasetError` without an image, or
    where a probability is missing.
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
    """Return the share of sets with the right class, each group once, and their mean size.

    NaN without an image.
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
    """Return the probability below which at most the share `missed` of groups lie."""
    if not len(own):
        return 0.0
    weights = _once(group)
    total = float(weights.sum())
    order = np.argsort(own, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])[:-1]])
    # One more group is to come: of total + 1, the share `missed` may lie below.
    allowed = np.flatnonzero(below + 1 <= missed * (total + 1) + 1e-9)
    return float(own[order[allowed[-1]]]) if len(allowed) else 0.0


def _once(group: NDArray[np.str_]) -> FloatArray:
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[place], np.float64)
