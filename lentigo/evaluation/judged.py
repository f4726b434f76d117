"""Input of a metric: the scored images, the threshold and the diagnoses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lentigo.evaluation.chosen import chosen_at_sensitivity
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.multiclass import Diagnoses
from lentigo.evaluation.operating_points import CallsByGroup
from lentigo.evaluation.sums import Calls, Sample


@dataclass(frozen=True)
class Judged:
    """Scored images, the threshold of `evaluate`, and the diagnoses (None if not known)."""

    sample: Sample
    threshold: float
    """Probability from which melanoma is called."""
    diagnoses: Diagnoses | None = None

    @property
    def truth(self) -> BoolArray:
        """Whether each image is a melanoma: (N,)."""
        return self.sample.truth

    @property
    def score(self) -> FloatArray:
        """The probability of each image, in 0–1: (N,)."""
        return self.sample.score

    @property
    def group(self) -> IntArray:
        """The group of each image, counting from 0: (N,)."""
        return self.sample.group

    @cached_property
    def calls(self) -> CallsByGroup:
        """Sensitivity, specificity, PPV, NPV and balanced accuracy at the threshold."""
        return CallsByGroup.of(self.truth, self.score, self.group, self.threshold)

    @cached_property
    def at_own_threshold(self) -> dict[str, Interval]:
        """The threshold of 95 % sensitivity on these images; its specificity, PPV, NPV."""
        return chosen_at_sensitivity(self.truth, self.score, self.group)

    def from_counts(self, name: str, formula: Callable[[Counts], FloatArray]) -> FromCounts:
        """Make the metric `name` from a formula of the four counts at the threshold.

        `formula` receives the counts of R resamples as (R,) arrays and returns (R,) values.
        The interval comes from the variance of the R values; they must be from 0 to 1.
        """
        return FromCounts(self.sample, self.threshold, name, formula)


class Counts(NamedTuple):
    """True and false positives, true and false negatives of R resamples: (R,) each."""

    tp: FloatArray
    fp: FloatArray
    tn: FloatArray
    fn: FloatArray


@dataclass(frozen=True)
class FromCounts(Calls):
    """One metric, computed by a formula from the four counts at the threshold."""

    name: str
    formula: Callable[[Counts], FloatArray]

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return the metric, (R,), from the four counts of R resamples, (R, 4)."""
        fn, tn, fp, tp = sums.T
        return {self.name: self.formula(Counts(tp=tp, fp=fp, tn=tn, fn=fn))}
