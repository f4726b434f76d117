"""Patient context: a lesion's logit beside those of the same patient's other lesions.

Moles of one person resemble each other, and a melanoma often looks like none of them (Grob
& Bonerandi 1998, doi:10.1001/archderm.134.1.103-a). Soenksen et al. 2021
(doi:10.1126/scitranslmed.abb3652) rank a patient's lesions by their difference from the
others. Here the difference is that of the logits, so that it needs nothing that a
prediction does not have. Only NumPy is used; the order of the images does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lentigo.models.facts import Count, Fact, Text

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

HALF = 3.0
"""Number of other lesions at which the context has half of its full weight."""
FARTHEST = 5.0
"""Highest difference that counts, in standard deviations."""
LARGEST = 20.0
"""Logits are clipped to ± this value before they are compared."""

_Weight = Annotated[float, Field(ge=-100, le=100)]


@dataclass(frozen=True)
class People:
    """The patient and the lesion of each of N images, as numbers, (N,) each."""

    patient: IntArray
    """-1 where the patient is not known; such an image has no context."""
    lesion: IntArray
    """Images with the same number show the same lesion."""

    def part(self, rows: NDArray[np.intp]) -> People:
        """Return the patients and lesions of the images at the positions `rows`."""
        return People(self.patient[rows], self.lesion[rows])

    def without(self, rows: NDArray[np.bool_]) -> People:
        """Return the same images; those marked in `rows`, (N,), are of unknown patients."""
        return People(np.where(rows, -1, self.patient), self.lesion)


@dataclass(frozen=True)
class Others:
    """The other lesions of the patient of each of N images, (N,) each."""

    count: IntArray
    """Number of the patient's other lesions with a finite logit."""
    mean: FloatArray
    """Mean of their logits; 0 without any. Images of one lesion count as their mean."""
    variance: FloatArray
    """Mean squared deviation from `mean`; 0 without any."""

    def part(self, rows: NDArray[np.intp]) -> Others:
        """Return the other lesions beside the images at the positions `rows`."""
        return Others(self.count[rows], self.mean[rows], self.variance[rows])


def others_of(logits: FloatArray, people: People) -> Others:
    """Return the other lesions beside each of N images with the given logits, (N,)."""
    held = np.clip(logits, -LARGEST, LARGEST)
    known = np.isfinite(held) & (people.patient >= 0)
    count, mean, variance = (np.zeros(len(held)) for _ in range(3))
    if known.any():
        rows = np.flatnonzero(known)
        lesion = np.unique(people.lesion[rows], return_inverse=True)[1]
        own, patient = _lesion_means(held[rows], lesion, people.patient[rows])
        found = _without_own(own, np.unique(patient, return_inverse=True)[1])
        for whole, each in zip((count, mean, variance), found, strict=True):
            whole[rows] = each[lesion]
    return Others(count.astype(np.intp), mean, variance)


def _lesion_means(
    logits: FloatArray, lesion: IntArray, patient: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return the mean logit and the patient of each lesion."""
    mean = _sums(logits, lesion, logits) / np.bincount(lesion)
    whose = np.empty(len(mean), dtype=np.intp)
    whose[lesion] = patient
    return mean, whose


def _without_own(
    values: FloatArray, patient: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return number, mean and variance of the patient's other lesions, for each lesion."""
    size = np.bincount(patient)
    centre = (_sums(values, patient, values) / size)[patient]
    count = (size[patient] - 1).astype(np.float64)
    some = np.maximum(count, 1.0)
    away = values - centre  # the deviations of all lesions of a patient sum to 0
    mean = np.where(count > 0, centre - away / some, 0.0)
    squares = _sums(away**2, patient, values)[patient] - away**2
    variance = np.where(count > 0, squares / some - (away / some) ** 2, 0.0)
    return count, mean, np.maximum(variance, 0.0)


def _sums(values: FloatArray, group: IntArray, by: FloatArray) -> FloatArray:
    """Sum `values` by group in the order of `by`, so that the rows may have any order."""
    order = np.lexsort((by, group))
    return np.asarray(np.bincount(group[order], values[order]), dtype=np.float64)


class Context(Fact):
    """A logistic model of a lesion beside the same patient's others, added to the logit.

    With m other lesions the correction is m / (m + 3) times a sum of three terms: a
    constant, the difference between the lesion's logit and the mean of the others, and that
    difference in standard deviations. Without others it is exactly 0. The bounds of the
    weights keep the order of a patient's lesions as it is, for logits that are corrected
    together: one a lesion, by one context. Photographs of one lesion stand beside the mean
    of the other lesions, so that two photographs of two lesions may change places, and so
    may two lesions in the mean of several contexts.
    """

    level: _Weight = 0.0
    """Added to the logit because a patient's other lesions are known at all."""
    difference: Annotated[float, Field(ge=-1, le=100)] = 0.0
    """Weight of the difference in logits, of which ± 5 times `usual` is the most that
    counts. Below 0, a lesion beside suspicious ones is more
    suspicious itself."""
    oddness: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Weight of the standardised difference, which is clipped to ± 5."""
    usual: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    """Standard deviation of the logits of a patient's lesions, over all patients; that of
    the patient is shrunk towards it, as if it were that of three further lesions."""
    members: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of networks whose mean logit is corrected."""
    fitted_on: Text = ""
    """Images of the fit, such as "validation images"."""
    n_images: Count = 0
    """Number of images of the fit with another lesion of the patient beside them."""
    n_melanomas: Count = 0
    n_groups: Count = 0

    @property
    def is_used(self) -> bool:
        """Tell whether it changes any logit."""
        return any((self.level, self.difference, self.oddness))

    def apply(self, logits: FloatArray, people: People) -> FloatArray:
        """Return N calibrated logits, (N,), with what the patients' other lesions add."""
        trust, apart, odd = inputs_of(logits, others_of(logits, people), self.usual).T
        # Term by term: a matrix product may round otherwise where there are more images.
        added = self.level * trust + self.difference * apart + self.oddness * odd
        return np.asarray(np.where(np.isfinite(logits), logits + added, logits))


def inputs_of(logits: FloatArray, others: Others, usual: float) -> FloatArray:
    """Return the three inputs of `Context` for N images, (N, 3); 0 without others."""
    trust = others.count / (others.count + HALF)
    held = np.nan_to_num(np.clip(logits, -LARGEST, LARGEST))
    apart = np.where(others.count > 0, held - others.mean, 0.0)
    spread = np.sqrt(trust * others.variance + (1 - trust) * usual**2)
    odd = np.clip(apart / np.maximum(spread, 1e-6), -FARTHEST, FARTHEST)
    # Beyond what a fit has seen, a large weight would make a certainty of any difference.
    apart = np.clip(apart, -FARTHEST * usual, FARTHEST * usual)
    return np.stack([trust, trust * apart, trust * odd], axis=1)
