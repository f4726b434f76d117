"""Rows of a text table that reading would swallow or shift: refused, with their place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.table_files.delimited import header, line_of, separator_of
from lentigo.visible import shortened
from lentigo.words import counted, verb


def refuse_shifted(table: pd.DataFrame, text: bytes, path: Path | str) -> None:
    """Raise `DatasetError` for rows of a text table that were read as part of others.

    `table` holds the cells of `text`, in UTF-8. A quotation mark that is not closed makes
    one cell of all lines up to the next mark, and an unquoted decimal comma moves all that
    follows it by one column, the last of them into a column without a name.
    """
    separator = separator_of(text)
    if b'"' in text and max(text.count(b"\n"), text.count(b"\r")) > len(table):
        _refuse_swallowed(table, text, separator, path)
    _refuse_nameless(table, text, path)


def _refuse_swallowed(
    table: pd.DataFrame, text: bytes, separator: str, path: Path | str
) -> None:
    """Raise `DatasetError` for a cell of several lines that holds whole rows of a table."""
    for line, record in _malformed(text, separator):
        begun = _opened(record[0], separator)
        first = begun[-1].rstrip("\r\n")
        lines = [first, *record[1:-1], record[-1].partition('"')[0]]
        if not _holds_rows(lines, separator, columns=table.shape[1]):
            continue
        below, name = len(record) - 1, table.columns[min(len(begun), table.shape[1]) - 1]
        raise DatasetError(
            f"{path}: a quotation mark is not closed in line {line:,}, so that "
            f"{counted(below, 'row')} below {verb(below, 'becomes', 'become')} part of the "
            f"cell {shortened(first, at_most=30)!r} of the column {name}. Close it, or "
            "take it out; if the cell does hold these lines, save the table as .xlsx."
        )


def _opened(line: str, separator: str) -> list[str]:
    """Return the cells of a line, the last of which may go on in the next line."""
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:  # a cell too long for the csv module
        return line.split(separator)


def _malformed(text: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number of the first line, and lines, of each malformed record of several lines.

    A record is malformed where a closing quotation mark is not followed by a separator or
    the end of the line. A well-formed cell may hold any number of lines and separators.
    """
    whole = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    lines, done = list(whole), 0
    reader = csv.reader(iter(lines), delimiter=separator, strict=True)
    while done < len(lines):
        end = done
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A cell too long for the csv module ends further below, at the next mark.
            end = reader.line_num
            several = end - done > 1
            while several and end < len(lines) and '"' not in lines[end - 1]:
                end += 1
        if end - done > 1:
            yield done + 1, lines[done:end]
        done = reader.line_num


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


def _refuse_nameless(table: pd.DataFrame, text: bytes, path: Path | str) -> None:
    """Raise `DatasetError` for values in columns without a name behind all others.

    A first row in which most names are missing is a title or one of two headers, of which
    others tell.
    """
    names = header(text)
    named = max((n for n, name in enumerate(names, start=1) if name.strip()), default=0)
    if 2 * (len(names) - named) >= named:
        return
    for number, (_, column) in list(enumerate(table.items()))[named : len(names)]:
        filled = column.notna() & column.str.strip().ne("").fillna(False)
        if count := int(filled.sum()):
            line = line_of(text, int(filled.to_numpy().argmax()))
            raise DatasetError(
                f"{path}: {counted(count, 'row')} (the first in line {line:,}, with "
                f"{shortened(str(column[filled].iloc[0]), at_most=30)!r}) "
                f"{verb(count, 'has', 'have')} a value in column {number + 1}, which has "
                "no name. A decimal comma without quotation marks may have moved these "
                "rows by one column. Put 45,1 in quotation marks, or name the column."
            )
