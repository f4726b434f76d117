"""Rows of a spreadsheet that describe no image: further headers, totals, headings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import COLUMN_NAMES
from lentigo.datasets.reading.known_words import LABEL_WORDS
from lentigo.datasets.reading.spelling import fold, without_accents
from lentigo.errors import ColumnError, DatasetError
from lentigo.progress import log
from lentigo.tables import NotedTable
from lentigo.visible import shortened
from lentigo.words import counted, some, verb

Rows = TypeVar("Rows", pd.DataFrame, pd.Series)

_NAMES = frozenset(
    key(name)
    for names in COLUMN_NAMES.values()
    for name in names
    if LABEL_WORDS.find(name) is None
)
"""Known names of columns, except those that may be the content of a cell (melanoma, mel,
y)."""

_FIRST_ROWS = 10

_TOTALS = frozenset(
    {"mean", "standard deviation", "std dev", "minimum", "maximum", "mediana", "médiane",
     "desviación estándar", "deviazione standard", "desvio padrão", "écart type",
     "écart-type", "número total", "nombre total", "numero totale", "标准差", "中位数",
     "均值",
     "sum", "total", "totals", "subtotal", "sub-total", "grand total", "average", "median",
     "summe", "summen", "gesamt", "gesamtsumme", "gesamtzahl", "insgesamt", "zwischensumme",
     "mittelwert", "durchschnitt", "anzahl", "standardabweichung",
     "suma", "totales", "promedio", "recuento", "somme", "totaux", "total general",
     "moyenne", "effectif", "somma", "totale", "totali", "soma", "totais",
     "合计", "总计", "总数", "小计", "平均", "平均值", "共计"}
)  # fmt: skip
_ONLY_OF_IMAGES = frozenset(
    {"std", "sd", "min", "max", "count", "media", "mittel", "最大值", "最小值"}
)
"""Words that sum up in the place of an image's name; a patient may be called Max or SD."""
_PLAIN_TOTALS = frozenset(map(without_accents, _TOTALS))
_TOTAL = re.compile(r"(?P<word>\D*?)(?:[\s:=]+[\d.,% ]*)?")
_COUNT = re.compile(r"[n∑σ]\s*[=:]\s*\d[\d.,  ]*")
_LETTERS = 40
_LONGEST = 200
"""Letters of the longest cell that may sum up rows."""


