from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive
from lentigo.datasets.reading.ages import read_ages


@pytest.mark.parametrize(
    ("cell", "years"),
    [
        ("54", 54),
        ("54 J.", 54),
        ("54 years", 54),
        ("54a", 54),
        ("54 Jahre", 54),
        ("54-jährig", 54),
        ("54 y/o", 54),
        ("54,5 ans", 54.5),
        ("54 años", 54),
        ("54岁", 54),
        ("054Y", 54),
        ("018M", 1.5),
        ("18 months", 1.5),
        ("18 Monate", 1.5),
        ("54 m", math.nan),  # months, or a man of 54
        ("ca. 54", math.nan),
        ("85+", math.nan),
        ("50-59", math.nan),
        ("540 J.", math.nan),
    ],
)
def test_an_age_with_its_unit_is_read(cell: str, years: float) -> None:
    ages, notes = read_ages(pd.Series([cell, "40"], name="age"))
    assert ages.tolist() == pytest.approx([years, 40], nan_ok=True)
    assert bool(notes) == (cell != "54")  # whatever was guessed or lost is told


@pytest.mark.parametrize(
    "cell",
    [
        "01.02.1960",
        "1960-02-01",
        "1/2/60",
        "1. 2. 1960",
        "1960",
        "21947",
        "1960-02-01 00:00",
    ],
)
def test_dates_of_birth_are_no_ages_and_are_not_repeated(cell: str) -> None:
    ages, notes = read_ages(pd.Series([cell, "40"], name="age"))
    assert ages.isna().tolist() == [True, False]
    assert len(notes) == 1
    assert "age is missing for 1 image: the column age holds dates" in notes[0]
    assert cell not in notes[0]


@pytest.mark.parametrize("name", ["Geburtsdatum", "date_of_birth", "DOB", "出生日期"])
def test_births_beside_no_age_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"image_id,{name},target\na,1.2.1960,0\nb,3.4.1950,1\n")
    notes = " ".join(read_archive("csv", path).notes)
    assert f"The column {name} seems to hold births" in notes
    path.write_text(f"image_id,{name},age,target\na,1.2.1960,60,0\nb,3.4.1950,70,1\n")
    assert "hold births" not in " ".join(read_archive("csv", path).notes)


def test_a_cell_that_is_no_age_is_not_quoted_in_a_note(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    ages, notes = read_ages(pd.Series(["45", "Huber Anna", None], name="Alter"))
    assert ages.fillna(0).tolist() == [45, 0, 0]
    assert notes == [
        "age is missing for 1 image whose cell in the column Alter is no number."
    ]
    assert "'Huber Anna' (1)" in caplog.text
