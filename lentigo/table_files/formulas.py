"""Find cells of a workbook whose formula has no result in the file, or an error as result.

Programs that write workbooks without calculating (openpyxl, many exports of clinical
systems) omit the results of formulas, and the spreadsheet computes them when it opens the
file. A program that reads the file before that finds empty cells.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree as ET

_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ERROR = re.compile(rb"<(?:\w+:)?c\b([^>]*\bt=[\"']e[\"'][^>]*)>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3}\d{1,7})[\"']")
_TEXT = re.compile(rb"\bt=[\"']str[\"']")
_ODS_TABLE = re.compile(rb"<table:table ")
_ODS_CELL = re.compile(rb"<table:table-cell\b([^>]*\btable:formula=[^>]*)/>")


def places(data: bytes, sheet: str, number: int) -> tuple[list[str], list[str]]:
    """Return the cells of a sheet whose formula has no result, and those with an error.

    `data` is a workbook, and `number` the position of `sheet` among its sheets, from 0. A
    cell is named as in `B2`; in a workbook of LibreOffice, whose cells have no names, it is
    `""`. For the older formats of Excel, which always store results, both lists are empty.
    """
    if not data.startswith(b"PK"):
        return [], []
    with zipfile.ZipFile(BytesIO(data)) as file:
        if "content.xml" in file.namelist():
            return _of_ods(file.read("content.xml"), number), []
        part = _part(file, sheet)
        return _of_excel(file.read(part)) if part else ([], [])


def _of_excel(text: bytes) -> tuple[list[str], list[str]]:
    # The result of a formula may be an empty text (t="str"), which is a result.
    lost = [found[1] for found in _CELL.finditer(text) if not _TEXT.search(found[1])]
    return _named(lost), _named([found[1] for found in _ERROR.finditer(text)])


def _named(cells: list[bytes]) -> list[str]:
    found = (_PLACE.search(attributes) for attributes in cells)
    return [place[1].decode() if place else "" for place in found]


def _of_ods(text: bytes, number: int) -> list[str]:
    sheets = _ODS_TABLE.split(text)[1:]
    cells = _ODS_CELL.findall(sheets[number]) if number < len(sheets) else []
    return ["" for attributes in cells if b"office:value-type" not in attributes]


def _part(file: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the XML member of an Excel workbook with `sheet`, or None."""
    there = set(file.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= there:
        return None
    sheets = ET.fromstring(file.read("xl/workbook.xml")).iter()
    link = next((e.get(f"{_OFFICE}id") for e in sheets if e.get("name") == sheet), None)
    links = ET.fromstring(file.read("xl/_rels/workbook.xml.rels"))
    target = next((e.get("Target", "") for e in links if e.get("Id") == link), "")
    part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return part if part in there else None
