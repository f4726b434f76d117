"""Workbooks of Excel and LibreOffice: read one sheet as CSV.

A workbook of a few kilobytes can claim a sheet of any size, so it is opened in a child
process with limits of time and memory.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from lentigo import isolated
from lentigo.errors import DatasetError
from lentigo.table_files.opened import LARGEST, check_ratio, too_large
from lentigo.words import counted, some, verb

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_SECONDS = 120
_MEMORY, _MEMORY_A_BYTE, _MOST_MEMORY = 512 * 2**20, 60, 4 * 2**30
"""Limits of memory in bytes: the least, the addition per byte of the workbook, and the
most."""

_CHILD = "from lentigo.table_files.sheet_child import main; main()"


def is_workbook(data: bytes) -> bool:
    """Tell by its bytes, not by its name, whether a file is a workbook."""
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return True
    if not data.startswith(b"PK"):
        return False
    # A zip stores the names of its members uncompressed.
    return b"xl/workbook" in data or (b"content.xml" in data and b"mimetype" in data[:50])


def sheet_as_csv(data: bytes, path: Path | str, sheet: str | None) -> tuple[bytes, str]:
    """Return a sheet of a workbook as CSV in UTF-8, and notes on other sheets and errors.

    `sheet` is its name; None means the first visible sheet that is not empty. Whole numbers
    are written without a decimal point, dates as 2023-01-31. The notes are "" if there are
    none.

    Raises `DatasetError` where the sheet does not exist, all sheets are empty, formulas
    have no results, or the workbook is broken, locked by a password, or needs more time or
    memory than a table does.
    """
    _check_packed(data, path)
    told, _, text = _in_child(data, path, sheet or "").partition(b"\n")
    try:
        said = json.loads(told)
    except ValueError:
        said = {"error": "it breaks the program that reads it"}
    names = [str(name) for name in said.get("sheets", [])]
    if said.get("absent"):
        raise DatasetError(
            f"{path} has no sheet {sheet!r}; it has {some(names, at_most=8)}. Name it as "
            f"in {path}#{names[0] if names else 'Sheet1'}."
        )
    if said.get("empty"):
        raise DatasetError(f"{path} is empty: no cell of {some(names)} holds anything.")
    if "error" in said:
        raise DatasetError(f"{path} cannot be read as a table: {said['error']}.")
    if lost := said.get("lost"):
        raise _not_calculated(path, lost)
    return text, " ".join(_notes(path, names, said))


def _not_calculated(path: Path | str, cells: list[str]) -> DatasetError:
    """Return the error for cells whose formula has no result.

    They usually hold patients and labels, which would all be missing.
    """
    where = f" ({some(cells)})" if all(cells) else ""
    return DatasetError(
        f"{path}: {counted(len(cells), 'cell')}{where} {verb(len(cells), 'has', 'have')} a "
        "formula without its result, as programs write that do not calculate. Open it in "
        "Excel or LibreOffice, save it, and give that."
    )


def _notes(path: Path | str, names: list[str], said: Mapping[str, Any]) -> Iterator[str]:
    if len(names) > 1:
        other = next(name for name in names if name != said["sheet"])
        yield (
            f"{path} has {len(names)} sheets; {said['sheet']!r} was read. For another one "
            f"write {path}#{other}."
        )
    if errors := said.get("errors"):
        yield (
            f"{path}: {counted(len(errors), 'cell')} of the sheet ({some(errors)}) "
            f"{verb(len(errors), 'holds', 'hold')} an error such as #REF! or #N/A and "
            f"{verb(len(errors), 'is', 'are')} read as empty."
        )


def _check_packed(data: bytes, path: Path | str) -> None:
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            sizes = [(item.file_size, item.compress_size) for item in file.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DatasetError(f"{path} is a broken workbook: {error}.") from error
    if (total := sum(size for size, _ in sizes)) > LARGEST:
        raise too_large(path, total, LARGEST)
    for size, packed in sizes:
        check_ratio(path, size, packed)


def _in_child(data: bytes, path: Path | str, sheet: str) -> bytes:
    memory = min(_MEMORY + _MEMORY_A_BYTE * len(data), _MOST_MEMORY)
    bounds = map(str, (_SECONDS, memory, LARGEST))
    try:
        done = subprocess.run(
            isolated.command(_CHILD, *bounds, sheet), env=isolated.environment(),
            input=data, capture_output=True, timeout=4 * _SECONDS,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, BrokenPipeError, ValueError) as error:
        raise _costly(path) from error
    if done.returncode:
        raise isolated.could_not_start(done.stderr.decode(errors="replace")) or _costly(
            path
        )
    return done.stdout


def _costly(path: Path | str) -> DatasetError:
    return DatasetError(
        f"{path} takes more time or memory to open than a table of its size does. Save the "
        "sheet as CSV UTF-8 and give that."
    )
