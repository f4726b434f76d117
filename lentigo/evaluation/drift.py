"""Drift: whether images of a period differ from a reference set, column by column.

The reference is the images that a model was judged on. Each column is compared by a
distance between its two distributions. A permutation test tells how large the distance is
by chance: whole groups (patients) are assigned at random to the two sides many times, each
time called a deal. A column is an alarm if its p-value, adjusted for the number of columns
(Holm), is below 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import DatasetError
from lentigo.evaluation.permutation import holm
from lentigo.evaluation.stability import stability_bins, stability_index
from lentigo.words import counted

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_GROUPS = 8
"""With fewer groups on a side, the permutation test is of no use."""
ALARM = 0.05
"""An adjusted p-value below this is an alarm."""
_LEVELS = 256
"""A numeric column with more distinct values is compared at this many quantiles."""
_MOST_ROWS = 1000
"""Rows of features compared on each side; of more rows a random sample is taken."""
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Side:
    """The images of one side (the reference or a period): table, groups and features."""

    name: str
    """Name of the reference or of the period, such as its file's."""
    table: pd.DataFrame
    groups: NDArray[np.object_]
    """The group (patient, lesion or other unit) of each image, (N,)."""
    features: Mapping[str, FloatArray] | None = None
    """Image id → vector of F network features, (F,); None where there are none."""


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
    """Images compared on either side; for numbers, those that have a value."""
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
    """Number of random deals of the groups for each period."""
    seed: int

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
            "repeats": self.repeats,
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
    is left out. Features are compared by the squared maximum mean discrepancy with a
    Gaussian kernel as wide as the median distance (Gretton et al. 2012, JMLR 13, 723). The
    population stability index (Siddiqi 2006) is computed as well; it is larger in small
    samples, so its usual limits of 0.1 and 0.25 say little without its value by chance.

    The p-value is (1 + D) / (1 + `repeats`), where D of the `repeats` random deals have a
    distance at least as large; each deal keeps the number of groups of both sides.

    Raises `DatasetError` when a side has fewer than 8 groups.
    """
    notes: list[str] = []
    found: list[Shift] = []
    for period in periods:
        deals = _Deals(reference, period, repeats=repeats, seed=seed)
        for column in columns:
            found += _of_column(reference, period, column, deals, notes)
        if reference.features is not None and period.features is not None:
            found += _of_features(reference, period, deals, notes)
    least = len(found) / (1 + repeats)
    if least >= ALARM:
        notes.append(
            f"Of {counted(len(found), 'column')} no p-value can be below {least:.3f} after "
            f"Holm, so nothing can be an alarm; give more than {len(found) / ALARM:.0f} "
            "deals (--repeats)."
        )
    adjusted = holm(np.array([each.p for each in found]))
    shifts = tuple(
        Shift(**{**vars(each), "p_holm": float(p)})
        for each, p in zip(found, adjusted, strict=True)
    )
    return Drift(shifts=shifts, notes=tuple(notes), repeats=repeats, seed=seed)


class _Deals:
    """The groups of both sides, and `repeats` random assignments of them to the sides.

    Each assignment keeps the number of groups on each side. Raises `DatasetError` when a
    side has fewer than `FEWEST_GROUPS` groups.
    """

    def __init__(self, reference: Side, period: Side, *, repeats: int, seed: int) -> None:
        names = []
        for side in (reference, period):
            codes, own = pd.factorize(pd.Series(side.groups).astype("string"))
            if len(own) < FEWEST_GROUPS:
                raise DatasetError(
                    f"{side.name} has images of {counted(len(own), 'group')} (patients, "
                    f"else lesions, else images); at least {FEWEST_GROUPS} are needed, or "
                    "nothing tells a change from chance."
                )
            names.append(codes.astype(np.int64))
        first = int(names[0].max()) + 1
        self.count = first + int(names[1].max()) + 1
        self.reference, self.period = names[0], names[1] + first
        """The group of each image on either side, integers from 0. A patient with images on
        both sides counts as two groups."""
        rng = np.random.default_rng(seed)
        self.dealt = np.zeros((repeats + 1, self.count), dtype=np.float32)
        """1 where a group is assigned to the period, 0 to the reference: (repeats + 1, G)
        for G groups; the first row is the real assignment."""
        self.dealt[0, first:] = 1
        for row in self.dealt[1:]:
            row[rng.permutation(self.count)[: self.count - first]] = 1

    def counts(
        self, codes: IntArray, known: NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        """Count the images with each code in the reference and the period of each deal.

        `codes` (integers from 0) are those of the images of the reference, then of the
        period; images where `known` is False are not counted. The two results are
        (repeats + 1, C) for C codes.
        """
        groups = np.concatenate([self.reference, self.period])[known]
        width = int(codes.max(initial=0)) + 1
        table = np.zeros((self.count, width), dtype=np.float32)
        np.add.at(table, (groups, codes[known]), 1)
        after = (self.dealt @ table).astype(np.float64)
        return table.sum(axis=0) - after, after


def _of_column(
    reference: Side, period: Side, column: str, deals: _Deals, notes: list[str]
) -> list[Shift]:
    sides = (reference.table, period.table)
    if not all(column in table for table in sides):
        lacking = [s.name for s in (reference, period) if column not in s.table]
        notes.append(
            f"{column} is not compared: {' and '.join(lacking)} has no such column."
        )
        return []
    values = pd.concat([table[column] for table in sides], ignore_index=True)
    n = len(reference.table)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numeric = bool(numbers.notna().sum() == values.notna().sum() > 0)
    numeric = numeric and not pd.api.types.is_bool_dtype(values.dropna().infer_objects())
    found = []
    known = values.notna().to_numpy(bool)
    if numeric and known[:n].any() and known[n:].any():
        found.append(
            _of_numbers(reference, period, column, np.asarray(numbers, np.float64), deals)
        )
        if known.all():
            return found
        words = np.where(known, "known", "missing").astype(object)
        name = f"{column} known"
    else:
        words = values.astype("string").fillna("missing").to_numpy(object)
        name = column
    if len(set(words)) > 1:  # a constant column cannot have changed
        found.append(_of_words(n, period, name, words, deals))
    return found


def _of_numbers(
    reference: Side, period: Side, column: str, values: FloatArray, deals: _Deals
) -> Shift:
    n, known = len(reference.table), ~np.isnan(values)
    levels = np.unique(values[known])
    if len(levels) > _LEVELS:
        levels = np.unique(np.quantile(values[known], np.linspace(0, 1, _LEVELS)))
    codes = np.searchsorted(levels, np.where(known, values, levels[0]), side="left")
    before, after = deals.counts(codes.astype(np.int64), known)
    with np.errstate(invalid="ignore", divide="ignore"):
        cumulated = [
            np.cumsum(each, axis=1) / each.sum(axis=1, keepdims=True)
            for each in (before, after)
        ]
    distances = np.abs(cumulated[0] - cumulated[1]).max(axis=1)
    index = stability_index(*deals.counts(stability_bins(values, known, n), known))
    first, second = values[:n][known[:n]], values[n:][known[n:]]
    return _shift(
        period, column, "number", (len(first), len(second)),
        (f"mean {first.mean():.3g}", f"mean {second.mean():.3g}"), distances, index,
    )  # fmt: skip


def _of_words(
    n: int, period: Side, column: str, words: NDArray[np.object_], deals: _Deals
) -> Shift:
    codes, names = pd.factorize(words)
    known = np.ones(len(words), dtype=bool)
    before, after = deals.counts(codes.astype(np.int64), known)
    shares = [each / each.sum(axis=1, keepdims=True) for each in (before, after)]
    distances = np.abs(shares[0] - shares[1]).sum(axis=1) / 2
    most = int(np.abs(shares[0][0] - shares[1][0]).argmax())
    said = [f"{names[most]} {100 * each[0, most]:.0f} %" for each in shares]
    return _shift(
        period, column, "word", (n, len(words) - n), (said[0], said[1]),
        distances, stability_index(before, after),
    )  # fmt: skip


def _of_features(
    reference: Side, period: Side, deals: _Deals, notes: list[str]
) -> list[Shift]:
    rows, groups = [], []
    rng = np.random.default_rng(0)
    for side, codes in ((reference, deals.reference), (period, deals.period)):
        features = side.features or {}
        ids = side.table["image_id"].astype(str).tolist()
        there = [place for place, name in enumerate(ids) if name in features]
        if len(there) > _MOST_ROWS:
            there = sorted(rng.choice(there, _MOST_ROWS, replace=False).tolist())
        if not there:
            notes.append(f"Features are not compared: {side.name} has none.")
            return []
        rows.append(np.stack([features[ids[place]] for place in there]))
        groups.append(codes[there])
    kernel = _gaussian(np.concatenate(rows))
    dealt = deals.dealt[:, np.concatenate(groups)].astype(np.float64)
    distances = np.concatenate([
        _discrepancy(kernel, dealt[start : start + _AT_ONCE])
        for start in range(0, len(dealt), _AT_ONCE)
    ])  # fmt: skip
    none = np.full(len(distances), math.nan)
    counts = (len(rows[0]), len(rows[1]))
    return [_shift(period, "features", "features", counts, ("", ""), distances, none)]


def _gaussian(rows: FloatArray) -> FloatArray:
    """Return the Gaussian kernel of all pairs of rows, as wide as their median distance."""
    squares = (rows**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0)
    between = apart[np.triu_indices(len(rows), k=1)]
    width = float(np.median(between))
    kernel: FloatArray = np.exp(-apart / (2 * width if width > 0 else 1.0))
    return kernel


def _discrepancy(kernel: FloatArray, dealt: FloatArray) -> FloatArray:
    """The squared maximum mean discrepancy of D deals, (D,); NaN where a side is empty.

    `kernel` is (N, N); `dealt`, (D, N), is 1 for an image on the one side, 0 on the other.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = dealt / dealt.sum(axis=1, keepdims=True) - (1 - dealt) / (1 - dealt).sum(
            axis=1, keepdims=True
        )
    found: FloatArray = ((weights @ kernel) * weights).sum(axis=1)
    return found


def _shift(
    period: Side,
    column: str,
    kind: str,
    known: tuple[int, int],
    usual: tuple[str, str],
    distances: FloatArray,
    index: FloatArray,
) -> Shift:
    """Make the shift from `distances`: the real one first, then those of random deals.

    `index` are the population stability indices of the same. Of the reference and the
    period, `known` are the numbers of images compared, and `usual` the summaries in words.
    """
    chance = distances[1:][~np.isnan(distances[1:])]
    as_far = int((chance >= distances[0] - 1e-12).sum())
    return Shift(
        period=period.name,
        column=column,
        kind=kind,
        n_reference=known[0],
        n_period=known[1],
        reference=usual[0],
        was=usual[1],
        distance=float(distances[0]),
        by_chance=float(np.quantile(chance, 0.95)),
        psi=float(index[0]),
        psi_by_chance=float(np.quantile(index[1:], 0.95)),
        p=(1 + as_far) / (1 + len(chance)),
    )
