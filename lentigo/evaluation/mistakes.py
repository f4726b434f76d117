"""Subgroups with more missed melanomas, or more false alarms, than all other images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import Confusion
from lentigo.evaluation.subgroup_difference import ALPHA, Difference
from lentigo.evaluation.subgroups import Subgroup, Subgroups
from lentigo.visible import visible
from lentigo.words import aligned, counted

MISSED, FALSE_ALARM = "missed melanoma", "false alarm"
_FROM = {MISSED: "sensitivity", FALSE_ALARM: "specificity"}
_SHOWN = 8


@dataclass(frozen=True)
class OverRepresented:
    """One subgroup in which one kind of mistake is more frequent than in the rest."""

    kind: str
    """`MISSED` or `FALSE_ALARM`."""
    by: str
    """Column of the subgroup."""
    name: str
    """Value of the column in the subgroup."""
    mistakes: int
    """Number of mistakes of this kind in the subgroup."""
    images: int
    """Melanomas of the subgroup for `MISSED`, its other images for `FALSE_ALARM`."""
    share_of_mistakes: float
    """The subgroup's share of all mistakes of this kind."""
    share_of_images: float
    """The subgroup's share of all melanomas, or of all other images."""
    excess: Difference
    """Frequency of the mistake in the subgroup minus that in the rest, with p-values."""

    @property
    def ratio(self) -> float:
        """`share_of_mistakes` / `share_of_images`: above 1, mistakes are more frequent."""
        return self.share_of_mistakes / self.share_of_images

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and `ratio` by name, for JSON."""
        return {
            "kind": self.kind,
            "by": self.by,
            "name": self.name,
            "mistakes": self.mistakes,
            "images": self.images,
            "share_of_mistakes": self.share_of_mistakes,
            "share_of_images": self.share_of_images,
            "ratio": self.ratio,
            "excess": self.excess.as_dict(),
        }


def over_represented(
    subgroups: Sequence[Subgroups], confusion: Confusion
) -> tuple[OverRepresented, ...]:
    """List the subgroups in which mistakes are more frequent than in the rest.

    Missed melanomas come first; within a kind the largest excess comes first. Interval and
    p-value are those of the difference of sensitivity (or specificity) to the rest,
    adjusted for all subgroups of all columns (Holm). Subgroups of too few images, and those
    with a rest of too few, are left out.
    """
    totals = {
        MISSED: (confusion.fn, confusion.tp + confusion.fn),
        FALSE_ALARM: (confusion.fp, confusion.tn + confusion.fp),
    }
    found = [
        row
        for kind, (mistakes, images) in totals.items()
        for parts in subgroups
        for group in parts.groups
        if mistakes and (row := _row(kind, parts.by, group, mistakes, images)) is not None
    ]
    order = list(totals)
    return tuple(
        sorted(found, key=lambda r: (order.index(r.kind), -r.excess.interval.value))
    )


def _row(
    kind: str, by: str, group: Subgroup, mistakes: int, images: int
) -> OverRepresented | None:
    metric = _FROM[kind]
    melanomas = group.n_melanomas
    mine = melanomas if kind == MISSED else group.n_images - melanomas
    against = group.said_differences.get(metric)
    if against is None or not against.interval.value < 0:  # NaN is no excess, either
        return None
    wrong = round((1 - group.metrics[metric].value) * mine)
    return OverRepresented(
        kind=kind,
        by=by,
        name=group.name,
        mistakes=wrong,
        images=mine,
        share_of_mistakes=wrong / mistakes,
        share_of_images=mine / images,
        excess=_turned(against),
    )


def _turned(difference: Difference) -> Difference:
    old = difference.interval
    interval = Interval(-old.value, -old.high, -old.low, rough=old.rough)
    return Difference(interval, difference.p, difference.p_holm)


def mistake_lines(found: Sequence[OverRepresented]) -> Iterator[str]:
    """Yield the lines of a table of the 8 largest excesses of each kind of mistake.

    The last line of each table counts the subgroups with an adjusted p-value below 0.05.
    """
    for kind in (MISSED, FALSE_ALARM):
        rows = [row for row in found if row.kind == kind]
        if not rows:
            continue
        yield ""
        yield f"Where a {kind} is more frequent than in the rest:"
        table = [("", "mistakes", "of", "share in excess, interval, p (Holm)")]
        for row in rows[:_SHOWN]:
            name = f"{visible(row.by)}: {visible(row.name)}"
            counts = f"{row.mistakes:,}", f"{row.images:,}"
            table.append((name, *counts, row.excess.in_words))
        yield from aligned(table, right=(1, 2))
        stand = sum(_stands(row) for row in rows)
        more = len(rows) - _SHOWN
        rest = f"{counted(more, 'subgroup')} more; " if more > 0 else ""
        yield f"{rest}{stand:,} of {len(rows):,} have p below {ALPHA:g} after Holm."


def _stands(row: OverRepresented) -> bool:
    p = row.excess.p_holm
    return not math.isnan(p) and p < ALPHA
