from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import pytest

from lentigo.errors import DatasetError
from lentigo.table_files import workbook
from lentigo.table_files.door import read_any_table
from tests.fakes.workbooks import Cell, sheet_xml, write_ods, write_xlsx

ROWS: list[list[Cell]] = [
    ["image", "patient", "age", "visit", "melanoma"],
    ["007", "P1", 45.5, datetime.date(2023, 1, 31), True],
    ["010", "P2", None, datetime.date(2024, 2, 29), False],
    ["011", 7, 60, None, None],
]


def test_a_sheet_is_read_as_its_cells_say(tmp_path: Path) -> None:
    table = read_any_table(write_xlsx(tmp_path / "t.xlsx", {"A": ROWS}))
    assert table["image"].tolist() == ["007", "010", "011"]  # text stays text
    assert table["patient"].tolist() == ["P1", "P2", "7"]  # and 7 is never 7.0
    assert table["age"].fillna(-1).tolist() == [45.5, -1, 60]
    assert table["visit"].fillna("-").tolist() == ["2023-01-31", "2024-02-29", "-"]
    assert table["melanoma"].tolist()[:2] == [True, False]


def test_an_ods_is_read_alike(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["image", "age"], ["007", 45.5], ["010", None]]
    table = read_any_table(write_ods(tmp_path / "t.ods", {"A": rows}))
    assert table["image"].tolist() == ["007", "010"]
    assert table["age"].fillna(-1).tolist() == [45.5, -1]


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"A": ROWS}).rename(tmp_path / "t.csv")
    assert len(read_any_table(tmp_path / "t.csv")) == 3
    (tmp_path / "t.xls").write_text("image,age\n007,1\n")
    assert read_any_table(tmp_path / "t.xls")["image"].tolist() == ["007"]


def test_a_sheet_may_be_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    others: dict[str, list[list[Cell]]] = {
        "Empty": [],
        "Images": ROWS,
        "Patients": [["patient"], ["P9"]],
        "Old": ROWS,
    }
    path = write_xlsx(tmp_path / "t.xlsx", others, hidden=["Old"])
    assert len(read_any_table(path)) == 3
    assert "has 2 sheets; 'Images' was read" in caplog.text
    assert f"{path}#Patients" in caplog.text
    assert read_any_table(f"{path}#Patients")["patient"].tolist() == ["P9"]
    assert len(read_any_table(f"{path}#Old")) == 3
    with pytest.raises(DatasetError, match="no sheet 'Visits'; it has Empty, Images"):
        read_any_table(f"{path}#Visits")


def test_what_is_wrong_with_a_sheet_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_xlsx(path, {"A": [], "B": []})
    with pytest.raises(DatasetError, match="is empty: no cell of A, B"):
        read_any_table(path)
    write_xlsx(path, {"A": [["Our clinic, 2024"], [], *ROWS]})
    with pytest.raises(DatasetError, match="first row holds 'Our clinic, 2024' alone"):
        read_any_table(path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DatasetError, match="broken workbook"):
        read_any_table(path)


