"""The result of a reader study, as text (`as_text`) and as data (`as_dict`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lentigo.evaluation.contest_result import chance
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.readers.mrmc import Factorial, MeanOfReaders
from lentigo.evaluation.result import decimal, ends, foot
from lentigo.notice import NOTICE
from lentigo.visible import visible
from lentigo.words import aligned, counted

NAMES = {
    "auc": "AUC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "sensitivity_at_specificity": "sensitivity at each reader's specificity",
}


@dataclass(frozen=True, kw_only=True)
class OneReader:
    """The metrics of one reader, or of the majority of readers, under one condition."""

    name: str
    """Name of the reader, or the words for the majority."""
    n_images: int
    n_melanomas: int
    sensitivity: Interval
    """Sensitivity of the calls; NaN without calls, as `specificity` is."""
    specificity: Interval
    auc: Interval
    """AUC of the ratings; NaN without ratings."""
    model_sensitivity: float = math.nan
    """The model's sensitivity at this reader's specificity, on the images that this reader
    called; NaN without a model."""
    difference: Interval
    """`model_sensitivity` minus the reader's sensitivity."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "sensitivity": self.sensitivity.as_dict(),
            "specificity": self.specificity.as_dict(),
            "auc": self.auc.as_dict(),
            "model_sensitivity": self.model_sensitivity,
            "difference": self.difference.as_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class ConditionResult:
    """All readers under one condition, such as with or without an aid."""

    name: str
    """Name of the condition; empty where the table has no column of conditions."""
    readers: tuple[OneReader, ...]
    majority: OneReader | None
    """The majority as one reader: it calls melanoma where at least half of the readers do.
    None with fewer than three readers."""
    means: Mapping[str, MeanOfReaders]
    """Metric → mean over readers."""
    against_model: Mapping[str, MeanOfReaders]
    """Metric → mean over readers of the difference, model minus reader."""
    fleiss_kappa: Interval
    """Agreement of the readers' calls beyond chance; likewise `gwet_ac1`, by other
    coefficients."""
    gwet_ac1: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return readers, means, comparison with the model, agreement, for JSON."""
        return {
            "name": self.name,
            "readers": [each.as_dict() for each in self.readers],
            "majority": self.majority.as_dict() if self.majority else None,
            "means": {name: each.as_dict() for name, each in self.means.items()},
            "model_less_readers": {
                name: each.as_dict() for name, each in self.against_model.items()
            },
            "fleiss_kappa": self.fleiss_kappa.as_dict(),
            "gwet_ac1": self.gwet_ac1.as_dict(),
        }


@dataclass(frozen=True)
class Contrast:
    """A comparison of all conditions by one metric, over the readers and images in all."""

    metric: str
    conditions: tuple[str, ...]
    """Names of the compared conditions."""
    n_readers: int
    n_images: int
    result: Factorial
    """The comparison of the conditions."""

    def as_dict(self) -> dict[str, Any]:
        """Return the F test, means and differences of the conditions, for JSON."""
        first, second = self.result.freedom
        return {
            "metric": self.metric,
            "n_readers": self.n_readers,
            "n_images": self.n_images,
            "f": self.result.f,
            "freedom": [first, second if math.isfinite(second) else math.nan],
            "p": self.result.p,
            "means": {
                name: mean.as_dict()
                for name, mean in zip(self.conditions, self.result.means, strict=True)
            },
            "differences": [
                {
                    "first": self.conditions[a],
                    "second": self.conditions[b],
                    **each.as_dict(),
                }
                for a, b, each in self.result.differences
            ],
        }


@dataclass(frozen=True, kw_only=True)
class ReaderStudy:
    """The result of `judge_readers`."""

    conditions: tuple[ConditionResult, ...]
    contrasts: tuple[Contrast, ...]
    model: Interval | None
    """AUC of the model on the images that were read."""
    case: tuple[BoolArray, FloatArray | None, IntArray]
    """Truth, the model's probability and the group of each image: (N,)."""
    unit: str
    """What a group is, such as "patient"."""
    repeats: int
    """Number of resamples of groups behind intervals that need them."""
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def n_melanomas(self) -> int:
        """The number of melanomas among the images that were read."""
        return int(self.case[0].sum())

    @property
    def headline(self) -> str:
        """Return a sentence with the numbers of readers, images, groups and melanomas."""
        truth, _, group = self.case
        readers = {each.name for c in self.conditions for each in c.readers}
        groups = counted(int(group.max()) + 1, self.unit)
        of = "" if self.unit == "image" else f" of {groups}"
        return (
            f"{counted(len(readers), 'reader')} on {counted(len(truth), 'image')}{of}, "
            f"{counted(self.n_melanomas, 'melanoma')} among them."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return conditions, contrasts, counts and notes for `json_files.to_json`."""
        truth, _, group = self.case
        return {
            "headline": self.headline,
            "n_images": len(truth),
            "n_melanomas": self.n_melanomas,
            "n_groups": int(group.max()) + 1,
            "unit": self.unit,
            "model_auc": self.model.as_dict() if self.model else None,
            "conditions": [each.as_dict() for each in self.conditions],
            "contrasts": [each.as_dict() for each in self.contrasts],
            "repeats": self.repeats,
            "seed": self.seed,
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    def as_text(self) -> str:
        """Return text tables: readers, means, model, agreement, contrasts of conditions."""
        lines = [self.headline]
        if self.model is not None:
            value = f"{decimal(self.model.value)} ({ends(self.model)})"
            lines.append(f"The model's AUC on these images: {value}.")
        for each in self.conditions:
            lines += ["", *_of_condition(each, model=self.model is not None)]
        for contrast in self.contrasts:
            lines += ["", *_of_contrast(contrast)]
        return "\n".join([*lines, *foot(self.notes)])


def _of_condition(found: ConditionResult, *, model: bool) -> Iterator[str]:
    if found.name:
        yield f"{visible(found.name)}:"
    people = [*found.readers, *([found.majority] if found.majority else [])]
    yield from aligned(list(_table(people)), right=(1, 2))
    yield from _mean_lines(found)
    if model and any(not math.isnan(each.model_sensitivity) for each in people):
        yield ""
        yield "The model at each reader's specificity, on the same images:"
        yield from aligned(list(_beside(found)))
    for metric, mean in found.against_model.items():
        yield f"Model less readers, mean {NAMES[metric]}: {_tested(mean)}."
    if not math.isnan(found.gwet_ac1.value):
        yield (
            f"Agreement of calls: Gwet's AC1 {_number(found.gwet_ac1)}, "
            f"Fleiss' kappa {_number(found.fleiss_kappa)}."
        )


def _table(people: list[OneReader]) -> Iterator[tuple[str, ...]]:
    shown = [
        name
        for name in ("sensitivity", "specificity", "auc")
        if any(not math.isnan(getattr(each, name).value) for each in people)
    ]
    yield ("reader", "images", "melanomas", *(NAMES[name] for name in shown))
    for each in people:
        cells = (_number(getattr(each, name)) for name in shown)
        yield (visible(each.name), f"{each.n_images:,}", f"{each.n_melanomas:,}", *cells)


def _mean_lines(found: ConditionResult) -> Iterator[str]:
    if len(found.readers) < 2:
        return
    for metric in ("auc", "sensitivity", "specificity"):
        if metric in found.means:
            mean = found.means[metric].interval
            yield f"Mean {NAMES[metric]} of readers like these: {_number(mean)}."
        elif any(not math.isnan(getattr(each, metric).value) for each in found.readers):
            yield (
                f"Mean {NAMES[metric]} of readers like these: not told: the images that "
                "all of them read hold too few melanomas or others (fewer than 2 groups)."
            )


def _beside(found: ConditionResult) -> Iterator[tuple[str, ...]]:
    yield ("", "specificity", "reader finds", "model finds", "difference", "95 % interval")
    for each in found.readers:
        yield (
            visible(each.name),
            decimal(each.specificity.value),
            decimal(each.sensitivity.value),
            decimal(each.model_sensitivity),
            decimal(each.difference.value, signed=True),
            ends(each.difference, signed=True),
        )


def _of_contrast(found: Contrast) -> Iterator[str]:
    result = found.result
    start = (
        f"{NAMES[found.metric].capitalize() if found.metric != 'auc' else 'AUC'} by "
        f"condition, {counted(found.n_readers, 'reader')} and "
        f"{counted(found.n_images, 'image')} in all of them"
    )
    if math.isnan(result.p):
        yield f"{start}, without a test:"
    else:
        yield (
            f"{start}: F {result.f:.3f} on {result.freedom[0]:g} and "
            f"{result.freedom[1]:.1f} degrees of freedom, p {chance(result.p)}."
        )
    for a, b, each in result.differences:
        first, second = visible(found.conditions[a]), visible(found.conditions[b])
        tested = "" if math.isnan(each.p) else f", p {chance(each.p)}"
        yield f"  {first} - {second}: {_signed(each)}{tested}"


def _tested(mean: MeanOfReaders) -> str:
    if math.isnan(mean.p):
        return _signed(mean)
    return f"{_signed(mean)}, p {chance(mean.p)} (random readers and images)"


def _number(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "-"
    return f"{decimal(interval.value)} ({ends(interval)})"


def _signed(mean: MeanOfReaders) -> str:
    interval = mean.interval
    return f"{decimal(interval.value, signed=True)} ({ends(interval, signed=True)})"
