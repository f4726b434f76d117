"""Rows that an unclosed quotation mark swallows, or a decimal comma moves by one column."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.errors import DatasetError
from lentigo.table_files.door import read_any_table

TWO_MARKS = (
    "image,patient,melanoma,note\na,P1,0,x\n"
    'b,P2,0,"Knoten\nc,P3,1,y\nd,P4,1,z\ne,P5,1,"hart\nf,P6,0,q\n'
)
IN_THE_MIDDLE = 'image,note,label\na,"Knoten,0\nb,"hart,1\nc,x,0\n'


def table_of(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_rows_between_two_stray_quotation_marks_are_missed(
    tmp_path: Path, ending: str
) -> None:
    path = table_of(tmp_path, TWO_MARKS.replace("\n", ending))
    with pytest.raises(DatasetError, match=r"not closed in line 3, so that 3 rows below"):
        read_any_table(path)


def test_so_is_one_row_that_two_marks_in_the_middle_join(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"line 2, so that 1 row below becomes part"):
        read_any_table(table_of(tmp_path, IN_THE_MIDDLE))


def test_a_note_of_several_lines_with_commas_is_a_cell(tmp_path: Path) -> None:
    text = 'image,label,note\na,0,"Nodule, left, firm\nexcised, 3 mm"\nb,1,"x\ny"\n'
    assert read_any_table(table_of(tmp_path, text))["label"].tolist() == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        'bild,melanom,kommentar\na,1,"Breslow 0,8 mm\nClark 2,1"\nb,0,\n',
        'bild;melanom;k\na;1;"Ex;Clark II;Breslow 0,8\nNach"\nb;0;"gut" so\n',
    ],
)
def test_a_well_quoted_cell_may_hold_lines_and_separators(
    tmp_path: Path, text: str
) -> None:
    assert read_any_table(table_of(tmp_path, text))["melanom"].tolist() == [1, 0]


def test_so_are_more_rows_than_a_cell_of_the_csv_module_holds(tmp_path: Path) -> None:
    rows = "".join(f"i{n},0,{'x' * 100}\n" for n in range(1500))
    text = f'image,label,note\na,0,"Knoten\n{rows}b,1,"hart\nc,1,y\n'
    with pytest.raises(DatasetError, match=r"line 2, so that 1,501 rows below become"):
        read_any_table(table_of(tmp_path, text))


def test_the_line_of_a_moved_row_counts_blank_lines(tmp_path: Path) -> None:
    text = ',,,\n\nimage,age,label,\na,45,"0\n",\n\n \nb,45,1,0\n'
    with pytest.raises(DatasetError, match=r"1 row \(the first in line 8, with '0'\)"):
        read_any_table(table_of(tmp_path, text))


def test_values_below_no_name_are_refused(tmp_path: Path) -> None:
    path = table_of(tmp_path, "image_id,age,melanoma,\na,45,0,\nb,45,1,0\n")
    with pytest.raises(DatasetError, match=r"1 row \(the first in line 3, with '0'\)"):
        read_any_table(path)


def test_empty_cells_below_no_name_and_a_row_number_are_not(tmp_path: Path) -> None:
    text = ",image,label,,\n0,a,1,,\n1,b,0,,\n"
    assert read_any_table(table_of(tmp_path, text))["label"].tolist() == [1, 0]
