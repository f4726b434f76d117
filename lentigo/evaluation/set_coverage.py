"""The coverage of conformal prediction sets (melanoma, not melanoma, or both) by class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.answer_columns import COULD_BE
from lentigo.evaluation.headline import MOST_PARTS
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.parts import DATASET
from lentigo.evaluation.shares import clustered_share, share_of
from lentigo.models.conformal import ASKED, BOTH, MELANOMA, NOT_MELANOMA
from lentigo.words import aligned


@dataclass(frozen=True)
class Covered:
    """The coverage of the prediction sets of one class, overall or of one archive."""

    name: str
    n_images: int
    n_groups: int
    held: Interval
    """Mean over groups of the share of a group's images whose set holds the right answer;
    this is the coverage that conformal sets guarantee."""
    held_images: Interval
    """Share of all images whose set holds the right answer; groups are independent."""
    undecided: Interval
    """Share of images whose set holds both answers; groups are independent."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            "held": self.held.as_dict(),
            "held_images": self.held_images.as_dict(),
            "undecided": self.undecided.as_dict(),
        }


@dataclass(frozen=True)
class SetCoverage:
    """The coverage of prediction sets, for melanomas and for other images."""

    rows: tuple[Covered, ...]
    """Melanomas and other images, then those of each archive where there are several."""

    @property
    def sentence(self) -> str:
        """Return a sentence on the coverage and on the share of sets with both answers."""
        melanomas, others = self.rows[:2]
        return (
            f"Sets that promise {100 * ASKED:g} % hold the right answer of "
            f"{in_per_cent(melanomas.held)} of melanomas and {in_per_cent(others.held)} of "
            "other images, each group counting once; they leave both answers open for "
            f"{in_per_cent(melanomas.undecided)} and {in_per_cent(others.undecided)}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return sentence and rows, ready for JSON."""
        rows = [each.as_dict() for each in self.rows]
        return {"promised": ASKED, "sentence": self.sentence, "rows": rows}

    def as_lines(self) -> list[str]:
        """Return the lines of the sentence and a text table for a terminal."""
        head = ("", "images", "groups", "held", "of images", "undecided")
        return [self.sentence, *aligned([head, *map(_cells, self.rows)], right=(1, 2))]


def _cells(row: Covered) -> tuple[str, ...]:
    numbers = (row.held, row.held_images, row.undecided)
    sizes = f"{row.n_images:,}", f"{row.n_groups:,}"
    return (row.name, *sizes, *(each.in_words for each in numbers))


def in_per_cent(share: Interval) -> str:
    """Return a share with its interval as "89.5 % (84.0–93.2)"; "none" for NaN."""
    if math.isnan(share.value):
        return "none"
    ends = f"{100 * share.low:.1f}–{100 * share.high:.1f}"
    return f"{100 * share.value:.1f} % ({ends})"


def set_coverage(table: pd.DataFrame) -> SetCoverage | None:
    """Return the coverage of the prediction sets in `table`; None where no image has a set.

    `table` has `melanoma`, `group`, `could_be` (the set), and `dataset` where it is known.
    A set is written as "melanoma", "not melanoma" or "melanoma or not"; images with
    anything else in `could_be` are left out.
    """
    if COULD_BE not in table:
        return None
    known = table[table[COULD_BE].isin([MELANOMA, NOT_MELANOMA, BOTH])]
    return SetCoverage(tuple(_rows(known))) if len(known) else None


def _rows(known: pd.DataFrame) -> Iterator[Covered]:
    for name, side in (("melanomas", True), ("other images", False)):
        yield _covered(name, known[known["melanoma"].to_numpy(bool) == side])
    if DATASET not in known:
        return
    names = known[DATASET].astype("string").fillna("not known")
    found = sorted(names.unique())
    if not 2 <= len(found) <= MOST_PARTS:
        return
    for archive in found:
        mine = known[(names == archive).to_numpy()]
        for name, side in (("melanomas", True), ("other images", False)):
            part = mine[mine["melanoma"].to_numpy(bool) == side]
            yield _covered(f"{archive}: {name}", part)


def _covered(name: str, rows: pd.DataFrame) -> Covered:
    said, truth = rows[COULD_BE].to_numpy(str), rows["melanoma"].to_numpy(bool)
    held = (said == BOTH) | np.where(truth, said == MELANOMA, said == NOT_MELANOMA)
    group, names = pd.factorize(rows["group"])
    group = group.astype(np.intp)
    if not len(rows):
        nothing = Interval(math.nan)
        return Covered(name, 0, 0, nothing, nothing, nothing)
    means = np.bincount(group, held) / np.bincount(group)
    return Covered(
        name=name,
        n_images=len(rows),
        n_groups=len(names),
        held=share_of(means, np.ones(len(means))),
        held_images=clustered_share(held, group),
        undecided=clustered_share(said == BOTH, group),
    )
