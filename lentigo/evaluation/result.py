"""The result of an evaluation, as text (`as_text`) and as data (`as_dict`)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from lentigo.evaluation.at_points import consequence_lines
from lentigo.evaluation.beside import Beside, beside_lines
from lentigo.evaluation.brier_parts import BrierParts
from lentigo.evaluation.by_diagnosis import OneDiagnosis, diagnosis_lines
from lentigo.evaluation.consequences import Consequences
from lentigo.evaluation.diagnosis_sets import DiagnosisSets
from lentigo.evaluation.difficulty import Difficulty
from lentigo.evaluation.fold_thresholds import JudgedThreshold
from lentigo.evaluation.headline import FEWEST, Counts, headline, upside_down_within
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.locking.opened import Opening
from lentigo.evaluation.mistakes import OverRepresented, mistake_lines, over_represented
from lentigo.evaluation.nested import Nested
from lentigo.evaluation.official import Official
from lentigo.evaluation.operating_points import Confusion
from lentigo.evaluation.parts import Parts
from lentigo.evaluation.prevalence import Asked, equal_threshold, in_words
from lentigo.evaluation.recalibration import Recalibration
from lentigo.evaluation.refusals import Refusals
from lentigo.evaluation.registry import (
    ON_OWN_THRESHOLD,
    on_own_threshold,
    summary_of,
)
from lentigo.evaluation.repeated import Repeats
from lentigo.evaluation.set_coverage import SetCoverage
from lentigo.evaluation.subgroups import Subgroups, sentence_on
from lentigo.notice import NOTICE
from lentigo.visible import visible
from lentigo.words import aligned, counted, some


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The metrics of predictions with their intervals, and counts of images left out."""

    metrics: Mapping[str, Interval]
    """Name in `METRICS` → value with interval; NaN where a metric is undefined."""
    n_images: int
    """Images with a probability and a label."""
    n_melanomas: int
    n_groups: int
    """Number of groups taken as independent: patients, lesions, or single images."""
    counts: Counts
    """Numbers of images judged and left out."""
    by_diagnosis: tuple[OneDiagnosis, ...] = ()
    """Each diagnosis against all others; empty if predictions have no column for each."""
    difficulty: Difficulty | None = None
    """Melanoma against each other diagnosis alone; None if the truth has no diagnoses."""
    parts: tuple[Parts, ...] = ()
    """The AUC of each fold and of each archive, where there are several."""
    repeated: Repeats | None = None
    """Each repeat of a repeated cross-validation; None for other predictions."""
    nested: Nested | None = None
    """Mean losses of a nested cross-validation; None for other predictions."""
    refusals: Refusals | None = None
    """Images that the model abstained on; None if there is no column `abstain`."""
    set_coverage: SetCoverage | None = None
    """How often the sets in `could_be` hold the right answer; None without it."""
    diagnosis_sets: DiagnosisSets | None = None
    """The same of the sets in `could_be_diagnoses`, by diagnosis; None without it."""
    subgroups: tuple[Subgroups, ...] = ()
    """The main metrics for each value of the requested columns."""
    threshold: float
    """Melanoma is called from this probability upwards."""
    repeats: int
    """Number of resamples of groups behind the intervals that need them."""
    seed: int
    prevalence: Asked | None = None
    """The shares of melanoma, if a share was requested; else None."""
    thresholds: tuple[JudgedThreshold, ...] = ()
    """The given or chosen operating points, judged on these images."""
    absent_thresholds: tuple[str, ...] = ()
    """A sentence for each operating point without a threshold, with the reason."""
    consequences: tuple[Consequences, ...] = ()
    """Consequences of each threshold: the given one, the referral risk of 3 %, and the
    operating points; at the share of melanoma of these images and at a requested share."""
    brier_parts: BrierParts | None = None
    """Miscalibration, discrimination and uncertainty, the parts of the Brier score."""
    own_calibration: Recalibration | None = None
    """Probabilities before and after the model's own calibration, if they tell both."""
    beside: tuple[Beside, ...] = ()
    """Simple comparison models on the same images, if requested."""
    official: tuple[Official, ...] = ()
    """The scores of each requested challenge as its organisers compute them."""
    opening: Opening | None = None
    """How often a locked test set was opened; None for any other truth."""
    confusion: Confusion
    """True and false positives and negatives at `threshold`."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader: guessed columns, images left out, warnings."""
    scored: pd.DataFrame = field(repr=False, compare=False)
    """The judged images: `image_id`, `melanoma`, `probability` and `group`."""

    def __getitem__(self, name: str) -> Interval:
        return self.metrics[name]

    def opened_by(self, opening: Opening) -> Evaluation:
        """Return a copy with `opening`, and notes on it and on the protocol's metrics."""
        counts = [
            f"{name} {decimal(self[name].value)} ({ends(self[name])})"
            for name in opening.protocol.metrics
            if name in self.metrics
        ]
        said = [f"Fixed to count, the primary one first: {'; '.join(counts)}."]
        notes = (*opening.sentences, *(said if counts else []), *self.notes)
        return replace(self, opening=opening, notes=notes)

    def learnt_by_model(
        self, images: Sequence[str], *, held_out: Collection[str] = ()
    ) -> Evaluation:
        """Return a copy that says which judged images the model had learnt from.

        `images` are their ids; no note tells of those in `held_out`, which were judged by
        networks that had not. The operating points count all: they are the model's.
        """
        if not images:
            return self
        told = [name for name in images if name not in held_out]
        note = (
            f"The model learnt from {counted(len(told), 'image')} of those that judge it "
            f"({some(told)}): what it finds in these is no test."
        )
        seen = f" ({len(images):,} of the judged images were learnt from)"
        notes = [note] if told else []
        points = tuple(each.also_on(seen) for each in self.thresholds)
        return replace(self, thresholds=points, notes=(*notes, *self.notes))

    def without_own_thresholds(self) -> Evaluation:
        """Return a copy without the metrics at a threshold chosen on the judged images."""
        kept = {n: m for n, m in self.metrics.items() if not on_own_threshold(n)}
        notes = tuple(note for note in self.notes if note != ON_OWN_THRESHOLD)
        return replace(self, metrics=kept, notes=notes)

    @property
    def called_from(self) -> float:
        """Return the probability, as given, from which melanoma is called.

        It is `threshold`, recalculated where a share of melanoma was asked for.
        """
        score = self.scored["probability"].to_numpy(float)
        return equal_threshold(self.threshold, self.prevalence, score)

    @property
    def called_from_in_words(self) -> str:
        """Return `called_from` in words, such as "0.896 (0.5 at 2 % melanomas)"."""
        score = self.scored["probability"].to_numpy(float)
        return in_words(self.threshold, self.prevalence, score)

    @property
    def mistakes(self) -> tuple[OverRepresented, ...]:
        """The subgroups with more missed melanomas, or more false alarms, than the rest."""
        return over_represented(self.subgroups, self.confusion)

    @property
    def headline(self) -> list[str]:
        """Return the first sentences: the images, the AUC, and images left out."""
        auc = self.metrics["auc"]
        words = decimal(auc.value)
        if not math.isnan(auc.value):
            words += f" (95 % interval {ends(auc, signed=False)})"
        said = headline(self.counts, words, high=auc.high)
        within = "" if auc.high < 0.5 else upside_down_within(self._highest())
        return [*said, *([within] if within else [])]

    def _highest(self) -> Iterator[tuple[str, float]]:
        """Yield the upper bound of the AUC of each fold, archive and subgroup.

        Those with melanomas, or other images, of too few groups (`telling`) are left out.
        """
        for parts in self.parts:
            for part in parts.parts:
                if part.fewest >= FEWEST:
                    yield f"{parts.by} {part.name}", part.auc.high
        for divided in self.subgroups:
            for group in divided.groups:
                if "auc" not in group.too_few_for:
                    yield f"{divided.by} {group.name}", group.metrics["auc"].high

    def as_dict(self) -> dict[str, Any]:
        """Return metrics and counts as plain values, ready for `json_files.to_json`."""
        return {
            "headline": self.headline,
            **{name: interval.as_dict() for name, interval in self.metrics.items()},
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "n_groups": self.n_groups,
            "unit": self.counts.unit,
            "n_melanoma_groups": self.counts.melanoma_groups,
            "n_other_groups": self.counts.other_groups,
            "n_named": self.counts.named,
            "left_out": dict(self.counts.left_out),
            "n_melanomas_left_out": self.counts.melanomas_left_out,
            **({"difficulty": self.difficulty.as_dict()} if self.difficulty else {}),
            **self._diagnoses(),
            **{f"by_{parts.by}": parts.as_dict() for parts in self.parts},
            **({"by_repeat": self.repeated.as_dict()} if self.repeated else {}),
            **({"nested": self.nested.as_dict()} if self.nested else {}),
            **({"refusals": self.refusals.as_dict()} if self.refusals else {}),
            **self._sets(),
            **self._divided(),
            "threshold": self.threshold,
            **self._at_points(),
            **({"brier_parts": self.brier_parts.as_dict()} if self.brier_parts else {}),
            **self._own_calibration(),
            **({"beside": [each.as_dict() for each in self.beside]} if self.beside else {}),
            "consequences": [each.as_dict() for each in self.consequences],
            **({"prevalence": self.prevalence.as_dict()} if self.prevalence else {}),
            **({"official": [e.as_dict() for e in self.official]} if self.official else {}),
            **({"locked": self.opening.as_dict()} if self.opening else {}),
            "repeats": self.repeats,
            "seed": self.seed,
            "confusion": asdict(self.confusion),
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    def _own_calibration(self) -> dict[str, Any]:
        found = self.own_calibration
        return {} if found is None else {"own_calibration": found.as_dict()}

    def _sets(self) -> dict[str, Any]:
        found = {"sets": self.set_coverage, "diagnosis_sets": self.diagnosis_sets}
        return {name: each.as_dict() for name, each in found.items() if each is not None}

    def _at_points(self) -> dict[str, Any]:
        if not (self.thresholds or self.absent_thresholds):
            return {}
        return {
            "operating_points": [each.as_dict() for each in self.thresholds],
            "absent_operating_points": list(self.absent_thresholds),
        }

    def _diagnoses(self) -> dict[str, Any]:
        found = [each.as_dict() for each in self.by_diagnosis]
        return {"by_diagnosis": found} if found else {}

    def _divided(self) -> dict[str, Any]:
        found = {each.by: each.as_dict() for each in self.subgroups}
        if not found:
            return {}
        return {
            "subgroups": found,
            "about_subgroups": sentence_on(self.subgroups),
            "mistakes": [each.as_dict() for each in self.mistakes],
        }

    def as_text(self, *, head: bool = True) -> str:
        """Return the evaluation as text for a terminal, with the headline if `head`."""
        lines = [*self.headline, ""] if head else []
        lines += self._lines_on_all_images()
        lines += self._lines_of_points()
        if self.beside:
            lines += ["", *beside_lines(self.beside)]
        if self.difficulty is not None:
            lines += ["", *self.difficulty.as_lines()]
        if self.by_diagnosis:
            lines += ["", *diagnosis_lines(self.by_diagnosis)]
        more = (
            self.repeated, self.nested, self.refusals, self.set_coverage,
            self.diagnosis_sets,
        )  # fmt: skip
        others = (each.as_lines() for each in more if each is not None)
        for own in (*(parts.as_lines() for parts in self.parts), *others):
            lines += ["", *own]
        for divided in self.subgroups:
            lines += ["", *divided.as_lines()]
        if about := sentence_on(self.subgroups):
            lines += ["", about]
        lines += mistake_lines(self.mistakes)
        return "\n".join([*lines, *foot(self.notes)])

    def _lines_on_all_images(self) -> list[str]:
        calls = (
            f"From a probability of {self.called_from_in_words} upwards: "
            f"{counted(self.confusion.tp, 'melanoma')} found, "
            f"{self.confusion.fn:,} missed; {counted(self.confusion.fp, 'false alarm')}, "
            f"{counted(self.confusion.tn, 'other image')} rightly not called."
        )
        lines = [*metric_lines(self.metrics), "", calls]
        if self.brier_parts is not None:
            lines.append(self.brier_parts.sentence)
        if self.own_calibration is not None:
            lines.append(self.own_calibration.as_line(judged_on="these images"))
        return lines

    def _lines_of_points(self) -> list[str]:
        said = [*(each.as_line() for each in self.thresholds), *self.absent_thresholds]
        official = [line for each in self.official for line in ("", *each.as_lines())]
        return [
            *([""] if said else []),
            *said,
            *consequence_lines(self.consequences),
            *official,
        ]


def metric_lines(metrics: Mapping[str, Interval], *, signed: bool = False) -> list[str]:
    """Return a text table, one line a metric: name, value, 95 % interval, and meaning."""
    rows = [("", "value", "95 % interval", "")]
    rows += [
        (
            name,
            decimal(m.value, signed=signed),
            ends(m, signed=signed),
            summary_of(name),
        )
        for name, m in metrics.items()
    ]
    return aligned(rows, right=(1,))


def foot(notes: Sequence[str]) -> list[str]:
    """Return lines with the notes and the research-use notice, a blank line before each."""
    listed = ["", *(f"Note: {visible(note)}" for note in notes)] if notes else []
    return [*listed, "", NOTICE]


def decimal(value: float, *, signed: bool = False) -> str:
    """Format with four decimals, or two significant digits below 0.001.

    NaN becomes "undefined". `signed` adds a plus sign to positive numbers.
    """
    if math.isnan(value):
        return "undefined"
    if 0 < abs(value) < 0.001:
        return f"{value:+.2g}" if signed else f"{value:.2g}"
    return f"{value:+.4f}" if signed else f"{value:.4f}"


def ends(interval: Interval, *, signed: bool = False) -> str:
    """Format the bounds of an interval, with "rough" if it is; "none" if a bound is NaN."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return "none"
    low, high = (decimal(end, signed=signed) for end in (interval.low, interval.high))
    words = f"{low} to {high}" if signed or interval.low < 0 else f"{low}–{high}"
    return f"{words}, rough" if interval.rough else words
