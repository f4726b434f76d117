from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.sheet_rows import _is_total
from lentigo.errors import ColumnError, DatasetError
from tests.fakes.drawing import draw_image
from tests.fakes.old_excel import write_xls
from tests.fakes.workbooks import Cell

HEADER = ["image_id", "patient_id", "age", "sex", "diagnosis"]
ROWS = [
    ["A1", "P1", "54", "w", "Melanom"],
    ["A2", "P1", "54", "w", "NZN"],
    ["A3", "P2", "61", "m", "NZN"],
]


EMPTY = "(empty rows not counted)"


def clinic(folder: Path, rows: Sequence[Sequence[str]], *, images: bool = True) -> Path:
    path = folder / "clinic.csv"
    path.write_text("".join(";".join(row) + "\n" for row in rows))
    for seed, row in enumerate(ROWS if images else ()):
        draw_image(folder / f"{row[0]}.png", seed=seed)
    return path


@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize(
    "last",
    [
        ["Summe", "", "169", "", ""],
        ["Total", "2", "56,3", "", "Melanom"],
        ["Gesamt: 3", "", "", "", "1"],
        ["n = 3", "", "", "", ""],
        ["", "", "Mittelwert", "56,3", ""],
        ["", "", "", "", "Insgesamt 1"],
        ["3", "Summe", "", "", "Melanom"],
        ["合计", "", "", "", ""],
        ["Mean", "", "56,3", "", "1"],
        ["Desviación estándar", "", "4,1", "", ""],
        ["Écart-type", "", "4,1", "", ""],
        ["max", "", "61", "", "1"],
    ],
)
def test_a_row_of_totals_is_no_lesion_and_is_told(
    tmp_path: Path, last: list[str], images: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    read = read_archive("csv", clinic(tmp_path, [HEADER, *ROWS, last], images=images))
    assert read.table["image_id"].tolist() == ["A1", "A2", "A3"]
    assert int(read.table["melanoma"].sum()) == 1
    told = [note for note in read.notes if "seems to sum up others" in note]
    assert told == [f"1 row that seems to sum up others is left out: row 5 {EMPTY}."]
    assert next(cell for cell in last if cell) in caplog.text


def test_an_image_that_is_called_like_a_total_is_one(tmp_path: Path) -> None:
    rows = [HEADER, *ROWS, ["Total", "P3", "40", "m", "NZN"], ["sum01", "P4", "", "", ""]]
    path = clinic(tmp_path, [*rows, ["Summe4", "P5", "30", "w", "Melanom"]])
    draw_image(tmp_path / "Total.png", seed=9)
    names = read_table("csv", path)["image_id"].tolist()
    assert names == ["A1", "A2", "A3", "Total", "sum01", "Summe4"]


def test_headings_and_footnotes_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    heading, note = ["Ward A", "", "", "", ""], ["Source: our clinic", "", "", "", ""]
    path = clinic(tmp_path, [HEADER, heading, *ROWS, note])
    read = read_archive("csv", path)
    assert len(read.table) == 3
    assert f"nothing else) are left out: rows 2, 6 {EMPTY}." in "".join(read.notes)
    assert "Ward A" not in "".join(read.notes)  # notes are stored with the table
    assert "'Ward A', 'Source: our clinic'" in caplog.text


def test_a_list_of_names_alone_is_a_table_of_images(tmp_path: Path) -> None:
    path = clinic(tmp_path, [["image_id", "age"], *([row[0], ""] for row in ROWS)])
    path.write_text(path.read_text() + "A4;\n")
    assert len(read_table("csv", path)) == 4


def test_a_repeated_header_is_left_out_and_told(tmp_path: Path) -> None:
    read = read_archive("csv", clinic(tmp_path, [HEADER, ROWS[0], HEADER, *ROWS[1:]]))
    assert read.table["image_id"].tolist() == ["A1", "A2", "A3"]
    assert "1 row repeats the header and is left out." in read.notes


def test_further_columns_stay_beside_their_images(tmp_path: Path) -> None:
    rows = [HEADER, ["Ward", "", "", "", ""], *ROWS]
    path = clinic(tmp_path, [[*row[:3], "divers", *row[4:]] for row in rows[2:]])
    path.write_text(";".join(HEADER) + "\nWard;;;;\n" + path.read_text())
    table = read_any(path, own_words=True).table
    assert table["sex"].tolist() == ["divers"] * 3


@pytest.mark.parametrize(
    ("above", "second"),
    [
        (["Image", "Patient", "", "", "Finding"], HEADER),
        (["Image", "Patient", "Patient", "Patient", "Finding"], HEADER),
        (["Bild", "", "Patient", "", "Befund"], ["Name", "Nr.", "Alter", "Sex", "Dx"]),
        (["image_id", "", "Patient", "", "diagnosis"], ["", "", "Alter", "Geschlecht", ""]),
    ],
)
def test_a_header_of_two_rows_is_refused(
    tmp_path: Path, above: list[str], second: list[str]
) -> None:
    with pytest.raises(
        DatasetError, match=r"row 2 \(.*\) holds names of columns .* Keep one row"
    ):
        read_table("csv", clinic(tmp_path, [above, second, *ROWS]))


def test_a_title_of_several_cells_is_told_from_a_header(tmp_path: Path) -> None:
    path = clinic(tmp_path, [["Our clinic", "as of 2024", "", "", ""], HEADER, *ROWS])
    with pytest.raises(
        ColumnError, match=r"Row 2 \(.*\) seems to hold .* delete what is above"
    ):
        read_table("csv", path)


def test_a_row_with_values_but_no_image_is_refused(tmp_path: Path) -> None:
    path = clinic(tmp_path, [HEADER, *ROWS, ["", "P9", "70", "m", "Melanom"]])
    with pytest.raises(ColumnError, match=r"1 row holds something, but no name .*'P9 \| 7"):
        read_table("csv", path)


def test_rows_without_any_cell_are_none(tmp_path: Path) -> None:
    nothing = [""] * 5
    path = clinic(tmp_path, [nothing, HEADER, ROWS[0], nothing, *ROWS[1:], nothing])
    assert read_table("csv", path)["image_id"].tolist() == ["A1", "A2", "A3"]


def test_images_without_a_patient_among_others_are_told(tmp_path: Path) -> None:
    rows = [[row[0], "P1" if n == 0 else "", *row[2:]] for n, row in enumerate(ROWS)]
    read = read_archive("csv", clinic(tmp_path, [HEADER, *rows]))
    told = "2 images of 3 name no patient, and are taken for nobody else's."
    assert told in "".join(read.notes)


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_sheet_of_excel_97_is_read(tmp_path: Path, from_1904: bool) -> None:
    day = datetime.date(2020, 2, 29)
    rows: list[list[Cell]] = [["image_id", "age", "melanoma", "day"], ["A1", 54, 1, day]]
    rows.append(["Ä2", 60.5, 0, None])
    table = read_table("csv", write_xls(tmp_path / "t.xls", rows, from_1904=from_1904))
    assert table["image_id"].tolist() == ["A1", "Ä2"]
    assert table["age"].tolist() == [54, 60.5]
    assert table["melanoma"].tolist() == [True, False]


def test_a_very_long_cell_takes_no_time() -> None:
    begun = time.process_time()
    assert not _is_total(":" * 200_000)
    assert not _is_total("Summe" + " :" * 200_000)
    assert time.process_time() - begun < 1
    assert _is_total("Summe: 12")


def test_a_patient_may_be_called_like_a_sum(tmp_path: Path) -> None:
    rows = [["A1", "Max", "54", "m", "Melanom"], ["A2", "SD", "61", "w", "NZN"]]
    read = read_archive("csv", clinic(tmp_path, [HEADER, *rows], images=False))
    assert read.table["patient_id"].tolist() == ["Max", "SD"]
