"""Operating points: sensitivity, specificity and predictive values at a threshold.

An image with `score >= threshold` is called melanoma. A share of no images (0 / 0) is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.shares import mean_of_shares, share_of


@dataclass(frozen=True)
class Confusion:
    """Numbers of true and false positives (`tp`, `fp`) and negatives (`tn`, `fn`)."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def sensitivity(self) -> float:
        """The share of melanomas that are called melanoma."""
        return share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """The share of non-melanoma images that are not called melanoma."""
        return share(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        """The share of images called melanoma that are melanoma; depends on prevalence."""
        return share(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        """The share of images not called melanoma that are not melanoma."""
        return share(self.tn, self.tn + self.fn)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of sensitivity and specificity."""
        return (self.sensitivity + self.specificity) / 2


def confusion(truth: BoolArray, score: FloatArray, *, threshold: float) -> Confusion:
    """Count true and false calls at `threshold`; a score equal to it is called melanoma."""
    called = score >= threshold
    return Confusion(
        tp=int(np.count_nonzero(truth & called)),
        fp=int(np.count_nonzero(~truth & called)),
        tn=int(np.count_nonzero(~truth & ~called)),
        fn=int(np.count_nonzero(truth & ~called)),
    )


def threshold_at_sensitivity(
    truth: BoolArray, score: FloatArray, *, sensitivity: float = 0.95
) -> float:
    """Return the highest threshold at which the sensitivity is at least `sensitivity`.

    It is the score of a melanoma, and NaN where there is none.
    """
    melanomas = np.sort(score[truth])[::-1]
    if not len(melanomas):
        return math.nan
    return float(melanomas[max(int(needed(len(melanomas), sensitivity)), 1) - 1])


@dataclass(frozen=True)
class CallsByGroup:
    """Right and wrong calls at a threshold, counted in each group: (groups,) each.

    They are named as those of `Confusion`.
    """

    tn: IntArray
    fn: IntArray
    fp: IntArray
    tp: IntArray

    @classmethod
    def of(
        cls, truth: BoolArray, probability: FloatArray, groups: IntArray, threshold: float
    ) -> CallsByGroup:
        """Count the calls; a probability equal to `threshold` is called melanoma."""
        size = int(groups.max(initial=-1)) + 1
        kind = np.where(probability >= threshold, 2, 0) + truth
        counts = np.bincount(kind * size + groups, minlength=4 * size)
        return cls(*counts.reshape(4, size))

    @cached_property
    def sensitivity(self) -> Interval:
        """The share of melanomas that are called melanoma; NaN where there is none."""
        return share_of(self.tp, self.tp + self.fn)

    @cached_property
    def specificity(self) -> Interval:
        """The share of other images that are not called melanoma, likewise."""
        return share_of(self.tn, self.tn + self.fp)

    @cached_property
    def ppv(self) -> Interval:
        """The share of images called melanoma that are melanoma, likewise."""
        return share_of(self.tp, self.tp + self.fp)

    @cached_property
    def npv(self) -> Interval:
        """The share of images not called melanoma that are not melanoma, likewise."""
        return share_of(self.tn, self.tn + self.fn)

    @cached_property
    def balanced_accuracy(self) -> Interval:
        """The mean of sensitivity and specificity."""
        return mean_of_shares(self.sensitivity, self.specificity)


def at_threshold(
    truth: BoolArray, probability: FloatArray, groups: IntArray, *, threshold: float
) -> dict[str, Interval]:
    """Sensitivity, specificity, PPV, NPV and balanced accuracy at a threshold.

    `truth`, `probability` and `groups` are (N,), groups counting from 0. The intervals
    take groups as independent (see `lentigo.evaluation.shares`) and the threshold as given,
    not as chosen on these images. A share of no images is NaN; all five are NaN where
    `threshold` is NaN.
    """
    names = ("sensitivity", "specificity", "ppv", "npv", "balanced_accuracy")
    if math.isnan(threshold):
        return {name: Interval(math.nan) for name in names}
    counted = CallsByGroup.of(truth, probability, groups, threshold)
    return {name: getattr(counted, name) for name in names}


def needed(melanomas: float, sensitivity: float) -> float:
    """Return how many of `melanomas` must be called to reach `sensitivity`, rounded up."""
    # In floats 0.95 * 140 is slightly more than 133; without the margin 134 would result.
    return math.ceil(melanomas * sensitivity - 1e-9 * max(melanomas, 1))


def wilson_interval(hits: int, of: int, *, confidence: float = 0.95) -> Interval:
    """The share `hits / of` with Wilson's interval (1927), valid for small counts too.

    The counted items are taken as independent. NaN where `of` is 0.
    """
    if not of:
        return Interval(math.nan)
    z = float(ndtri(0.5 + confidence / 2))
    part = hits / of
    centre = (part + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z * math.sqrt(part * (1 - part) / of + z**2 / (4 * of**2)) / (1 + z**2 / of)
    return Interval(part, max(centre - half, 0.0), min(centre + half, 1.0))


def share(part: float, whole: float) -> float:
    """Return `part / whole`, and NaN where `whole` is 0."""
    return part / whole if whole else math.nan
