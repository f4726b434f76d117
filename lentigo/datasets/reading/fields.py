"""Columns of an archive become columns of a lesion table, whatever their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import missing_column
from lentigo.datasets.reading.files import read_ages, read_columns
from lentigo.datasets.reading.known_words import (
    MODALITY_WORDS,
    SEX_WORDS,
    SKIN_WORDS,
)
from lentigo.datasets.reading.labels import read_label
from lentigo.datasets.reading.vocabulary import map_diagnoses, map_sites, map_words
from lentigo.datasets.reading.word_map import refuse_words
from lentigo.table_files.not_known import plain
from lentigo.words import counted, some

_WORDS = {
    "sex": SEX_WORDS,
    "skin_type": SKIN_WORDS,
    "modality": MODALITY_WORDS,
}


def read_folded(
    path: Path, needed: Iterable[str] = (), *, other_names: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return a CSV file as text, with its column names trimmed and in lower case.

    `other_names` maps the name of a column in some release of the archive to the usual
    name. Of two columns whose names differ only in case the first is kept.

    Raises `ColumnError`, with the nearest names, for the first of `needed` that is missing.
    """
    table = read_columns(path)
    known = {name.lower(): name for name in reversed(list(table.columns))}
    table = table[[known[name] for name in dict.fromkeys(map(str.lower, table.columns))]]
    table.columns = table.columns.str.lower()
    for theirs, usual in (other_names or {}).items():
        if usual not in table and theirs in table:
            table = table.rename(columns={theirs: usual})
    for name in needed:
        if name not in table:
            raise missing_column(name, table.columns, source=str(path))
    return table


def describe(
    source: pd.DataFrame, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return columns of a lesion table read from `source`, and sentences on unknown words.

    `columns` maps names in a lesion table to names in `source`; a column that `source`
    lacks is left out. `diagnosis` yields three columns: `diagnosis`, `melanoma` and
    `malignant`; `site` those of `map_sites`.
    """
    table = pd.DataFrame(index=source.index)
    notes: list[str] = []
    for ours, theirs in columns.items():
        if theirs in source:
            values, said = _read(source[theirs], ours)
            table = table.join(values)
            notes += said
    return table, notes


def _read(column: pd.Series[Any], ours: str) -> tuple[Any, list[str]]:
    if ours == "diagnosis":
        return map_diagnoses(column)
    if ours == "site":
        return map_sites(column)
    if ours in _WORDS:
        words, notes = map_words(column, _WORDS[ours], name=ours)
        values: pd.Series[Any] = pd.to_numeric(words) if ours == "skin_type" else words
    elif ours == "age":
        values, notes = read_ages(column)
    elif ours in {"width", "height"}:
        values, notes = pd.to_numeric(column, errors="coerce"), []
        values = values.where(values > 0)
    else:
        values, notes = column.astype("string").str.strip(), []
        values = values.mask(values == "")
    return values.rename(ours), notes


def one_hot(
    source: pd.DataFrame, classes: Mapping[str, str], *, where: str
) -> tuple[pd.Series[Any], list[str]]:
    """Return the word for the class of each row, from one column of 0 and 1 for each class.

    `classes` maps columns to words; `where` names the table in messages. The word is
    missing in rows in which not exactly one column is 1, and a sentence counts them.

    Raises `ColumnError` where a column is missing, and `UnknownWordsError` where it holds
    anything but 0 and 1.
    """
    for name in classes:
        if name not in source:
            raise missing_column(name, source.columns, source=where)
        _refuse_no_answer(source[name], source=where)
    chosen = source[list(classes)].apply(pd.to_numeric, errors="coerce") == 1
    words = chosen.idxmax(axis=1).map(classes).astype("string")
    unclear = chosen.sum(axis=1) != 1
    notes = []
    if count := int(unclear.sum()):
        notes.append(
            f"diagnosis is missing for {counted(count, 'row')} of {where} that "
            "do not name exactly one class."
        )
    return words.mask(unclear), notes


def _refuse_no_answer(column: pd.Series[Any], *, source: str) -> None:
    words = plain(column)
    known = words.isna() | pd.to_numeric(words, errors="coerce").isin([0, 1])
    refuse_words(column[~known], name=str(column.name), source=source)


def read_answer(
    column: pd.Series[Any], *, name: str, source: str
) -> tuple[pd.Series[Any], list[str]]:
    """Return yes or no as an archive writes it, and a sentence on words that are neither.

    Unlike `read_label` it returns no sentence on the meaning of `malignant`, which a reader
    of an archive knows.
    """
    answer, notes = read_label(column, source=source, name=name)
    return answer, [note for note in notes if note.startswith(f"{name} is missing")]


def with_archive_answer(
    table: pd.DataFrame, malignant: pd.Series[Any]
) -> tuple[pd.DataFrame, list[str]]:
    """Fill in malignancy by the archive's own column where the diagnosis leaves it open.

    A lesion that this column calls benign is not melanoma, either. Where the column
    contradicts the diagnosis, the diagnosis is used, and a sentence counts the images.
    """
    own = malignant.astype("boolean")
    differs = (table["malignant"] != own).fillna(False).astype(bool)
    filled = table.assign(
        malignant=table["malignant"].fillna(own),
        melanoma=table["melanoma"].mask(
            table["melanoma"].isna() & ~own.fillna(True), False
        ),
    )
    if not differs.any():
        return filled, []
    words = table.loc[differs, "diagnosis"].value_counts()
    listed = [f"{word} ({count:,})" for word, count in words.items()]
    return filled, [
        f"For {counted(int(differs.sum()), 'image')} the archive's own word on malignancy "
        f"contradicts the diagnosis, which is believed: {some(listed)}."
    ]
