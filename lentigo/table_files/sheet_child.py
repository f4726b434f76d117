"""Child process: print one sheet of the workbook on standard input as CSV.

Arguments: seconds, bytes of memory, most bytes to print, name of the sheet (or ""). The
first line of output is JSON: the sheets with content and the one that follows, or the
error.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

TOO_MUCH = 9


def _hold(seconds: int, memory: int) -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _tell(**said: Any) -> None:
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return str(cell)


def _as_line(row: list[Any]) -> bytes:
    cells = [_text(cell) for cell in row]
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "replace")


def _chosen(data: bytes, book: Any, wanted: str) -> Any:
    """Return the sheet to print; None where an answer without a sheet has been printed.

    It is the sheet named `wanted` or, if that is empty, the first visible one that is not
    empty.
    """
    from python_calamine import SheetVisibleEnum

    visible = [
        each.name
        for each in book.sheets_metadata
        if each.visible == SheetVisibleEnum.Visible
    ]
    if wanted and wanted not in book.sheet_names:
        _tell(sheets=book.sheet_names, absent=True)
        return None
    names = [wanted] if wanted else visible or book.sheet_names
    sheets = {name: book.get_sheet_by_name(name) for name in names}
    full = [name for name, sheet in sheets.items() if sheet.height]
    if not full:
        _tell(sheets=names, empty=True)
        return None
    lost, errors = _without_result(data, full[0], book.sheet_names.index(full[0]))
    _tell(sheets=full, sheet=full[0], lost=lost, errors=errors)
    return None if lost else sheets[full[0]]


def _without_result(data: bytes, sheet: str, number: int) -> tuple[list[str], list[str]]:
    from lentigo.table_files.formulas import places

    # The library can read the sheet even if this search in its XML fails.
    with suppress(Exception):
        return places(data, sheet, number)
    return [], []


def _rows(sheet: Any) -> Iterator[list[Any]]:
    """Yield the rows; a cell merged with the one above it gets the value of that cell."""
    merged = _merged_downwards(sheet)
    held: dict[int, tuple[int, Any]] = {}
    for number, row in enumerate(sheet.iter_rows()):
        held = {column: last for column, last in held.items() if number <= last[0]}
        for column, (_, value) in held.items():
            row[column] = value
        for column, bottom in merged.get(number, ()):
            if 0 <= column < len(row):
                held[column] = bottom, row[column]
        yield row


def _merged_downwards(sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """Return, by the first row of merged cells, their column in the output and last row."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            merged.setdefault(top, []).append((left - sheet.start[1], bottom))
    return merged


def _print_sheet(data: bytes, wanted: str, largest: int) -> int:
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = _chosen(data, book, wanted)
        for row in _rows(sheet) if sheet is not None else ():
            line = _as_line(row)
            largest -= len(line)
            if largest < 0:
                return TOO_MUCH
            sys.stdout.buffer.write(line)
    except PasswordError:
        _tell(error="it is locked by a password")
    except (Exception, MemoryError) as error:
        _tell(error=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    sys.stdout.buffer.flush()
    return 0


def main() -> None:
    """Read the four arguments and standard input, print the sheet, and exit.

    The exit code is 9 if the sheet is larger than allowed.
    """
    seconds, memory, largest, wanted = sys.argv[1:5]
    _hold(int(seconds), int(memory))
    sys.exit(_print_sheet(sys.stdin.buffer.read(), wanted, int(largest)))
