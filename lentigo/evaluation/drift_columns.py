"""The columns that are compared between a reference set of images and a period (drift)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.evaluation.drift_deals import Deals, Dealt
from lentigo.evaluation.stability import stability_bins, stability_index
from lentigo.words import listed, verb

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

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
    asked: Mapping[str, BoolArray] = field(default_factory=dict)
    """Column → whether it was asked for each image, (N,): elsewhere nothing is known of it,
    not even that it is missing. A column that is absent here was asked for all images."""


class Column(Protocol):
    """A column of a period, ready to be compared."""

    name: str
    kind: str
    """`number`, `word`, or `features`."""
    images: tuple[int, int]
    """Number of images compared in the reference and in the period."""
    summary: tuple[str, str]
    """The reference and the period in words."""

    def distances(self, dealt: Dealt) -> FloatArray:
        """Return the distance of the two sides in each of D deals, (D,)."""
        ...

    def stability(self, dealt: Dealt) -> FloatArray:
        """Return the population stability index of each of D deals, (D,), or NaN."""
        ...


class Notes:
    """Sentences on what is not compared; those of one reason become one sentence."""

    def __init__(self) -> None:
        self._lacking: dict[str, list[str]] = {}
        self._same: dict[str, list[str]] = {}
        self._others: list[str] = []

    def lacking(self, column: str, sides: Sequence[str]) -> None:
        """Note that `sides` do not hold `column`."""
        _note(self._lacking, " and ".join(sides), column)

    def same(self, column: str, other: str) -> None:
        """Note that `column` tells the same of the images as `other`."""
        _note(self._same, other, column)

    def add(self, sentence: str) -> None:
        """Note a sentence."""
        self._others.append(sentence)

    def sentences(self) -> tuple[str, ...]:
        """Return all sentences, none of them twice."""
        lacking: dict[tuple[str, ...], list[str]] = {}
        for sides, names in self._lacking.items():
            lacking.setdefault(tuple(names), []).append(sides)
        return (
            *(
                # The column may be there, and empty: lentigo's own tables have them all.
                _not_compared(
                    names,
                    f"{listed(sides)} {verb(len(sides), 'tells', 'tell')} nothing of "
                    f"{verb(len(names), 'it', 'them')}",
                )
                for names, sides in lacking.items()
            ),
            *(
                _not_compared(names, f"{other} tells the same of these images")
                for other, names in self._same.items()
            ),
            *dict.fromkeys(self._others),
        )


def _note(notes: dict[str, list[str]], why: str, column: str) -> None:
    known = notes.setdefault(why, [])
    if column not in known:
        known.append(column)


def _not_compared(names: Sequence[str], why: str) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} not compared: {why}."


def columns_of(
    reference: Side, period: Side, names: Sequence[str], deals: Deals, notes: Notes
) -> list[Column]:
    """Return the columns `names` of a period, and its features, ready to be compared.

    A column that one side lacks is left out and noted, and so is one that divides the
    images as another does: it would be the same test twice.
    """
    made = [
        each for name in names for each in _of_column(reference, period, name, deals, notes)
    ]
    kept: dict[bytes, _Codes] = {}
    # Whether a number is known is compared only if nothing else tells it.
    for each in sorted(made, key=lambda column: column.is_known):
        first = kept.setdefault(each.key, each)
        if first is not each:
            notes.same(each.name, first.name)
    found: list[Column] = [each for each in made if kept[each.key] is each]
    if reference.features is not None and period.features is not None:
        found += _of_features(reference, period, deals, notes)
    if deals.draws:
        notes.add(
            f"{period.name}: of each group (patient, else lesion, else image) one image, "
            f"drawn by the seed, is compared with one of {reference.name}, as the groups "
            "of one side have more images."
        )
    return found


def _of_column(
    reference: Side, period: Side, column: str, deals: Deals, notes: Notes
) -> Iterator[_Codes]:
    sides = (reference, period)
    asked = [_asked(side, column) for side in sides]
    lacking = [side.name for side, own in zip(sides, asked, strict=True) if not own.any()]
    if lacking:
        notes.lacking(column, lacking)
        return
    values = pd.concat([side.table[column] for side in sides], ignore_index=True)
    n, told = len(reference.table), np.concatenate(asked)
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numeric = bool(numbers.notna().sum() == values.notna().sum() > 0)
    numeric = numeric and not pd.api.types.is_bool_dtype(values.dropna().infer_objects())
    known = values.notna().to_numpy(bool) & told
    if numeric and known[:n].any() and known[n:].any():
        yield _Numbers(column, np.asarray(numbers, np.float64), known, n, deals)
        if known[told].all():
            return
        words = np.where(known, "known", "missing").astype(object)
        name = f"{column} known"
    else:
        words = values.astype("string").fillna("missing").to_numpy(object)
        name = column
    if len(set(words[told])) > 1:  # a constant column cannot have changed
        yield _Words(name, words, told, n, deals, is_known=name != column)


def _asked(side: Side, column: str) -> BoolArray:
    if column not in side.table:
        return np.zeros(len(side.table), dtype=bool)
    return np.asarray(side.asked.get(column, np.ones(len(side.table), dtype=bool)))


class _Codes:
    """A column as codes of the images of the reference, then of the period."""

    kind: str
    summary: tuple[str, str]

    def __init__(
        self,
        name: str,
        codes: IntArray,
        known: BoolArray,
        n: int,
        deals: Deals,
        *,
        key: bytes,
    ) -> None:
        self.name, self.is_known = name, False
        self.images = int(known[:n].sum()), int(known[n:].sum())
        self.key = key
        """The same for columns that divide the images alike."""
        self._deals, self._table = deals, deals.table(codes, known)
        self._bins = self._table

    def distances(self, dealt: Dealt) -> FloatArray:
        """Return the distance of the two sides in each of D deals, (D,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            before, after = (
                each / each.sum(axis=1, keepdims=True)
                for each in self._deals.counts(self._table, dealt)
            )
        return self._apart(before, after)

    def stability(self, dealt: Dealt) -> FloatArray:
        """Return the population stability index of each of D deals, (D,)."""
        return stability_index(*self._deals.counts(self._bins, dealt))

    def _apart(self, before: FloatArray, after: FloatArray) -> FloatArray:
        raise NotImplementedError


class _Numbers(_Codes):
    kind = "number"

    def __init__(
        self, name: str, values: FloatArray, known: BoolArray, n: int, deals: Deals
    ) -> None:
        ranks = np.searchsorted(np.unique(values[known]), values[known])
        # Two numbers that rank the images alike, or the other way round, are one.
        either = min(ranks.tobytes(), (ranks.max() - ranks).tobytes())
        key, known = known.tobytes() + either, deals.one_each(known)
        levels = np.unique(values[known])
        if len(levels) > _LEVELS:
            levels = np.unique(np.quantile(values[known], np.linspace(0, 1, _LEVELS)))
        codes = np.searchsorted(levels, np.where(known, values, levels[0]), side="left")
        super().__init__(name, codes.astype(np.int64), known, n, deals, key=key)
        before = np.arange(len(known)) < n
        first, second = (deals.mean(values, known & side) for side in (before, ~before))
        self.summary = f"mean {first:.3g}", f"mean {second:.3g}"
        self._bins = deals.table(stability_bins(values, known, n), known)

    def _apart(self, before: FloatArray, after: FloatArray) -> FloatArray:
        before, after = np.cumsum(before, axis=1), np.cumsum(after, axis=1)
        found: FloatArray = np.abs(before - after).max(axis=1)
        return found


class _Words(_Codes):
    kind = "word"

    def __init__(
        self,
        name: str,
        words: NDArray[np.object_],
        asked: BoolArray,
        n: int,
        deals: Deals,
        *,
        is_known: bool,
    ) -> None:
        own, _ = pd.factorize(words[asked])
        key = asked.tobytes() + own.astype(np.int64).tobytes()
        codes, names = pd.factorize(np.where(asked, words, words[asked][0]))
        known = deals.one_each(asked)
        super().__init__(name, codes.astype(np.int64), known, n, deals, key=key)
        self.is_known = is_known
        before, after = self._shares()
        most = int(np.abs(before - after).argmax())
        first, second = (
            f"{names[most]} {100 * each[most]:.0f} %" for each in (before, after)
        )
        self.summary = first, second

    def _shares(self) -> FloatArray:
        """Return the share of each code in reference and period, (2, C), by groups."""
        counts = np.concatenate(self._deals.counts(self._table, self._deals.real()))
        found: FloatArray = counts / counts.sum(axis=1, keepdims=True)
        return found

    def _apart(self, before: FloatArray, after: FloatArray) -> FloatArray:
        found: FloatArray = np.abs(before - after).sum(axis=1) / 2
        return found


def _of_features(reference: Side, period: Side, deals: Deals, notes: Notes) -> list[Column]:
    rows, groups = [], []
    rng, sides = np.random.default_rng(0), (reference, period)
    names = [side.table["image_id"].astype(str).tolist() for side in sides]
    held = [
        name in (s.features or {})
        for s, own in zip(sides, names, strict=True)
        for name in own
    ]
    chosen, n = deals.one_each(np.array(held, dtype=bool)), len(names[0])
    parts = (chosen[:n], deals.reference), (chosen[n:], deals.period)
    for side, ids, (own, codes) in zip(sides, names, parts, strict=True):
        features = side.features or {}
        there = np.flatnonzero(own).tolist()
        if len(there) > _MOST_ROWS:
            there = sorted(rng.choice(there, _MOST_ROWS, replace=False).tolist())
        if not there:
            notes.add(f"Features are not compared: {side.name} has none.")
            return []
        rows.append(np.stack([features[ids[place]] for place in there]))
        groups.append(codes[there])
    return [_Features(rows, np.concatenate(groups), deals)]


class _Features:
    name = kind = "features"
    summary = ("", "")

    def __init__(self, rows: Sequence[FloatArray], groups: IntArray, deals: Deals) -> None:
        self.images = len(rows[0]), len(rows[1])
        self._rows, self._groups, self._deals = np.concatenate(rows), groups, deals
        self._weights = 1 / np.bincount(groups)[groups]

    @cached_property
    def _kernel(self) -> FloatArray:
        return _gaussian(self._rows)

    def distances(self, dealt: Dealt) -> FloatArray:
        """Return the squared maximum mean discrepancy of each of D deals, (D,)."""
        return np.concatenate([
            _discrepancy(
                self._kernel,
                self._deals.of_period(dealt[start : start + _AT_ONCE], self._groups),
                self._weights,
            )
            for start in range(0, dealt.shape[0], _AT_ONCE)
        ])  # fmt: skip

    def stability(self, dealt: Dealt) -> FloatArray:
        """Return NaN for each deal: features have no bins."""
        return np.full(dealt.shape[0], math.nan)


def _gaussian(rows: FloatArray) -> FloatArray:
    """Return the Gaussian kernel of all pairs of rows, as wide as their median distance."""
    squares = (rows**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0)
    between = apart[np.triu_indices(len(rows), k=1)]
    width = float(np.median(between))
    kernel: FloatArray = np.exp(-apart / (2 * width if width > 0 else 1.0))
    return kernel


def _discrepancy(kernel: FloatArray, dealt: FloatArray, counting: FloatArray) -> FloatArray:
    """The squared maximum mean discrepancy of D deals, (D,); NaN where a side is empty.

    `kernel` is (N, N); `dealt`, (D, N), is 1 for an image on the one side, 0 on the other;
    `counting`, (N,), is how much each image counts.
    """
    one, other = dealt * counting, (1 - dealt) * counting
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = one / one.sum(axis=1, keepdims=True) - other / other.sum(
            axis=1, keepdims=True
        )
    found: FloatArray = ((weights @ kernel) * weights).sum(axis=1)
    return found