def as_rows_of(read: NotedTable, source: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a file that are also in the table `read` from it.

    Raises `DatasetError` where their numbers differ: the file was changed in the meantime.
    """
    rows = without_rows(source, read.no_images)
    if len(rows) != len(read.table):
        raise DatasetError(
            f"The table was changed while it was read: it had "
            f"{counted(len(read.table), 'image')}, "
            f"and now it has {len(rows):,}. Give the command again."
        )
    return rows


def without_rows(source: Rows, rows: Sequence[int]) -> Rows:
    """Return a table or column without the given rows, with a new index from 0."""
    return source.drop(index=list(rows)).reset_index(drop=True) if rows else source


@dataclass(frozen=True)
class OtherRows:
    """The numbers of the rows of a table that describe no image, and sentences on them."""

    rows: list[int]
    notes: list[str]


def header_below(source: pd.DataFrame) -> tuple[int, list[str]] | None:
    """Return the first row, of ten, that holds names of columns, and these names.

    The number counts the header of the file as row 1. None without such a row.
    """
    for number, cells in enumerate(source.head(_FIRST_ROWS).to_numpy(), start=2):
        filled = [str(cell).strip() for cell in cells if pd.notna(cell)]
        names = list(dict.fromkeys(cell for cell in filled if key(cell) in _NAMES))
        if len(names) >= 2 and 2 * len(names) >= len(filled):
            return number, names
    return None


def refuse_second_header(source: pd.DataFrame, *, where: str) -> None:
    """Raise `DatasetError` where a further row of column names follows the header."""
    found = header_below(source)
    if found is None or _repeats_header(source).iloc[found[0] - 2]:
        return
    raise DatasetError(
        f"{where}: row {found[0]} (empty rows not counted) holds names of columns "
        f"({some(found[1])}), so the header has several rows. Keep one row with a name for "
        "each column, and delete the others."
    )


def other_rows(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    has_file: pd.Series[bool],
    *,
    where: str,
) -> OtherRows:
    """Return the rows of `source` that describe no image.

    `chosen` maps columns of a lesion table to columns of `source`; `has_file` tells for
    which rows an image file was found; `where` names the table in messages. Rows that
    describe no image repeat the header, sum up other rows (`Summe`, `n = 60`) or, without
    an image file, hold a name and nothing else, as headings and footnotes do.

    Raises `ColumnError` for a row that is not empty but has no name of an image.
    """
    image = chosen["image_id"]
    names = source[image].astype("string").str.strip()
    repeats = _repeats_header(source)
    totals = _are_totals(source, chosen, nameless=names.isna()) & ~has_file & ~repeats
    alone = _are_alone(source, names, has_file) & ~totals & ~repeats
    _refuse_nameless(source[names.isna() & ~totals & ~repeats], image, where)
    notes = []
    if count := int(repeats.sum()):
        notes.append(
            f"{counted(count, 'row')} {verb(count, 'repeats', 'repeat')} the header and "
            f"{verb(count, 'is', 'are')} left out."
        )
    for rows, what in (
        (totals, "to sum up others"),
        (alone, "to be a heading or a footnote (a name, and nothing else)"),
    ):
        if count := int(rows.sum()):
            sentence = (
                f"{counted(count, 'row')} that {verb(count, 'seems', 'seem')} {what} "
                f"{verb(count, 'is', 'are')} left out"
            )
            # What stands there may name people, and notes are stored with the table.
            log.info("%s: %s.", sentence, _quoted(source[rows]))
            numbers = [f"{row + 2:,}" for row in np.flatnonzero(rows)]
            notes.append(
                f"{sentence}: {verb(count, 'row', 'rows')} {some(numbers)} "
                "(empty rows not counted)."
            )
    return OtherRows(source.index[repeats | totals | alone].tolist(), notes)


def _repeats_header(source: pd.DataFrame) -> pd.Series[bool]:
    """Tell whether each row repeats the names of the columns, as in two sheets joined."""
    same = pd.Series(True, index=source.index)
    for name in source:
        cells = source[name].astype("string").str.strip()
        same &= (cells.isna() | (cells == str(name))).fillna(True).astype(bool)
        if not same.any():
            return same
    return same & source.notna().any(axis=1)


def _are_totals(
    source: pd.DataFrame, chosen: Mapping[str, str], *, nameless: pd.Series[bool]
) -> pd.Series[bool]:
    ids = [
        chosen[name] for name in ("image_id", "patient_id", "lesion_id") if name in chosen
    ]
    found = pd.Series(False, index=source.index)
    for name in dict.fromkeys([str(source.columns[0]), *ids]):
        found |= _says_total(source[name])
    images = source[chosen["image_id"]].astype("string").map(fold, na_action="ignore")
    found |= images.isin(_ONLY_OF_IMAGES).fillna(False).astype(bool)
    # In rows without the name of an image, which are few, all cells are checked.
    rest = source[nameless & ~found]
    for _, column in rest.items():
        found |= _says_total(column).reindex(source.index, fill_value=False)
    return found


def _says_total(column: pd.Series[Any]) -> pd.Series[bool]:
    words = column.astype("string").str.strip()
    each = {word: _is_total(word) for word in words.dropna().unique()}
    return words.map(each).fillna(False).astype(bool)


def _is_total(cell: str) -> bool:
    if len(cell) > _LONGEST:  # the search takes a time that grows with the square of it
        return False
    word = fold(cell)
    if _COUNT.fullmatch(word):
        return True
    found = _TOTAL.fullmatch(word)
    return bool(found) and without_accents(found["word"].strip()) in _PLAIN_TOTALS  # type: ignore[index]


def _are_alone(
    source: pd.DataFrame, names: pd.Series[Any], has_file: pd.Series[bool]
) -> pd.Series[bool]:
    """Tell whether each row is a name and nothing else, while most rows hold more.

    If no image has a file, the name must be several words, as names of images are one.
    """
    cells = source.notna().sum(axis=1)
    alone = names.notna() & (cells == 1) & ~has_file
    if cells.median() < 2:
        return alone & False
    return alone if has_file.any() else alone & names.str.contains(r"\s").fillna(False)


def _refuse_nameless(rows: pd.DataFrame, image: str, where: str) -> None:
    if rows.empty:
        return
    raise ColumnError(
        f"{where}: {counted(len(rows), 'row')} {verb(len(rows), 'holds', 'hold')} "
        f"something, but no name of an image in the column {image}: {_quoted(rows)}. "
        f"Fill it in, or delete {verb(len(rows), 'the row', 'these rows')}."
    )


def _quoted(rows: pd.DataFrame) -> str:
    """Return the first three rows as text, for a message."""
    shown = []
    for cells in rows.head(3).to_numpy():
        filled = [str(cell).strip() for cell in cells if pd.notna(cell)]
        shown.append(shortened(" | ".join(filled[:3]), at_most=_LETTERS))
    return some([f"{text!r}" for text in shown] + [""] * (len(rows) - len(shown)))
