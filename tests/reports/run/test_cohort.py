"""The data set and its split, counted by eye."""

from __future__ import annotations

import pandas as pd

from lentigo.reports.run.cohort import (
    Line,
    datasets,
    kinds,
    panels,
    sentence_on_groups,
    splits,
    totals,
)
from lentigo.tables import check_table

TABLE = check_table(
    pd.DataFrame(
        {
            "image_id": list("abcdefgh"),
            "dataset": "made up",
            "patient_id": ["P1", "P1", "P2", "P2", "P3", "P3", "P4", "P4"],
            "group_id": ["P1", "P1", "P2", "P2", "P3", "P3", "P4", "P4"],
            "sex": ["female", "female", "female", "male", "male", None, None, None],
            "age": [0.0, 5.0, 10.0, 19.0, 100.0, 45.0, 45.0, None],
            "diagnosis": [
                "nevus",
                "melanoma",
                "nevus",
                None,
                "nevus",
                "nevus",
                "nevus",
                "nevus",
            ],
            "melanoma": [False, True, False, None, False, False, False, False],
        }
    ),
    source="the table",
)


def lines(title: str, table: pd.DataFrame = TABLE) -> dict[str, Line]:
    panel = next(panel for panel in panels(table) if panel.title == title)
    return {line.label: line for line in panel.lines}


def test_totals() -> None:
    assert totals(TABLE) == [
        ("images", "8"),
        ("patients", "4"),
        ("lesions", "not recorded"),
        ("groups", "4"),
        ("melanomas", "1 (14.3\u00a0%)"),  # of 7 with a label
        ("images without a label", "1"),
    ]
    assert datasets(TABLE) == ["made up"]


def test_missing_is_a_line_of_its_own() -> None:
    sexes = lines("Sex")
    assert list(sexes) == ["female", "male", "missing"]
    assert (sexes["female"].images, sexes["female"].melanomas) == ("3", "1")
    assert (sexes["missing"].images, sexes["missing"].share) == ("3", "37.5\u00a0%")
    assert sexes["missing"].is_missing


def test_where_nothing_is_missing_the_line_says_0() -> None:
    assert lines("Sex", TABLE.assign(sex="male"))["missing"].images == "0"


def test_a_column_all_missing_has_one_line() -> None:
    assert list(lines("Anatomical site")) == ["missing"]
    assert lines("Anatomical site")["missing"].images == "8"


def test_ages_are_in_order_of_age() -> None:
    assert list(lines("Age in years")) == ["0–9", "10–19", "40–49", "100–109", "missing"]
    note = next(panel.note for panel in panels(TABLE) if panel.title == "Age in years")
    assert note == "Median 19, range 0 to 100 years."


def test_melanomas_of_unlabelled_images_are_not_zero() -> None:
    assert lines("Diagnosis")["missing"].melanomas == "–"


def test_many_diagnoses_end_in_a_sum() -> None:
    many = pd.concat([TABLE] * 3, ignore_index=True).iloc[:20]
    many["diagnosis"] = pd.Series(
        [f"d{number:02d}" for number in range(20)], dtype="string"
    )
    found = lines("Diagnosis", many)
    assert len(found) == 15 + 1 + 1
    assert found["5 others"].images == "5"


def test_a_split_is_counted_by_part() -> None:
    role = ["test", "test", "train", "train", "train", "train", "validation", "validation"]
    roles = pd.DataFrame({"image_id": list("abcdefgh"), "role": role})
    [fold] = splits(TABLE, {0: roles})
    counted = [(part.role, part.images, part.groups, part.melanomas) for part in fold.parts]
    assert counted == [
        ("train", "4", "2", "0"),
        ("validation", "2", "1", "0"),
        ("test", "2", "1", "1"),
    ]
    keeps, _ = sentence_on_groups([fold])
    assert keeps


def test_a_group_on_two_sides_is_found() -> None:
    roles = pd.DataFrame({"image_id": ["a", "b", "c"], "role": ["test", "train", "train"]})
    found = splits(TABLE, {0: roles})
    assert found[0].crossing == ["P1"]
    keeps, sentence = sentence_on_groups(found)
    assert not keeps
    assert "P1" in sentence


def test_kinds_of_duplicates() -> None:
    pairs = pd.DataFrame(
        {"a": ["a", "b", "c"], "b": ["d", "e", "f"], "kind": ["x", "y", "x"]}
    )
    assert kinds(pairs) == [("x", "2"), ("y", "1")]
    assert kinds(None) == []
