"""Summarise the result of a run in plain sentences and warnings, for its report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lentigo.evaluation.headline import Counts, left_out, too_few, upside_down
from lentigo.reports.numbers import (
    Value,
    as_value,
    interval,
    number,
    why_undefined,
    with_interval,
)
from lentigo.reports.run.judged_parts import counts_of, part_sentences, threshold_sentence
from lentigo.words import counted, listed


@dataclass(frozen=True)
class Bar:
    """One line of the chart at the head of the page: an AUC with its interval."""

    label: str
    kind: str
    """`model`, `baseline`, or `ceiling` for the best reachable AUC."""
    text: str
    """The AUC as text; `note` is its interval as text."""
    note: str
    left: float | None
    """Position of the AUC in per cent of the axis; `start` and `width` are those of its
    interval. None if the value is undefined."""
    start: float | None = None
    width: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The head of the page: sentences, warnings, and a chart of AUCs."""

    sentences: list[str]
    warnings: list[str]
    bars: list[Bar]
    axis: list[tuple[float, str]]
    """Ticks of the axis: position in per cent, and label."""
    chance: float
    """Position of an AUC of 0.5, in per cent of the axis."""


def verdict(
    evaluation: Mapping[str, Any], *, baseline_features: tuple[str, ...]
) -> Verdict:
    """Return the head of the page from the content of `evaluation.json`.

    `baseline_features` are the columns that the metadata-only baseline uses and the table
    has values of.
    """
    model, baseline = evaluation.get("model") or {}, evaluation.get("baseline") or {}
    auc, floor = as_value(model.get("auc")), as_value(baseline.get("auc"))
    gap = as_value((evaluation.get("difference") or {}).get("auc"))
    ceiling = _ceiling(evaluation)
    auc = auc or Value(math.nan)
    counts = counts_of(evaluation)
    few = too_few(counts)
    chance = [] if few and auc.is_defined else _against_chance(auc)
    # Of so few melanomas no difference is told, either.
    beside = [] if few and floor is not None else _against_baseline(auc, floor, gap)
    warnings = [*chance, *beside]
    sentences = [_headline(auc, model, counts)]
    if floor is not None and not few:
        sentences.append(_baseline_sentence(floor, gap, baseline, baseline_features))
    if not few:
        sentences += _metadata_sentences(evaluation)
        sentences += _context_sentences(evaluation)
        sentences += part_sentences(model)
    sentences += [said for said in [threshold_sentence(evaluation)] if said]
    if ceiling is not None and not few:
        sentences.append(_ceiling_sentence(auc, ceiling))
    low = _axis_start([auc, floor, ceiling])
    return Verdict(
        sentences=sentences,
        warnings=warnings,
        bars=_bars(auc, floor, ceiling, low=low),
        axis=[(_place(tick, low), f"{tick:.1f}") for tick in _ticks(low)],
        chance=_place(0.5, low),
    )


def _ceiling(evaluation: Mapping[str, Any]) -> Value | None:
    best = as_value(evaluation.get("best_reachable_auc"))
    return best if best is not None and best.is_defined else None


def _headline(auc: Value, model: Mapping[str, Any], counts: Counts) -> str:
    where = f"On {counted(counts.images, 'held-out image')}"
    if counts.groups:
        where += f" of {counted(counts.groups, 'group')}"
    if model.get("n_melanomas") is not None:
        where += f", {counted(counts.melanomas, 'melanoma')} among them"
    few = too_few(counts)
    if not auc.is_defined:
        said = f"{where}, the AUC of the model is undefined: {why_undefined('auc', model)}"
    elif few:
        said = f"{where}: {few}"
    else:
        pooled = " (all folds pooled)" if model.get("by_fold") else ""
        said = f"{where}, the model reached an AUC of {with_interval(auc)}{pooled}"
    lost = left_out(counts, where=" of the table")
    return f"{said}; {lost}." if lost else f"{said}."


def _baseline_sentence(
    floor: Value, gap: Value | None, baseline: Mapping[str, Any], features: tuple[str, ...]
) -> str:
    known = listed([name.replace("_", " ") for name in features]) if features else ""
    start = (
        f"A baseline that sees no image, only {known},"
        if known
        else "A baseline that sees no image, nor anything of the patient (the table has it "
        "of nobody),"
    )
    if not floor.is_defined:
        return f"{start} has no defined AUC: {why_undefined('auc', baseline)}."
    sentence = f"{start} reached {with_interval(floor)} on the same images."
    if gap is not None and gap.is_defined:
        sentence += f" The difference is {with_interval(gap, signed=True)}."
    return sentence


