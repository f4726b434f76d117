from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive
from lentigo.errors import ColumnError, DatasetError
from lentigo.tables import NotedTable
from tests.fakes import fake_csv, write_lines

IMAGES = ["image,patient,target,sex", "a,P1,1,", "b,P1,0,", "c,P2,0,m", "d,P3,0,", "e,,0,"]


def read(folder: Path, people: list[str], images: list[str] = IMAGES) -> NotedTable:
    path = fake_csv(folder / "images", images)
    folder.joinpath("people").mkdir(exist_ok=True)
    write_lines(folder / "people/people.csv", people)
    return read_archive("csv", path, patients=folder / "people/people.csv")


def joined(folder: Path, people: list[str], images: list[str] = IMAGES) -> pd.DataFrame:
    return read(folder, people, images).table


def test_age_and_sex_of_a_patient_fill_all_images(tmp_path: Path) -> None:
    people = ["id;gender;age;name", "P1;w;45,5;Doe", "P2;f;60,0;Roe", "P9;m;7,5;Poe"]
    found = read(tmp_path, people)
    table = found.table
    assert table["age"].fillna(-1).tolist() == [45.5, 45.5, 60, -1, -1]
    assert table["sex"].fillna("-").tolist() == ["female", "female", "male", "-", "-"]
    assert "name" not in table
    notes = " ".join(found.notes)
    assert "1 patient with 1 image not in people.csv: P3" in notes
    assert "1 patient of people.csv has no image here: P9" in notes
    assert "contradicts the sex of 1 image" in notes
    assert "1 image without a patient" in notes


def test_a_patient_twice_is_one_only_where_both_rows_agree(tmp_path: Path) -> None:
    people = ["patient_id,age", "P1,45", "P1,45", "P2,60"]
    assert joined(tmp_path, people)["age"].tolist()[:3] == [45, 45, 60]
    with pytest.raises(ColumnError, match="different things of 1 patient: P2"):
        joined(tmp_path, [*people, "P2,61"])


def test_a_row_of_a_patient_may_complete_another(tmp_path: Path) -> None:
    found = read(tmp_path, ["patient_id,age,sex", "P1,45,", "P1,,f", "P2,60,m"])
    assert found.table["age"].tolist()[:3] == [45, 45, 60]
    assert found.table["sex"].tolist()[:2] == ["female", "female"]
    with pytest.raises(ColumnError, match="different things of 1 patient: P1"):
        read(tmp_path / "other", ["patient_id,age,sex", "P1,45,", "P1,46,f", "P2,60,m"])


def test_patients_who_only_look_alike_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, ["patient_id,age", "P1,45", "p2,60"])
    assert "P2 (1) and p2 (1)" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("people", "error", "message"),
    [
        (["patient_id,age", "X1,45"], DatasetError, "No patient of the images is in"),
        (["colour,age", "red,45"], ColumnError, "looks like the number of a patient"),
        (["patient_id,colour", "P1,red"], ColumnError, "no column for age, sex or skin"),
        (["patient_id,age"], DatasetError, r"\.csv has no rows"),
    ],
)
def test_what_cannot_be_joined_is_refused(
    tmp_path: Path, people: list[str], error: type[DatasetError], message: str
) -> None:
    with pytest.raises(error, match=message):
        joined(tmp_path, people)
    with pytest.raises(ColumnError, match="The images name no patient"):
        joined(tmp_path, ["patient_id,age", "P1,4"], ["image,target", "a,1", "b,0"])


def test_births_in_place_of_ages_are_told(tmp_path: Path) -> None:
    people = ["patient_id,geburtsdatum,sex", "P1,1970-03-01,f", "P2,1950-01-01,m"]
    notes = " ".join(read(tmp_path, people).notes)
    assert "column geburtsdatum seems to hold births, and no column holds ages" in notes
    assert "1970" not in notes
    with pytest.raises(
        ColumnError, match=r"no column for age.* geburtsdatum seems to hold"
    ):
        read(tmp_path, ["patient_id,geburtsdatum", "P1,1970-03-01"])
