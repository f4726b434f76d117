"""Columns of a table that have no role, and that name melanomas all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from shlex import quote
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import (
    DIAGNOSIS_KEYS,
    asks_diagnosis,
    asks_melanoma,
    header,
    is_hearsay,
    key,
)
from lentigo.datasets.reading.known_words import YES_NO
from lentigo.datasets.reading.label_conflicts import Conflict, refuse_conflicts
from lentigo.datasets.reading.melanoma_sentences import told_in_sentences
from lentigo.datasets.reading.melanoma_words import (
    answers_only,
    mentions,
    share_of_diagnoses,
    unknown_diagnoses,
    whole_words,
)
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.datasets.reading.word_map import refuse_words, translated
from lentigo.table_files.not_known import plain
from lentigo.visible import shortened
from lentigo.words import counted, some

_OF_LENTIGO = frozenset({"dataset", "role", "reason", "part", "licence", "modality"})
_MANY = 5_000
"""Different words beyond which a column is no list of diagnoses that could be compared."""


class _Kind(Enum):
    LISTED = "its name is one of those for diagnoses"
    DIAGNOSES = "its name asks for a diagnosis, or its cells are diagnoses"
    HEARSAY = "its name speaks of history, a suspicion or somebody's answer"
    OTHER = "anything else"


_OF_DIAGNOSES = frozenset({_Kind.LISTED, _Kind.DIAGNOSES})


@dataclass(frozen=True)
class _Column:
    """A column without a role."""

    name: str
    kind: _Kind
    words: pd.Series[Any]
    melanoma: pd.Series[bool]
    """Which of its cells say melanoma."""

    @property
    def is_of_diagnoses(self) -> bool:
        """Whether its name or its cells make it a column of diagnoses."""
        return self.kind in _OF_DIAGNOSES


def compared_with_others(
    source: pd.DataFrame,
    label: pd.Series[Any],
    chosen: Mapping[str, str],
    *,
    column: str,
    where: str,
    named: bool,
) -> tuple[pd.Series[Any], list[str]]:
    """Compare `label` with the columns of `source` that have no role; return it, and notes.

    `label` was read from `column` of the table `where`; `chosen` maps columns of a lesion
    table to columns of `source`. Any column is one of diagnoses if its name says so, or if
    at least half of its filled cells are known diagnoses. One whose name speaks of family
    or history, of a suspicion or of somebody's answer is only noted, as is a single word
    for melanoma, or a sentence that tells of one, in another column. With `named` the user
    chose the label, and nothing is refused.

    Raises `ColumnError` where a column of diagnoses names a melanoma and the label none,
    and `UnknownWordsError` where a melanoma may be behind its words: they mention one, or
    the label itself is a diagnosis and the name of the column is known. If the user goes on
    without these words, the images have no label.
    """
    columns = list(_compared(source, chosen, label))
    if not named:
        conflicts = (
            Conflict(column, each.name, _is_none(label) & each.melanoma)
            for each in columns
            if each.kind is _Kind.DIAGNOSES
        )
        image = chosen.get("image_id")
        refuse_conflicts(source, conflicts, where=where, image=image, advice=_ADVICE)
    notes = [_note(each, label, column) for each in columns]
    refused = {each.name for each in columns if each.is_of_diagnoses and not named}
    free = [n for n in without_role(source, chosen) if str(n) not in refused]
    notes += told_in_sentences(source, label, free, column=column)
    if not named:
        for name, words, strange in _strange(columns, source, label, chosen, column):
            hint = f" Or say that {column} is believed: --column melanoma={quote(column)}."
            refuse_words(words[strange], name=name, source=where, hint=hint)
            lost = strange & label.notna()
            label = label.mask(lost)
            notes.append(_lost(name, int(lost.sum())))
    return label, [note for note in notes if note]


_ADVICE = "say which is believed: --column melanoma={first} or --column melanoma={other}"


def without_role(source: pd.DataFrame, chosen: Mapping[str, str]) -> list[Any]:
    """Return the columns of `source` that `chosen` does not use, and that are not ours."""
    used = set(chosen.values())
    return [n for n in source.columns if n not in used and key(n) not in _OF_LENTIGO]


def _compared(
    source: pd.DataFrame, chosen: Mapping[str, str], label: pd.Series[Any]
) -> Iterator[_Column]:
    for name in without_role(source, chosen):
        column, kind = source[name], _kind_by_name(header(name))
        melanoma = whole_words(column)
        if kind is _Kind.OTHER:
            kind = _kind_by_cells(column, melanoma, label)
        words = column
        if kind in _OF_DIAGNOSES:
            words = translated(column, name="diagnosis")
            melanoma = melanoma if words is column else whole_words(words)
        elif kind is _Kind.OTHER and asks_melanoma(header(name)):
            melanoma |= _yes(column)
        if kind is not _Kind.OTHER or melanoma.any():
            yield _Column(str(name), kind, words, melanoma)


def _kind_by_name(name: str) -> _Kind:
    if key(name) in DIAGNOSIS_KEYS:
        return _Kind.LISTED
    if is_hearsay(name):
        return _Kind.HEARSAY
    return _Kind.DIAGNOSES if asks_diagnosis(name) else _Kind.OTHER


def _kind_by_cells(
    column: pd.Series[Any], melanoma: pd.Series[bool], label: pd.Series[Any]
) -> _Kind:
    """Return whether a column is one of diagnoses by its cells.

    One that says melanoma of every row, whatever the label, describes the collection.
    """
    if not melanoma.any() or (melanoma.all() and len(label.dropna().unique()) > 1):
        return _Kind.OTHER
    return _Kind.DIAGNOSES if share_of_diagnoses(column) >= 0.5 else _Kind.OTHER


def _yes(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells answer yes, in a column that holds nothing but yes and no."""
    words = plain(column)
    numbers = pd.to_numeric(words, errors="coerce").astype("float64")
    answer = YES_NO.of(words).astype("boolean")
    answer = answer.mask(numbers.eq(1), True).mask(numbers.eq(0), False)
    alone = bool((answer.notna() == words.notna()).all())
    return answer.eq(True).fillna(False).astype(bool) & alone


