"""Format numbers for a report. An undefined number is "undefined", never 0."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lentigo.evaluation.intervals import Interval
from lentigo.reports.glossary import title
from lentigo.words import counted

UNDEFINED = "undefined"
MINUS = "\u2212"
_NEGATIVE = re.compile(r"(?<![^\s(\[])-(?=\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w|[./-]\w))")
"""The hyphen before a number that stands by itself: no range, name, date or option."""


@dataclass(frozen=True)
class Value(Interval):
    """A number with its 95 % interval, as read from a run's JSON; NaN if it is missing."""

    @property
    def is_defined(self) -> bool:
        """Whether the number is not NaN."""
        return not math.isnan(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether both ends of the interval are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))


@dataclass(frozen=True)
class MetricRow:
    """One row of the results table: a metric of the model, the baseline, the difference."""

    name: str
    title: str
    model: Shown
    baseline: Shown | None
    difference: Shown | None


@dataclass(frozen=True)
class Shown:
    """A formatted number: `text` in large type, interval `ends` and a `note` below it."""

    text: str
    ends: str
    note: str
    is_defined: bool = True


def as_value(entry: Any) -> Value | None:
    """`{"value", "low", "high"}` or a bare number as a `Value`; None if it is neither."""
    if isinstance(entry, Mapping) and "value" in entry:
        return Value(
            _float(entry["value"]),
            _float(entry.get("low")),
            _float(entry.get("high")),
            int(entry.get("undefined") or 0),
            bool(entry.get("rough")),
        )
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        return Value(float(entry))
    return None


def metrics(evaluation: Mapping[str, Any]) -> dict[str, Value]:
    """The metrics in the JSON of an evaluation, in its order."""
    entries = {
        name: entry
        for name, entry in evaluation.items()
        if isinstance(entry, Mapping) and "value" in entry
    }
    return {name: value for name in entries if (value := as_value(entries[name]))}


_ROUNDING = 1e-12
"""Smaller absolute values count as 0: they are rounding errors."""


def number(value: float, *, signed: bool = False) -> str:
    """Return `value` with three decimals, or two significant digits if it is below 0.01.

    With `signed`, a positive value has a plus sign. NaN is "undefined".
    """
    if math.isnan(value):
        return UNDEFINED
    if abs(value) < _ROUNDING:
        value = 0.0
    digits = f"{abs(value):.3f}"
    if 0 < abs(value) < 0.01:
        # 0.0004 must not become 0.000.
        places = min(12, 1 - math.floor(math.log10(abs(value))))
        digits = f"{abs(value):.{places}f}"
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    return sign + digits


def with_minus(text: str) -> str:
    """Return `text` with a minus sign for each hyphen that stands for one.

    Sentences that a terminal shows, too, have hyphens: some know no other sign.
    """
    return _NEGATIVE.sub(MINUS, text)


def interval(value: Value, *, signed: bool = False) -> str:
    """Return the interval as "0.801–0.880"; "to" replaces the dash if ends have signs."""
    if not value.has_interval:
        return ""
    joint = " to " if signed or value.low < 0 else "–"
    return number(value.low, signed=signed) + joint + number(value.high, signed=signed)


def with_interval(value: Value, *, signed: bool = False) -> str:
    """A number for running text: "0.842 (95 % interval 0.801–0.880)"."""
    if not value.is_defined:
        return UNDEFINED
    ends = interval(value, signed=signed) or "none could be computed"
    return f"{number(value.value, signed=signed)} (95\u00a0% interval {ends})"


def share(part: float, whole: float) -> str:
    """Return `part` of `whole` in per cent; "–" if `whole` is 0."""
    if not whole:
        return "–"
    if not part:
        return "0\u00a0%"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<\u20090.1\u00a0%"
    return f"{percent:.1f}\u00a0%"


def result_rows(evaluation: Mapping[str, Any]) -> list[MetricRow]:
    """Every metric of the model, the baseline beside it, and the paired difference."""
    model, baseline = (evaluation.get(key) or {} for key in ("model", "baseline"))
    difference = evaluation.get("difference") or {}
    ours, theirs = metrics(model), metrics(baseline)
    gaps = metrics(difference)
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        MetricRow(
            name=name,
            title=title(name),
            model=shown(ours.get(name, Value(math.nan)), why=why_undefined(name, model)),
            baseline=shown(theirs[name], why=why_undefined(name, baseline))
            if name in theirs
            else None,
            difference=shown(gaps[name], why="one of the two is undefined", signed=True)
            if name in gaps
            else None,
        )
        for name in names
    ]


def shown(value: Value, *, why: str, signed: bool = False) -> Shown:
    """Return the `Shown` of a number for a table cell; if it is NaN, with the reason `why`.

    With `signed`, a positive number has a plus sign.
    """
    if not value.is_defined:
        return Shown(UNDEFINED, "", why, is_defined=False)
    ends = interval(value, signed=signed)
    note = "" if ends else "no interval"
    if value.undefined:
        note = f"{counted(value.undefined, 'resample')} undefined"
    if value.rough:
        note = f"rough; {note}" if note else "rough"
    return Shown(number(value.value, signed=signed), ends, note)


def why_undefined(name: str, evaluation: Mapping[str, Any]) -> str:
    """The most likely reason that a metric has no value, in a few words."""
    images, melanomas = evaluation.get("n_images"), evaluation.get("n_melanomas")
    if images == 0:
        return "no image with a label was scored"
    if melanomas == 0:
        return "no melanoma among the held-out images"
    if images is not None and images == melanomas:
        return "only melanomas among the held-out images"
    if name.startswith(("ppv", "positive_predictive", "precision")):
        return "no image was called melanoma"
    if name.startswith(("npv", "negative_predictive")):
        return "every image was called melanoma"
    return "it has no value on these images"


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
