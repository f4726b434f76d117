"""Text tables (CSV and similar): find the separator of the columns, read cells as text."""

from __future__ import annotations

import csv
import io
import re
import warnings
from contextlib import suppress
from pathlib import Path

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.table_files.opened import reason
from lentigo.words import counted

SEPARATORS = ",;\t|"
MOST_CELLS, MOST_COLUMNS, MOST_ROWS = 60_000_000, 4096, 5_000_000
"""Limits of a table. The largest known one, that of SLICE-3D, has 22 million cells in 55
columns."""

_BYTES_A_CELL, _TIMES_A_BYTE = 75, 4
"""Peak memory of reading, as an upper estimate per cell and per byte of the file. Test
tables of 1 million cells of 0, 1, 8 and 36 bytes took 24, 30, 50 and 158 MB; the estimate
is 79, 83, 111 and 223. One in the shape of SLICE-3D's (400,000 rows) took 0.7 GB; the
estimate is 2.4."""

_SAMPLE = 2**16
_LONGEST_LINE = 4 * 2**20
"""Bytes of a line: a thousand letters in each of the columns that a table may have."""


def parse(text: bytes, path: Path | str) -> tuple[pd.DataFrame, str]:
    """Return the cells of a text table in UTF-8, all as text, and its column separator.

    Only empty cells are missing values. The separator is a comma, semicolon, tab or bar,
    guessed from the first lines unless the first line is `sep=;` or the like.

    Raises `DatasetError` where the table is empty, malformed or larger than allowed, or its
    first line is no header.
    """
    separator, start = _separator(text)
    body = text[start:]
    _check_size(body, separator, path)
    _check_header(body, separator, path)
    try:
        with warnings.catch_warnings():
            # Otherwise one field too many in a row would shift every value by one column.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.BytesIO(body), sep=separator, dtype="string", encoding="utf-8",
                index_col=False, keep_default_na=False, na_values=[""],
            )  # fmt: skip
    except pd.errors.ParserWarning:
        raise DatasetError(
            f"{path} has rows with more fields than its header line has names; look for a "
            "stray separator, or name the last column."
        ) from None
    except pd.errors.EmptyDataError:
        raise DatasetError(f"{path} is empty: it has not even a header line.") from None
    except pd.errors.ParserError as error:
        raise malformed(path, error) from None
    except (ValueError, MemoryError, OverflowError) as error:
        raise DatasetError(f"{path} cannot be read as a table: {reason(error)}.") from error
    return table, separator


def short_rows(text: bytes, columns: int) -> tuple[int, int]:
    """Return the number of rows with too few cells, and the line where the first one ends.

    `columns` is the number of cells that a row should have. Both are 0 without a short
    row. Such a row is read as if empty cells followed.
    """
    separator, start = _separator(text)
    body = text[start:]
    rows = max(body.count(b"\n"), body.count(b"\r"))
    # Rows that are too long raise errors; so, without quotes, counting is enough.
    if b'"' not in body and body.count(separator.encode()) >= (columns - 1) * (rows + 1):
        return 0, 0
    count = first = 0
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=separator)
    with suppress(csv.Error):  # a cell too long for the csv module, but not for pandas
        for row in reader:
            if row and len(row) < columns:
                count, first = count + 1, first or reader.line_num
    return count, first


def line_of(text: bytes, row: int) -> int:
    """Return the number of the line in which a row of a text table in UTF-8 begins.

    `row` is its number in the table of `parse`, from 0, which has no blank lines.
    """
    separator, start = _separator(text)
    above = io.TextIOWrapper(io.BytesIO(text[:start]), encoding="utf-8", newline="")
    line = first = sum(1 for _ in above) + 1
    body = io.TextIOWrapper(io.BytesIO(text[start:]), encoding="utf-8", newline="")
    reader, left = csv.reader(body, delimiter=separator), row + 1
    with suppress(csv.Error):  # a cell too long for the csv module, but not for pandas
        for cells in reader:
            if "".join(cells).strip() or len(cells) > 1:
                if not left:
                    return line
                left -= 1
            line = first + reader.line_num
    return line


def header(text: bytes) -> list[str]:
    """Return the column names of a text table in UTF-8."""
    separator, start = _separator(text)
    rows = _rows(text[start : start + _SAMPLE].decode(errors="replace"), separator)
    return rows[0] if rows else []


def malformed(path: Path | str, error: pd.errors.ParserError) -> DatasetError:
    """Return the error for a malformed CSV, with the line and what to do."""
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if fields:
        expected, line, there = (int(word) for word in fields.groups())
        return DatasetError(
            f"{path}: line {line:,} has {counted(there, 'field')}, but the header line has "
            f"{expected:,}. Look for a stray separator there, or put quotation marks "
            "around a text that holds one."
        )
    quoted = re.search(r"EOF inside string starting at row (\d+)", str(error))
    if quoted:
        return DatasetError(
            f"{path}: a quotation mark in line {int(quoted[1]) + 1:,} or below is never "
            "closed. Close it, or take it out."
        )
    return DatasetError(
        f"{path} cannot be read as a table: its lines do not fit together. Open it in a "
        "spreadsheet and save it as CSV UTF-8."
    )