def _note(other: _Column, label: pd.Series[Any], column: str) -> str:
    """Return a sentence on a column that names other melanomas than `label`, or ""."""
    parts, words = [], other.words.astype("string").str.strip()
    against = _is_none(label) & other.melanoma
    if count := int(against.sum()):
        told = _quoted(words[against])
        parts.append(f"{counted(count, 'image')} that {column} calls none ({told})")
    if count := int((label.isna() & other.melanoma).sum()):
        parts.append(f"{counted(count, 'image')} without a label")
    believed = f"{column} is used"
    if parts:
        if other.kind is _Kind.HEARSAY:
            return (
                f"The column {other.name} names melanoma for {_and(parts)}; by its name it "
                f"tells a history, a suspicion or somebody's answer, and {believed}."
            )
        return (
            f"The column {other.name} names melanoma for {_and(parts)}; {believed}. If it "
            f"tells what the lesion is: --column melanoma={quote(other.name)}."
        )
    benign = _called_none(other) & label.eq(True).fillna(False).astype(bool)
    if count := int(benign.sum()):
        told = _quoted(words[benign])
        return (
            f"The column {other.name} names no melanoma for {counted(count, 'image')} that "
            f"{column} calls one ({told}); {believed}."
        )
    return ""


def _and(parts: list[str]) -> str:
    return ", and for ".join(parts)


def _quoted(words: pd.Series[Any]) -> str:
    return some([f"{shortened(str(word), at_most=40)!r}" for word in words.unique()])


def _called_none(other: _Column) -> pd.Series[bool]:
    """Tell which cells of a column of diagnoses say that a lesion is no melanoma."""
    if not other.is_of_diagnoses or other.words.nunique() > _MANY:
        return pd.Series(False, index=other.words.index)
    said = map_diagnoses(other.words)[0]["melanoma"]
    return said.eq(False).fillna(False).astype(bool)


def _strange(
    columns: list[_Column],
    source: pd.DataFrame,
    label: pd.Series[Any],
    chosen: Mapping[str, str],
    column: str,
) -> Iterator[tuple[str, pd.Series[Any], pd.Series[bool]]]:
    """Yield name and words of columns of diagnoses, and which may hide a melanoma."""
    is_open = ~label.eq(True).fillna(False).astype(bool)
    diagnosis = chosen.get("diagnosis")
    of_label = column == diagnosis or key(header(column)) in DIAGNOSIS_KEYS
    if diagnosis is not None and diagnosis != column:
        words = translated(source[diagnosis], name="diagnosis")
        yield diagnosis, words, mentions(words) & is_open
    for each in columns:
        if each.kind is _Kind.LISTED and of_label and not answers_only(each.words):
            yield each.name, each.words, unknown_diagnoses(each.words) & is_open
        elif each.is_of_diagnoses:
            yield each.name, each.words, mentions(each.words) & is_open


def _lost(name: str, count: int) -> str:
    if not count:
        return ""
    return (
        f"{counted(count, 'image')} without a label, because the words of the column "
        f"{name} are not understood."
    )


def _is_none(label: pd.Series[Any]) -> pd.Series[bool]:
    return label.eq(False).fillna(False).astype(bool)
