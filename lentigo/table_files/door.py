"""Reading of table files in every command: CSV, Excel, ODS and Parquet."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.files import unguarded
from lentigo.progress import log
from lentigo.table_files import (
    cells,
    columnar,
    delimited,
    letters,
    opened,
    shifted,
    workbook,
)
from lentigo.table_files.noted import NotedTable
from lentigo.words import counted, some, verb

_TEXTS = (".csv", ".tsv", ".tab", ".txt")
_PACKED = (".gz", ".bz2", ".xz")
SUFFIXES = (
    ".csv", ".tsv", ".tab", ".parquet", ".pq", *workbook.SUFFIXES,
    *(text + packed for text in (".csv", ".tsv") for packed in _PACKED),
)  # fmt: skip
"""Endings of file names by which a path is recognised as a table."""

_JSON = re.compile(rb"""[\[{]\s*[\[{"]|[\[{]\s*[\]}]""")
"""Beginning of an object or a list of objects; no header line has one."""
_LINES_OF_HTML = (b"<html", b"<!doctype", b"<table", b"<?xml")


def is_table(path: Path | str) -> bool:
    """Tell whether a path ends as a table does, perhaps with `#` and a sheet's name."""
    name = str(split_sheet(path)[0]).lower()
    return name.endswith(SUFFIXES)


def is_visible_table(path: Path) -> bool:
    """Tell whether a path is an existing table file that is not hidden or temporary."""
    # Excel keeps a file ~$clinic.xlsx beside a workbook that is open.
    hidden = path.name.startswith((".", "~$"))
    return is_table(path) and not hidden and path.is_file()


def table_name(path: Path | str) -> str:
    """Return the name of a table without its endings: `march` of `march.csv.gz`.

    A sheet of a workbook has the name of its workbook.
    """
    file = split_sheet(path)[0]
    return Path(file.stem).stem if is_packed(file) else file.stem


def is_packed(path: Path) -> bool:
    """Tell whether a path ends as a packed table does, such as `.csv.gz`."""
    return path.suffix.lower() in _PACKED and is_table(path)


def read_header(path: Path) -> list[str]:
    """Return the column names of a text table; an empty list for a workbook or Parquet.

    Raises what `read_cells` raises.
    """
    data = opened.read_bytes(path)
    if columnar.is_parquet(data) or workbook.is_workbook(data) or data.startswith(b"PK"):
        return []
    return delimited.header(letters.as_utf8(data, path)[0])


def split_sheet(path: Path | str) -> tuple[Path, str | None]:
    """Return workbook and sheet of `clinic.xlsx#Patients`.

    The sheet of other paths is None.
    """
    text = str(path)
    front, mark, sheet = text.rpartition("#")
    if mark and sheet and front.lower().endswith(workbook.SUFFIXES):
        return Path(front), sheet
    return Path(text), None


def read_cells(path: Path | str) -> pd.DataFrame:
    """Return a text table or the sheet of a workbook, all as text; Parquet keeps its types.

    Only empty cells are missing values. A guess, such as that of the encoding, is logged
    once per file.

    Raises `DatasetNotFoundError` where there is no such file, and `DatasetError` where it
    holds no table or one that is too large.
    """
    return _read(path)[0].table


def _read(path: Path | str) -> tuple[NotedTable, bool]:
    """Return the table without empty rows, and whether its columns have types (Parquet)."""
    read, has_types = _every_row(path)
    first = read.table.iloc[:, 0] if read.table.shape[1] else pd.Series(dtype="object")
    if has_types or not first.isna().any():
        return read, has_types
    return read.holding(read.table.dropna(how="all", ignore_index=True)), has_types


def _every_row(path: Path | str) -> tuple[NotedTable, bool]:
    place, sheet = split_sheet(path)
    data = opened.read_bytes(place)
    if columnar.is_parquet(data):
        table, left_out = columnar.read_parquet(data, place)
        if left_out:
            _say(f"{place}: lists, structures and bytes are not read ({some(left_out)}).")
        return table, True
    if workbook.is_workbook(data):
        text, said = workbook.sheet_as_csv(data, place, sheet)
        if said:
            _say(said)
        return NotedTable(
            _as_shares(unguarded(delimited.parse(text, path)[0]), path)
        ), False
    return NotedTable(_read_text(_unzipped(data, place), place)), False


def read_any_table(path: Path | str, *, text: bool = False) -> pd.DataFrame:
    """Return the rows of any table file; ids stay text, even if they look like numbers.

    The file may be a CSV or the like (separator, encoding and decimal commas are
    recognised), a workbook of Excel or LibreOffice (`clinic.xlsx#Patients` names a sheet)
    or a Parquet file; its content decides, not its name. With `text` all columns of a text
    table or workbook stay text. Words that mean "no value", such as NA, become missing
    values.

    Raises `DatasetNotFoundError` where there is no such file, and `DatasetError` where it
    holds no table or one that is too large.
    """
    return read_noted(path, text=text).table


def read_noted(path: Path | str, *, text: bool = False) -> NotedTable:
    """Return the rows of `read_any_table` with the notes that lentigo stored in the file.

    Only Parquet files have notes. With `text` the cells of any other file stay text. Raises
    what `read_any_table` raises.
    """
    noted, has_types = _read(path)
    if has_types:
        return noted
    table = cells.without_nothing(noted.table)
    return noted.holding(table if text else cells.typed(table))


def _read_text(data: bytes, path: Path) -> pd.DataFrame:
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_LINES_OF_HTML):
        raise DatasetError(
            f"{path} holds a web page or XML, no table; open it in a spreadsheet and save "
            "it as .xlsx or CSV UTF-8."
        )
    if _JSON.match(head):
        raise DatasetError(
            f"{path} holds JSON, which is not read as a table; save it as CSV UTF-8 or "
            "Parquet (of predictions: --out with a name that ends in .csv)."
        )
    text, said = letters.as_utf8(data, path)
    if said:
        _say(said)
    table, separator = delimited.parse(text, path)
    shifted.refuse_shifted(table, text, path)
    short, line = delimited.short_rows(text, table.shape[1])
    if short:
        _say(
            f"{path}: {counted(short, 'row')} (the first in line {line:,}) "
            f"{verb(short, 'has', 'have')} fewer cells than the header line; those that "
            "are not there are read as empty."
        )
    table, pointed = cells.with_points(unguarded(table), separator=separator)
    if pointed:
        _say(f"{path}: decimal commas are read as points in {some(pointed)}.")
    return _as_shares(table, path)


def _as_shares(table: pd.DataFrame, path: Path | str) -> pd.DataFrame:
    shares, names = cells.with_shares(table)
    if names:
        _say(f"{path}: per cent are read as shares (12.5 % as 0.125) in {some(names)}.")
    return shares


def _unzipped(data: bytes, path: Path) -> bytes:
    """Return the only table in a zip; bytes that are no zip are returned unchanged.

    Raises `DatasetError` where the zip holds no table or several.
    """
    if not data.startswith(b"PK\x03\x04"):
        return data
    inner = opened.read_only_member(path, data, _TEXTS)
    if inner is None:
        raise DatasetError(f"{path} is a zip that holds no table (CSV).")
    return inner


_SAID: set[str] = set()


def _say(sentence: str) -> None:
    """Log a warning, only once in this process even if several steps find the same."""
    if sentence not in _SAID:
        _SAID.add(sentence)
        log.warning("%s", sentence)
