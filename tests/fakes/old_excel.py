"""Workbooks of Excel 97 (.xls) written by hand: cells in a stream in a compound file."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.fakes.workbooks import Cell

_SECTOR = 512
_FREE, _END, _OF_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_EPOCHS = {False: datetime.date(1899, 12, 30), True: datetime.date(1904, 1, 1)}
_WHOLE_BOOK, _SHEET = 0x0005, 0x0010
_PLAIN, _DATE = 15, 16


def write_xls(
    path: Path, rows: Sequence[Sequence[Cell]], *, from_1904: bool = False
) -> Path:
    """One sheet with text, numbers and dates, counted from 1900 or from 1904."""
    sheet = _start(_SHEET) + b"".join(_cells(rows, from_1904)) + _record(0x0A)
    name = struct.pack("<LHBB", 0, 0, 1, 0) + b"A"
    before = _start(_WHOLE_BOOK) + _record(0x22, struct.pack("<H", from_1904))
    before += b"".join(_record(0xE0, _format(each)) for each in range(_DATE + 1))
    length = len(before) + len(_record(0x85, name)) + len(_record(0x0A))
    name = struct.pack("<L", length) + name[4:]
    path.write_bytes(_compound(before + _record(0x85, name) + _record(0x0A) + sheet))
    return path


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _start(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHLL", 0x600, kind, 0, 1997, 0, 6))


def _format(number: int) -> bytes:
    """Formats of cells; the last shows a number as a date (14)."""
    shown = 14 if number == _DATE else 0
    kind = 0x0001 if number >= _PLAIN else 0xFFF5  # of cells, or of styles
    return struct.pack("<HHH", 0, shown, kind) + bytes(14)


def _cells(rows: Sequence[Sequence[Cell]], from_1904: bool) -> Iterator[bytes]:
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                head = struct.pack("<HHHHB", y, x, _PLAIN, len(value), 1)
                yield _record(0x204, head + text)
            elif isinstance(value, datetime.date):
                days = (value - _EPOCHS[from_1904]).days
                yield _record(0x203, struct.pack("<HHHd", y, x, _DATE, days))
            elif value is not None:
                yield _record(0x203, struct.pack("<HHHd", y, x, _PLAIN, value))


def _compound(stream: bytes) -> bytes:
    """A compound file with one stream `Workbook`: header, its table, directory, stream."""
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    count = len(stream) // _SECTOR
    table = [_OF_TABLE, _END, *range(3, count + 2), _END]
    assert len(table) <= _SECTOR // 4  # one sector of table is enough here
    table += [_FREE] * (_SECTOR // 4 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<LLLLLLLL", 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<L", 0) + struct.pack("<L", _FREE) * 108
    entries = _entry("Root Entry", 5, child=1, start=_END, size=0)
    entries += _entry("Workbook", 2, child=_FREE, start=2, size=len(stream)) + bytes(256)
    return header + struct.pack(f"<{len(table)}L", *table) + entries + stream


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
    head += struct.pack("<LLL", _FREE, _FREE, child) + bytes(36)
    return head + struct.pack("<LLL", start, size, 0)
