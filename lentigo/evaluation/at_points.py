"""Consequences of calling melanoma at each judged threshold, and their text tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from lentigo.evaluation.consequences import Called, Consequences
from lentigo.evaluation.decision_curve import REFERRAL
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.sums import Sample
from lentigo.models.operating_point import OperatingPoint
from lentigo.visible import visible
from lentigo.words import aligned

GIVEN, REFERRED = "given", f"referral_{100 * REFERRAL:g}"


def consequences_of(
    sample: Sample,
    moved: Sample,
    points: Sequence[OperatingPoint],
    *,
    threshold: float,
    share: float | None,
) -> Iterator[Consequences]:
    """Yield the consequences of `threshold`, the referral risk (3 %) and all `points`.

    Each threshold is judged at the share of melanoma among the images of `sample` and, if
    `share` is given, at `share` too. `moved` holds the same images with probabilities
    recalculated for `share`; at `share`, a threshold that is a limit on the risk is applied
    to these probabilities, but a threshold chosen by rank, such as for a sensitivity of
    95 %, to those of `sample`. Points without a threshold are left out. Yields nothing
    where `sample` has no image.
    """
    limits = {GIVEN: threshold} | ({REFERRED: REFERRAL} if threshold != REFERRAL else {})
    said = {
        GIVEN: "as asked for, 0.5 by default",
        REFERRED: "the risk from which suspected cancer is referred (NICE NG12)",
    }
    chosen = [point for point in points if point.threshold is not None]
    if not len(sample.truth):
        return
    for asked in (None, share)[: 1 if share is None else 2]:
        own = sample if asked is None else moved
        for name, limit in limits.items():
            yield _of(own, _Limit(name, limit, said[name], is_risk=True), asked)
        for point in chosen:
            words = f"chosen on {point.chosen_on} {point.aim}"
            on_risk = point.moves_with_prevalence
            placed = _Limit(point.name, point.threshold or 0.0, words, is_risk=on_risk)
            yield _of(own if on_risk else sample, placed, asked)


@dataclass(frozen=True)
class _Limit:
    """A threshold, its origin in words (`said`), and whether it limits the risk."""

    name: str
    threshold: float
    said: str
    is_risk: bool


def _of(sample: Sample, limit: _Limit, share: float | None) -> Consequences:
    called = Called(
        truth=sample.truth,
        called=sample.score >= limit.threshold,
        group=sample.group,
        risk=limit.threshold if limit.is_risk else None,
    )
    return Consequences(
        name=limit.name,
        threshold=limit.threshold,
        said=limit.said,
        share=float(sample.truth.mean()) if share is None else share,
        judged=share is None,
        figures=called.figures() if share is None else called.figures_where(share),
    )


TABLES = (
    {
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "ppv": "PPV",
        "npv": "NPV",
    },
    {
        "lr_positive": "LR+",
        "lr_negative": "LR−",
        "needed_to_excise": "excised for one",
    },
    {
        "found_per_1000": "found",
        "missed_per_1000": "missed",
        "false_alarms_per_1000": "false alarms",
        "net_benefit_per_1000": "net benefit",
    },
)
"""The figures of each of the three tables of thresholds, with their headings."""

OVER = (
    "Thresholds at {share} melanomas{here}:",
    "Likelihood ratios, and lesions excised for one melanoma, at {share} melanomas:",
    "Of 1,000 lesions, {share} of them melanomas:",
)


def consequence_lines(found: Sequence[Consequences]) -> list[str]:
    """Return lines of text: for each share of melanoma, three tables of figures."""
    lines = []
    for (share, judged), group in groupby(
        found, key=lambda each: (each.share, each.judged)
    ):
        rows = list(group)
        here = ", as here" if judged else ""
        for over, columns in zip(OVER, TABLES, strict=True):
            lines += ["", over.format(share=f"{100 * share:.3g} %", here=here)]
            table = [("", "threshold", *columns.values())]
            table += [
                (
                    visible(each.name),
                    f"{each.threshold:.4g}",
                    *(cell(name, each.figures[name]) for name in columns),
                )
                for each in rows
            ]
            lines += aligned(table, right=(1,))
    return lines


def cell(name: str, interval: Interval, *, dash: str = "–") -> str:
    """Write the figure `name` with its interval: "10.4 (9.48–11.5)".

    `dash` stands between bounds without a sign.
    """
    if math.isnan(interval.value):
        if name.startswith("net_benefit"):
            return "–"
        least = (
            "" if math.isnan(interval.low) else f", at least {_word(name, interval.low)}"
        )
        return f"undefined{least}"
    value, low = _word(name, interval.value), _word(name, interval.low)
    rough = ", rough" if interval.rough else ""
    if math.isnan(interval.low):
        return value
    if math.isnan(interval.high):
        return f"{value} (from {low}{rough})"
    between = " to " if interval.low < 0 else dash
    return f"{value} ({low}{between}{_word(name, interval.high)}{rough})"


def _word(name: str, value: float) -> str:
    if name.endswith("per_1000"):
        return f"{value:.1f}"
    if name in {"sensitivity", "specificity", "ppv", "npv"}:
        return f"{value:.3f}"
    return f"{value:#.3g}" if value < 100 else f"{value:,.0f}"