def separator_of(text: bytes) -> str:
    """Return the separator of the columns of a text table in UTF-8."""
    return _separator(text)[0]


def _separator(text: bytes) -> tuple[str, int]:
    """Return the separator and the byte where the header starts, below empty rows."""
    mark, start = _mark(text)
    blank = re.compile(rb"(?:[ \t\"%s]*(?:\r\n|\n|\r))*" % re.escape(mark.encode()))
    above = blank.match(text, start, start + _SAMPLE)
    return mark, above.end() if above else start


def _mark(text: bytes) -> tuple[str, int]:
    """Return the separator, and the byte after a first line `sep=` (0 without one)."""
    first = re.match(rb'\s*"?sep=(.)"?[ \t,;]*(\r\n|\n|\r|$)', text[:64], re.IGNORECASE)
    if first and (mark := first[1].decode(errors="replace")) in SEPARATORS:
        return mark, first.end()
    sample = text[:_SAMPLE].decode(errors="replace")
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    return max(SEPARATORS, key=lambda mark: _likeliness(sample, mark)), 0


def _likeliness(sample: str, separator: str) -> tuple[float, int]:
    """Score a separator: the share of rows with the usual number of columns, that number.

    The share is larger by a half if the separator occurs in the header. Separators are
    compared by the share first.
    """
    widths = [len(row) for row in _rows(sample, separator)]
    several = [width for width in widths if width > 1]
    if not several:
        return 0.0, 1
    usual = max(set(several), key=several.count)
    return several.count(usual) / len(widths) + (widths[0] > 1) / 2, usual


def _rows(sample: str, separator: str) -> list[list[str]]:
    """Return the first 30 rows that are not blank, split at the separator."""
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=None), delimiter=separator):
            if row:
                found.append(row)
            if len(found) == 30:
                break
    except csv.Error:
        pass
    return found


def _check_size(text: bytes, separator: str, path: Path | str) -> None:
    cells = text.count(separator.encode()) + max(text.count(b"\n"), text.count(b"\r"))
    first = re.search(rb"[\r\n]", text)
    columns = text.count(separator.encode(), 0, first.start() if first else len(text)) + 1
    for there, most, what in (
        (columns, MOST_COLUMNS, "columns"),
        (max(text.count(b"\n"), text.count(b"\r")), MOST_ROWS, "rows"),
        (cells, MOST_CELLS, "cells"),
    ):
        if there > most:
            raise DatasetError(
                f"{path} has {there:,} {what}; a table may have {most:,}. Keep the columns "
                "that are needed, or read it in parts."
            )
    _check_lines(text, path)
    check_memory(cells * _BYTES_A_CELL + len(text) * _TIMES_A_BYTE, path)


def _check_lines(text: bytes, path: Path | str) -> None:
    """Raise `DatasetError` for a line of more than `_LONGEST_LINE` bytes.

    Each step of the reading would copy it.
    """
    start = 0
    while (end := start + _LONGEST_LINE) < len(text):
        last = max(text.rfind(b"\n", start, end), text.rfind(b"\r", start, end))
        if last < 0:
            raise DatasetError(
                f"{path} has a line of more than {_LONGEST_LINE:,} bytes, which no line of "
                "a table has. Save it as CSV UTF-8, with one line an image."
            )
        start = last + 1


def check_memory(needed: int, path: Path | str) -> None:
    """Raise `DatasetError` if `needed` exceeds the bytes of memory that are available."""
    there = available_memory()
    if there is not None and needed > there:
        raise DatasetError(
            f"{path} would take about {needed:,} bytes of memory, and {there:,} are free. "
            "Keep the columns that are needed, or read it in parts."
        )


def available_memory() -> int | None:
    """Return the bytes of memory that Linux reports as available; None on other systems."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"MemAvailable:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else None


def _check_header(text: bytes, separator: str, path: Path | str) -> None:
    """Raise `DatasetError` if a title stands above the header of a text table."""
    rows = _rows(text[:_SAMPLE].decode(errors="replace"), separator)
    check_first_row(rows, path)


def check_first_row(rows: list[list[str]], path: Path | str) -> None:
    """Raise `DatasetError` if the first row is a title and not the header.

    It is a title if it fills at most one cell, while most rows fill more.
    """
    if len(rows) < 3:
        return
    named = [sum(bool(cell.strip()) for cell in row) for row in rows]
    header = next((n for n, count in enumerate(named) if count > 1), 0)
    if named[0] <= 1 and header and sum(count > 1 for count in named) * 2 > len(rows):
        title = next((cell for cell in rows[0] if cell.strip()), "")[:40]
        raise DatasetError(
            f"{path}: the first row holds {title!r} alone, so it is no header. The names "
            f"of the columns seem to stand in row {header + 1}; delete what is above it."
        )
