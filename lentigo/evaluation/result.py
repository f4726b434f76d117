"""Result of an evaluation, for a person (`as_text`) and for a program (`as_dict`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pandas as pd

from lentigo.evaluation.at_points import consequence_lines
from lentigo.evaluation.beside import Beside, beside_lines
from lentigo.evaluation.brier_parts import BrierParts
from lentigo.evaluation.by_diagnosis import OneDiagnosis, diagnosis_lines
from lentigo.evaluation.consequences import Consequences
from lentigo.evaluation.difficulty import Difficulty
from lentigo.evaluation.fold_thresholds import JudgedThreshold
from lentigo.evaluation.headline import Counts, headline
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.locking.opened import Opening
from lentigo.evaluation.mistakes import OverRepresented, mistake_lines, over_represented
from lentigo.evaluation.official import Official
from lentigo.evaluation.operating_points import Confusion
from lentigo.evaluation.parts import Parts
from lentigo.evaluation.prevalence import Asked
from lentigo.evaluation.refusals import Refusals
from lentigo.evaluation.registry import (
    ON_OWN_THRESHOLD,
    on_own_threshold,
    summary_of,
)
from lentigo.evaluation.repeated import Repeats
from lentigo.evaluation.subgroups import Subgroups, sentence_on
from lentigo.notice import NOTICE
from lentigo.visible import visible
from lentigo.words import aligned, counted


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How good predictions are: every metric with its interval, and what was left out."""

    metrics: Mapping[str, Interval]
    """Under the names in `METRICS`; NaN where a metric is undefined."""
    n_images: int
    """Images with a probability and a label."""
    n_melanomas: int
    n_groups: int
    """What the intervals were resampled by: patients, lesions, or single images."""
    counts: Counts
    """What was judged, and what was left out."""
    by_diagnosis: tuple[OneDiagnosis, ...] = ()
    """Each diagnosis against all others, where the predictions have a column for each."""
    difficulty: Difficulty | None = None
    """Melanoma against each diagnosis alone, where the truth has them."""
    parts: tuple[Parts, ...] = ()
    """The AUC of each fold and of each archive, where there are several."""
    repeated: Repeats | None = None
    """Each repeat, where the predictions are of a repeated cross-validation."""
    refusals: Refusals | None = None
    """What the model did not answer, where the predictions have the column `abstain`."""
    subgroups: tuple[Subgroups, ...] = ()
    """The main metrics for each value of the columns that were asked for."""
    threshold: float
    """Melanoma is called from this probability upwards."""
    repeats: int
    seed: int
    prevalence: Asked | None = None
    """The shares of melanoma, where one was asked for."""
    thresholds: tuple[JudgedThreshold, ...] = ()
    """The operating points of the model, where they were given, judged on these images."""
    absent_thresholds: tuple[str, ...] = ()
    """Why others of its points have no threshold, a sentence each."""
    consequences: tuple[Consequences, ...] = ()
    """What each threshold does: the given one, the risk of 3 % from which lesions are
    referred, and the operating points; at the share of melanoma here and, where one was
    asked for, there."""
    brier_parts: BrierParts | None = None
    """What the Brier score is made of."""
    beside: tuple[Beside, ...] = ()
    """Cheap models on the same images, where they were asked for."""
    official: Official | None = None
    """The scores of a challenge, as its organisers compute them."""
    opening: Opening | None = None
    """How often the test set had been looked at, where it is a locked one."""
    confusion: Confusion
    """The counts at `threshold`."""
    notes: tuple[str, ...] = ()
    """What a person should know, one sentence each: guesses, and images left out."""
    scored: pd.DataFrame = field(repr=False, compare=False)
    """The judged images: `image_id`, `melanoma`, `probability` and `group`."""

    def __getitem__(self, name: str) -> Interval:
        return self.metrics[name]

    def opened_by(self, opening: Opening) -> Evaluation:
        """Say how often the locked test set had been looked at, and what counts there."""
        counts = [
            f"{name} {decimal(self[name].value)} ({ends(self[name])})"
            for name in opening.protocol.metrics
            if name in self.metrics
        ]
        said = [f"Fixed to count, the primary one first: {'; '.join(counts)}."]
        notes = (*opening.sentences, *(said if counts else []), *self.notes)
        return replace(self, opening=opening, notes=notes)

    def without_own_thresholds(self) -> Evaluation:
        """Leave out the figures at a threshold that the judged images chose themselves."""
        kept = {n: m for n, m in self.metrics.items() if not on_own_threshold(n)}
        notes = tuple(note for note in self.notes if note != ON_OWN_THRESHOLD)
        return replace(self, metrics=kept, notes=notes)

    @property
    def mistakes(self) -> tuple[OverRepresented, ...]:
        """Subgroups in which melanomas are missed, or false alarms raised, more often."""
        return over_represented(self.subgroups, self.confusion)

    @property
    def headline(self) -> list[str]:
        """On what, how good, and what cannot be said; one sentence each."""
        auc = self.metrics["auc"]
        words = decimal(auc.value)
        if not math.isnan(auc.value):
            words += f" (95 % interval {ends(auc, signed=False)})"
        return headline(self.counts, words, high=auc.high)

    def as_dict(self) -> dict[str, Any]:
        """Metrics and counts as plain numbers, ready for `json_files.to_json`."""
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
            **({"difficulty": self.difficulty.as_dict()} if self.difficulty else {}),
            **self._diagnoses(),
            **{f"by_{parts.by}": parts.as_dict() for parts in self.parts},
            **({"by_repeat": self.repeated.as_dict()} if self.repeated else {}),
            **({"refusals": self.refusals.as_dict()} if self.refusals else {}),
            **self._divided(),
            "threshold": self.threshold,
            **self._at_points(),
            **({"brier_parts": self.brier_parts.as_dict()} if self.brier_parts else {}),
            **({"beside": [each.as_dict() for each in self.beside]} if self.beside else {}),
            "consequences": [each.as_dict() for each in self.consequences],
            **({"prevalence": self.prevalence.as_dict()} if self.prevalence else {}),
            **({"official": self.official.as_dict()} if self.official else {}),
            **({"locked": self.opening.as_dict()} if self.opening else {}),
            "repeats": self.repeats,
            "seed": self.seed,
            "confusion": asdict(self.confusion),
            "notes": list(self.notes),
            "notice": NOTICE,
        }

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
        """A table to read in a terminal, under the headline unless `head` is off."""
        calls = (
            f"From a probability of {self.threshold:g} upwards: "
            f"{counted(self.confusion.tp, 'melanoma')} found, "
            f"{self.confusion.fn:,} missed; {counted(self.confusion.fp, 'false alarm')}, "
            f"{counted(self.confusion.tn, 'other image')} rightly not called."
        )
        lines = [*self.headline, ""] if head else []
        lines += [*metric_lines(self.metrics), "", calls]
        if self.brier_parts is not None:
            lines.append(self.brier_parts.sentence)
        lines += self._lines_of_points()
        if self.beside:
            lines += ["", *beside_lines(self.beside)]
        if self.difficulty is not None:
            lines += ["", *self.difficulty.as_lines()]
        if self.by_diagnosis:
            lines += ["", *diagnosis_lines(self.by_diagnosis)]
        more = (self.repeated, self.refusals)
        others = (each.as_lines() for each in more if each is not None)
        for own in (*(parts.as_lines() for parts in self.parts), *others):
            lines += ["", *own]
        for divided in self.subgroups:
            lines += ["", *divided.as_lines()]
        if about := sentence_on(self.subgroups):
            lines += ["", about]
        lines += mistake_lines(self.mistakes)
        return "\n".join([*lines, *foot(self.notes)])

    def _lines_of_points(self) -> list[str]:
        said = [*(each.as_line() for each in self.thresholds), *self.absent_thresholds]
        official = ["", *self.official.as_lines()] if self.official else []
        return [
            *([""] if said else []),
            *said,
            *consequence_lines(self.consequences),
            *official,
        ]


def metric_lines(metrics: Mapping[str, Interval], *, signed: bool = False) -> list[str]:
    """A line a metric: name, value, 95 % interval, and what it means."""
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
    """The notes and the notice, under a blank line each."""
    listed = ["", *(f"Note: {visible(note)}" for note in notes)] if notes else []
    return [*listed, "", NOTICE]


def decimal(value: float, *, signed: bool = False) -> str:
    """Four decimals, or significant digits for the very small; "undefined" for NaN."""
    if math.isnan(value):
        return "undefined"
    if 0 < abs(value) < 0.001:
        return f"{value:+.2g}" if signed else f"{value:.2g}"
    return f"{value:+.4f}" if signed else f"{value:.4f}"


def ends(interval: Interval, *, signed: bool = False) -> str:
    """Write the bounds of an interval, and whether it is rough."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return "none"
    low, high = (decimal(end, signed=signed) for end in (interval.low, interval.high))
    words = f"{low} to {high}" if signed or interval.low < 0 else f"{low}–{high}"
    return f"{words}, rough" if interval.rough else words
