"""Drift: whether images of a period differ from a reference set, column by column.

The reference is the images that a model was judged on. Each column is compared by a
distance between its two distributions. A permutation test tells how large the distance is
by chance: whole groups (patients) are assigned at random to the two sides many times, each
time called a deal. A column is an alarm if its p-value, adjusted for the number of columns
(Holm), is below 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.evaluation.drift_columns import Column, Notes, Side, columns_of
from lentigo.evaluation.drift_deals import Deals
from lentigo.evaluation.permutation import holm
from lentigo.words import counted, some

__all__ = ["ALARM", "Drift", "Shift", "Side", "drift"]

FloatArray = NDArray[np.float64]

ALARM = 0.05
"""An adjusted p-value below this is an alarm."""
_FAR_ENOUGH = 10
"""A column gets no more deals once so many were as far apart: it is no alarm."""
_MOST_DEALS = 100_000
"""Most deals of a column, unless more are asked for."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The comparison of one column between the reference and one period."""

    period: str
    """Name of the period."""
    column: str
    """Name of the column; "features" stands for the features of the network."""
    kind: str
    """`number`, `word`, or `features`."""
    n_reference: int
    n_period: int
    """Images compared on either side; for numbers, those that have a value. One of each
    group where the groups of one side have more images."""
    reference: str
    was: str
    """Summary of the column in the reference (`reference`) and in the period (`was`): the
    mean, or the word whose share changed most with its share; empty for features."""
    distance: float
    """Kolmogorov-Smirnov distance of numbers, total variation of words (each 0 to 1), or
    squared maximum mean discrepancy of features (0 to 2)."""
    by_chance: float
    """The 95 % quantile of the distances of the random deals."""
    psi: float
    """Population stability index over deciles of the reference (numbers) or over words; NaN
    for features. `psi_by_chance` is its 95 % quantile over the random deals."""
    psi_by_chance: float
    deals: int
    """Number of random deals that `p` rests on."""
    p: float
    """P-value of the hypothesis of no shift, from the random deals."""
    p_holm: float = math.nan
    """`p` adjusted (Holm) for the number of shifts tested."""

    @property
    def moved(self) -> bool:
        """Whether the column is an alarm: `p_holm` is below 0.05."""
        return self.p_holm < ALARM

    def as_dict(self) -> dict[str, Any]:
        """Return all fields and `moved` by name, for JSON."""
        return {**asdict(self), "moved": self.moved}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The shifts of all columns in all periods, and notes on what could not be compared."""

    shifts: tuple[Shift, ...]
    notes: tuple[str, ...]
    repeats: int
    """Number of random deals of the groups for each column."""
    most: int
    """Number of deals for columns of which few of the first `repeats` were as far apart."""
    seed: int
    untold: tuple[str, ...] = ()
    """Sentences on periods without an alarm in which no change, however large, could be
    one."""
    all_untold: bool = False
    """Whether `untold` holds for all periods."""

    @property
    def alarms(self) -> tuple[Shift, ...]:
        """The shifts that are alarms, the lowest p-value first."""
        moved = [each for each in self.shifts if each.moved]
        return tuple(sorted(moved, key=lambda each: (each.p_holm, -each.distance)))

    def as_table(self) -> pd.DataFrame:
        """Return a table with one row for each period and column."""
        return pd.DataFrame([each.as_dict() for each in self.shifts])

    def as_dict(self) -> dict[str, Any]:
        """Return shifts, number of alarms, notes and settings, for JSON."""
        return {
            "shifts": [each.as_dict() for each in self.shifts],
            "alarms": len(self.alarms),
            "notes": list(self.notes),
            "untold": list(self.untold),
            "all_untold": self.all_untold,
            "repeats": self.repeats,
            "most": self.most,
            "seed": self.seed,
        }


def drift(
    reference: Side,
    periods: Sequence[Side],
    columns: Sequence[str],
    *,
    repeats: int = 1000,
    seed: int = 0,
) -> Drift:
    """Compare `columns`, and features, of each period with those of the reference.

    Numbers are compared by the Kolmogorov-Smirnov distance, words by total variation, a
    missing value being a word of its own. Where numbers are missing, whether they are known
    is compared too, as a column of words. A column in which all images have the same word
    is left out, and so is one that divides the images as another does. Features are
    compared by the squared maximum mean discrepancy with a Gaussian kernel as wide as the
    median distance (Gretton et al. 2012, JMLR 13, 723). The population stability index
    (Siddiqi 2006) is computed as well; it is larger in small samples, so its usual limits
    of 0.1 and 0.25 say little without its value by chance.

    The p-value is (1 + D) / (1 + R), where D of R random deals have a distance at least as
    large; each deal keeps the number of groups of both sides. R is `repeats`, or more where
    D is below 10: up to the number of deals with which a single column can be an alarm
    among all columns of all periods, at most 100,000 (a sequential test: Besag & Clifford
    1991, doi:10.1093/biomet/78.2.301).

    Each group counts once. Where those of one side have more images than those of the other
    a random image of each, by `seed`, is compared, and a note says so: several images of a
    patient together scatter less than one.

    Raises `DatasetError` when a side has fewer than 8 groups.
    """
    notes = Notes()
    jobs = []
    for period in periods:
        deals = Deals(reference, period, seed=seed)
        jobs.append((period, deals, columns_of(reference, period, columns, deals, notes)))
    count = sum(len(each) for _, _, each in jobs)
    most = max(repeats, min(math.ceil(2 * count / ALARM), _MOST_DEALS))
    found: list[Shift] = []
    told: list[tuple[str, Deals]] = []
    while jobs:  # what a period needs of memory is given back before the next
        period, deals, own = jobs.pop(0)
        found += _tested(period.name, own, deals, repeats, most, seed=seed)
        told.append((period.name, deals))
    adjusted = holm(np.array([each.p for each in found]))
    shifts = tuple(
        replace(each, p_holm=float(p)) for each, p in zip(found, adjusted, strict=True)
    )
    silent = _silent(told, shifts, count, most)
    return Drift(
        shifts=shifts,
        notes=notes.sentences(),
        repeats=repeats,
        most=most,
        seed=seed,
        untold=tuple(_untold(silent, count, most)),
        all_untold=len(silent) == len(periods),
    )


def _untold(silent: Mapping[str, Deals], count: int, most: int) -> Iterator[str]:
    """Yield a sentence on the `silent` periods, by name, for each reason of it.

    `count` is the number of columns of all periods, and `most` that of the deals.
    """
    among = f"among {counted(count, 'column')}"
    few = [name for name, own in silent.items() if count * own.chance_alike >= ALARM / 2]
    if few:
        yield (
            f"Nothing can be told of {some(few)}: with so few groups (patients, else "
            f"lesions, else images) even the largest change can be chance {among}. Compare "
            "fewer periods at once, or longer ones."
        )
    if many := [name for name in silent if name not in few]:
        yield (
            f"Nothing can be told of {some(many)}: {among} no p-value can be small "
            f"enough with {most:,} deals. Compare fewer periods at once, or give more than "
            f"{math.ceil(count / ALARM):,} deals (--repeats)."
        )


def _silent(
    told: Sequence[tuple[str, Deals]], shifts: Sequence[Shift], count: int, most: int
) -> dict[str, Deals]:
    """Return the deals of each period in which no column could be an alarm, by its name.

    `count` columns are compared in all periods together, with `most` deals at most.
    """
    moved = {each.period for each in shifts if each.moved}
    return {
        name: deals
        for name, deals in told
        if count * (1 / (1 + most) + deals.chance_alike) >= ALARM and name not in moved
    }


def _tested(
    period: str,
    columns: Sequence[Column],
    deals: Deals,
    repeats: int,
    most: int,
    *,
    seed: int,
) -> list[Shift]:
    """Return the shifts of a period's `columns`, all from the same random deals.

    Every column gets `repeats` deals. Those with fewer than `_FAR_ENOUGH` as far apart as
    the real sides get more, up to `most`. To stop by the deals that were as far, and not
    by those that were not, keeps the p-value valid.
    """
    rng = np.random.default_rng(seed)
    real = deals.real()
    tallies = [_Tally(each, float(each.distances(real)[0])) for each in columns]
    for dealt in deals.drawn(rng, repeats):
        for tally in tallies:
            tally.first(dealt)
    active = [each for each in tallies if each.as_far < _FAR_ENOUGH]
    for dealt in deals.drawn(rng, most - repeats if active else 0):
        for tally in active:
            tally.add(tally.column.distances(dealt))
        active = [each for each in active if each.as_far < _FAR_ENOUGH]
        if not active:
            break
    return [each.shift(period, float(each.column.stability(real)[0])) for each in tallies]


class _Tally:
    """The distance of a column, and how many random deals were as far apart."""

    def __init__(self, column: Column, distance: float) -> None:
        self.column, self.distance = column, distance
        self.as_far = self.deals = 0
        self._chance: list[FloatArray] = []
        self._index: list[FloatArray] = []

    def first(self, dealt: Any) -> None:
        """Count the first deals, of which the distances by chance are kept, too."""
        chance = self.column.distances(dealt)
        self._chance.append(chance[~np.isnan(chance)])
        self._index.append(self.column.stability(dealt))
        self.add(chance)

    def add(self, chance: FloatArray) -> None:
        """Count deals by their distances; NaN, where a side is empty, does not count."""
        self.deals += int((~np.isnan(chance)).sum())
        self.as_far += int((chance >= self.distance - 1e-12).sum())

    def shift(self, period: str, stability: float) -> Shift:
        """Return the comparison; `stability` is the population stability index."""
        column = self.column
        return Shift(
            period=period,
            column=column.name,
            kind=column.kind,
            n_reference=column.images[0],
            n_period=column.images[1],
            reference=column.summary[0],
            was=column.summary[1],
            distance=self.distance,
            by_chance=_most_by_chance(self._chance),
            psi=stability,
            psi_by_chance=_most_by_chance(self._index),
            deals=self.deals,
            p=(1 + self.as_far) / (1 + self.deals),
        )


def _most_by_chance(values: Sequence[FloatArray]) -> float:
    whole = np.concatenate(values)
    return float(np.quantile(whole, 0.95)) if len(whole) else math.nan