@pytest.mark.parametrize("name", ["corner", "entities", "repeats"])
def test_a_workbook_that_would_cost_much_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.xlsx"
    if name == "repeats":
        path = write_ods(tmp_path / "t.ods", {"A": [["image"], ["a"]]})
    else:
        write_xlsx(path, {"A": ROWS})
    with zipfile.ZipFile(path) as file:
        parts = {member: file.read(member).decode() for member in file.namelist()}
    if name == "corner":
        far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        parts["xl/worksheets/s0.xml"] = sheet_xml(ROWS).replace("</sheetData>", far)
    elif name == "entities":
        many = [10 * f"&l{n};" for n in range(12)]
        lols = "".join(f'<!ENTITY l{n + 1} "{each}">' for n, each in enumerate(many))
        parts["xl/worksheets/s0.xml"] = (
            f'<!DOCTYPE a [<!ENTITY l0 "lol">{lols}]>'
            + sheet_xml([["image"], ["LOL"]]).replace("LOL", "&l12;")
        )
    else:
        parts["content.xml"] = (
            parts["content.xml"]
            .replace(
                "<table:table-row>",
                '<table:table-row table:number-rows-repeated="1000000">',
            )
            .replace(
                "<table:table-cell ",
                '<table:table-cell table:number-columns-repeated="16000" ',
            )
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, text in parts.items():
            stored = zipfile.ZIP_STORED if member == "mimetype" else None
            file.writestr(member, text, stored)
    with pytest.raises(DatasetError):
        read_any_table(path)


def test_the_reading_process_imports_nothing_from_where_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"A": ROWS})
    for name in (
        "csv.py",
        "json.py",
        "struct.py",
        "python_calamine.py",
        "sitecustomize.py",
    ):
        (tmp_path / name).write_text("open('run', 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert len(read_any_table(path)) == 3
    assert not (tmp_path / "run").exists()


def test_what_is_no_workbook_is_not_taken_for_one() -> None:
    assert not workbook.is_workbook(b"image,age\n")
    assert not workbook.is_workbook(b"PK\x03\x04 a zip of something else")


def test_a_cell_that_is_merged_downwards_counts_in_each_of_its_rows(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["patient", "image"], ["P1", "a"], [None, "b"], ["P2", "c"]]
    path = write_xlsx(tmp_path / "t.xlsx", {"A": rows})
    merged = '</sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    edit(path, "xl/worksheets/s0.xml", "</sheetData>", merged)
    assert read_any_table(path)["patient"].tolist() == ["P1", "P1", "P2"]


PATIENTS: list[list[Cell]] = [["image", "patient"], ["a", "P1"], ["b", "P2"]]


def edit(path: Path, member: str, old: str, new: str) -> None:
    """Change a member of a workbook."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name).decode() for name in file.namelist()}
    assert old in parts[member]
    parts[member] = parts[member].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)


FIRST_PATIENT = '<c r="B2" t="inlineStr"><is><t>P1</t></is></c>'


@pytest.mark.parametrize(
    ("cell", "lost"),
    [
        ('<c r="B2"><f>A2&amp;"x"</f></c>', True),
        ('<c r="B2"><f>A2</f><v/></c>', True),
        ('<c r="B2"><f t="shared" si="0"/><v></v></c>', True),
        ('<c r="B2" t="str"><f>A2</f><v></v></c>', False),  # an empty text
        ('<c r="B2" t="str"><f>A2</f><v>P1</v></c>', False),
        ('<c r="B2"><v/></c>', False),
    ],
)
def test_a_formula_without_its_result_is_refused(
    tmp_path: Path, cell: str, *, lost: bool
) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"Other": [["x"]], "A": PATIENTS})
    edit(path, "xl/worksheets/s1.xml", FIRST_PATIENT, cell)
    assert read_any_table(path)["x"].empty  # another sheet is none of its business
    if not lost:
        assert read_any_table(f"{path}#A")["image"].tolist() == ["a", "b"]
        return
    with pytest.raises(DatasetError, match=r"1 cell \(B2\) has a formula without its"):
        read_any_table(f"{path}#A")


def test_a_formula_of_libreoffice_without_its_result_is_refused(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "t.ods", {"A": PATIENTS, "B": PATIENTS})
    cell = '<table:table-cell office:value-type="string"><text:p>P1</text:p>'
    bare = '<table:table-cell table:formula="of:=1"/><table:table-cell>'
    edit(path, "content.xml", cell, bare)
    with pytest.raises(DatasetError, match="1 cell has a formula without its result"):
        read_any_table(path)


def test_cells_that_hold_an_error_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"A": PATIENTS})
    cell = '<c r="B2" t="e"><f>A9</f><v>#REF!</v></c>'
    edit(path, "xl/worksheets/s0.xml", FIRST_PATIENT, cell)
    with caplog.at_level("WARNING", logger="lentigo"):
        assert read_any_table(path)["patient"].isna().tolist() == [True, False]
    assert "1 cell of the sheet (B2) holds an error such as #REF! or #N/A" in caplog.text
