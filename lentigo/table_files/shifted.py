"""Rows of a text table that reading would swallow or shift: refused, with their place."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.table_files.delimited import header, separator_of
from lentigo.visible import shortened
from lentigo.words import counted, verb

_BREAK = re.compile(r"\r\n|\n|\r")


def refuse_shifted(table: pd.DataFrame, text: bytes, path: Path | str) -> None:
    """Raise `DatasetError` for rows of a text table that were read as part of others.

    `table` holds the cells of `text`, in UTF-8. A quotation mark that is not closed makes
    one cell of all lines up to the next mark, and an unquoted decimal comma moves all that
    follows it by one column, the last of them into a column without a name.
    """
    separator = separator_of(text)
    if b'"' in text and max(text.count(b"\n"), text.count(b"\r")) > len(table):
        _refuse_swallowed(table, text, separator, path)
    _refuse_nameless(table, header(text), path)


def _refuse_swallowed(
    table: pd.DataFrame, text: bytes, separator: str, path: Path | str
) -> None:
    """Raise `DatasetError` for a cell of several lines that holds whole rows of a table."""
    for name in table:
        cells = table[name]
        long = cells[cells.str.contains("[\n\r]", regex=True).fillna(False).astype(bool)]
        for row, cell in long.items():
            lines = _BREAK.split(str(cell))
            if not _holds_rows(lines, separator, columns=table.shape[1]):
                continue
            raise DatasetError(
                f"{path}: a quotation mark is not closed in {_place(lines[0], text, row)}, "
                f"so that {counted(len(lines) - 1, 'row')} below "
                f"{verb(len(lines) - 1, 'becomes', 'become')} part of the cell "
                f"{shortened(lines[0], at_most=30)!r} of the column {name}. Close it, or "
                "take it out; if the cell does hold these lines, save the table as .xlsx."
            )


def _holds_rows(lines: list[str], separator: str, *, columns: int) -> bool:
    """Tell whether the lines of a cell are rows of the table, by their separators.

    From one unclosed mark to the next there are as many separators as in whole rows. One
    before a space is not counted, because prose has commas, too.
    """
    counts = [len(re.findall(rf"{re.escape(separator)}(?! )", line)) for line in lines]
    needed = columns - 1
    if not needed:
        return False
    return max(counts) >= needed or sum(counts) == needed * (len(lines) - 1)


def _place(first: str, text: bytes, row: object) -> str:
    """Return "line 3" for the line of `text` in which the cell begins with `first`."""
    at = text.find(b'"' + first.encode())
    if at < 0:
        return f"row {int(str(row)) + 2:,} or above"
    breaks = max(text.count(b"\n", 0, at), text.count(b"\r", 0, at))
    return f"line {breaks + 1:,}"


def _refuse_nameless(table: pd.DataFrame, names: list[str], path: Path | str) -> None:
    """Raise `DatasetError` for values in columns without a name behind all others.

    A first row in which most names are missing is a title or one of two headers, of which
    others tell.
    """
    named = max((n for n, name in enumerate(names, start=1) if name.strip()), default=0)
    if 2 * (len(names) - named) >= named:
        return
    for number, (_, column) in list(enumerate(table.items()))[named : len(names)]:
        filled = column.notna() & column.str.strip().ne("").fillna(False)
        if count := int(filled.sum()):
            row = int(filled.to_numpy().argmax()) + 2
            raise DatasetError(
                f"{path}: {counted(count, 'row')} (the first is row {row:,}, with "
                f"{shortened(str(column[filled].iloc[0]), at_most=30)!r}) "
                f"{verb(count, 'has', 'have')} a value in column {number + 1}, which has "
                "no name. A decimal comma without quotation marks may have moved these "
                "rows by one column. Put 45,1 in quotation marks, or name the column."
            )