def _gained(record: Mapping[str, Any] | None) -> tuple[Value, Value] | None:
    """Return the AUC without something, and the gain by it; None if one is undefined."""
    found = record or {}
    without = as_value(found.get("without"))
    gain = as_value((found.get("difference") or {}).get("auc"))
    if without is None or gain is None or not without.is_defined or not gain.is_defined:
        return None
    return without, gain


def _metadata_sentences(evaluation: Mapping[str, Any]) -> list[str]:
    """Return sentences on the AUC without age, sex and site, if the model takes them."""
    if (found := _gained(evaluation.get("without_metadata"))) is None:
        return []
    without, gain = found
    return [
        "The model takes age, sex and site beside the image, as far as they are known. "
        f"Without them it reached {with_interval(without)} on the same images; the "
        f"difference that they make is {with_interval(gain, signed=True)}."
    ]


def _context_sentences(evaluation: Mapping[str, Any]) -> list[str]:
    """Return sentences on the AUC without a patient's other lesions, if they count."""
    if (found := _gained(evaluation.get("without_context"))) is None:
        return []
    without, gain = found
    if gain.value == 0 and not gain.has_interval:
        return [
            "The same patient's other lesions were to count, but on the validation images "
            "they did not help, or were too few: each image is answered by itself."
        ]
    return [
        "The answers count the same patient's other lesions where that helped on the "
        f"validation images. Without them the model reached {with_interval(without)} on "
        "the same images; the difference that they make is "
        f"{with_interval(gain, signed=True)}."
    ]


def _ceiling_sentence(auc: Value, ceiling: Value) -> str:
    best = number(ceiling.value)
    start = (
        f"These lesions are drawn, so the best AUC that can be reached is known: {best}."
    )
    if not auc.is_defined:
        return start
    gap = ceiling.value - auc.value
    if gap < 0:
        return f"{start} The model is {number(-gap)} above it, which is chance."
    return f"{start} The model is {number(gap)} below it."


def _against_chance(auc: Value) -> list[str]:
    if not auc.is_defined:
        return ["Nothing can be said about how well this model tells melanoma apart."]
    if not auc.has_interval:
        return ["The AUC has no interval, so how far it can be trusted is not known."]
    if auc.low <= 0.5 <= auc.high:
        return [
            "The interval of the AUC includes 0.5: this run does not show that the model "
            "tells melanoma from other lesions better than guessing."
        ]
    if auc.high < 0.5:
        return [upside_down(auc.high)]
    return []


def _against_baseline(auc: Value, floor: Value | None, gap: Value | None) -> list[str]:
    if floor is None:
        return ["No metadata-only baseline stands beside the model in this run."]
    if not (auc.is_defined and floor.is_defined):
        return []
    if gap is None or not gap.is_defined or not gap.has_interval:
        gap = Value(auc.value - floor.value)
        return _without_interval(gap.value)
    ends = interval(gap, signed=True)
    if gap.high < 0:
        return [
            f"The model is worse than the baseline that sees no image (difference {ends})."
        ]
    if gap.low <= 0:
        return [
            "The model is not shown to be better than the baseline that sees no image: the "
            f"interval of the difference, {ends}, includes 0."
        ]
    return []


def _without_interval(gap: float) -> list[str]:
    if gap > 0:
        return [
            "The model scored higher than the baseline that sees no image, but the "
            "difference has no interval, so it may be chance."
        ]
    return ["The model is not better than the baseline that sees no image."]


def _axis_start(values: list[Value | None]) -> float:
    """Return the start of the axis: 0.4, or lower if an AUC or its interval is below."""
    seen = [end for value in values if value for end in (value.value, value.low)]
    lowest = min((end for end in seen if not math.isnan(end)), default=0.5)
    return max(0.0, min(0.4, math.floor(lowest * 10) / 10))


def _ticks(low: float) -> list[float]:
    first = round(low * 10)
    step = 1 if first >= 3 else 2
    return [tick / 10 for tick in range(10, first - 1, -step)][::-1]


def _place(value: float, low: float) -> float:
    return round(100 * (value - low) / (1 - low), 2)


def _bars(
    auc: Value, floor: Value | None, ceiling: Value | None, *, low: float
) -> list[Bar]:
    bars = [_bar("This model", "model", auc, low=low)]
    if floor is not None:
        bars.append(_bar("Metadata only", "baseline", floor, low=low))
    if ceiling is not None:
        bars.append(_bar("Best reachable", "ceiling", ceiling, low=low))
    return bars


def _bar(label: str, kind: str, value: Value, *, low: float) -> Bar:
    left = _place(value.value, low) if value.is_defined else None
    if not (value.is_defined and value.has_interval):
        return Bar(label, kind, number(value.value), "", left)
    start, end = _place(value.low, low), _place(value.high, low)
    return Bar(
        label,
        kind,
        number(value.value),
        interval(value),
        left,
        start,
        round(end - start, 2),
    )
