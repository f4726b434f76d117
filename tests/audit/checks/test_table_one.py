from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from lentigo.audit.checks.table_one import (
    diagnosis_group,
    largest_differences,
    table_one,
    table_one_numbers,
    unbalanced,
)
from lentigo.datasets.archives import siim2020
from lentigo.errors import ColumnError
from lentigo.tables import check_table

TWELVE = check_table(
    pd.DataFrame(
        {
            "image_id": list("abcdefghijkl"),
            "dataset": "x",
            "patient_id": ["P", "P", "P", "Q", "Q", "R", "S", "S", "T", "T", None, None],
            "lesion_id": ["1", "1", "2", "3", "3", "4", "5", "5", "6", "7", None, None],
            "age": [30, 30, 40, 50, None, 60, 20, 20, 70, 70, 80, 40],
            "sex": ["male"] * 3 + ["female"] * 3 + ["male"] * 2 + ["female"] * 2
            + [None, "male"],
            "melanoma": [True, False, False, True] + [False] * 8,
            "diagnosis": ["melanoma in situ", "nevus", "blue nevus", "melanoma", "nevus",
                          "solar lentigo", "nevus", "nevus", "pyogenic granuloma", "a word",
                          None, None],
            "part": ["train"] * 6 + ["test"] * 6,
        }
    ),
    source="the twelve",
)  # fmt: skip
NUMBERS = table_one_numbers(TWELVE)


def number(variable: str, level: str, part: str, statistic: str) -> float:
    keys = {"variable": variable, "level": level, "part": part, "statistic": statistic}
    rows = NUMBERS
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


@pytest.mark.parametrize(
    ("variable", "level", "part", "statistic", "expected"),
    [
        ("images", "", "overall", "n", 12),
        ("images", "", "train", "n", 6),
        ("patients", "", "overall", "n", 5),
        ("patients", "", "test", "n", 2),
        ("lesions", "", "train", "n", 4),
        ("age", "mean (SD)", "train", "mean", (30 + 30 + 40 + 50 + 60) / 5),
        ("age", "mean (SD)", "train", "sd", math.sqrt((144 + 144 + 4 + 64 + 324) / 4)),
        ("age", "median (IQR)", "train", "median", 40),
        ("age", "median (IQR)", "train", "q1", 30),
        ("age", "median (IQR)", "train", "q3", 50),
        ("age", "missing", "train", "n", 1),
        ("age", "missing", "train", "share", 1 / 6),
        ("age", "missing", "test", "n", 0),
        ("sex", "male", "overall", "n", 6),
        ("sex", "male", "overall", "share", 6 / 11),
        ("sex", "female", "test", "n", 2),
        ("sex", "missing", "test", "n", 1),
        ("melanoma", "yes", "train", "share", 2 / 6),
        ("melanoma", "yes", "test", "n", 0),
        ("diagnosis", "melanoma", "train", "n", 2),
        ("diagnosis", "nevus", "overall", "n", 5),
        ("diagnosis", "benign keratosis", "train", "n", 1),
        ("diagnosis", "vascular lesion", "test", "n", 1),
        ("diagnosis", "other", "test", "n", 1),
        ("images a patient", "mean (SD)", "train", "mean", (3 + 2 + 1) / 3),
        ("images a patient", "median (IQR)", "overall", "median", 2),
        ("age of patients", "mean (SD)", "train", "mean", (100 / 3 + 50 + 60) / 3),
        ("sex of patients", "female", "train", "n", 2),
        ("patients with melanoma", "yes", "train", "n", 2),
        ("patients with melanoma", "no", "overall", "n", 3),
        ("age", "mean (SD)", "train vs test", "difference",
         8 / math.sqrt((680 / 4 + 3600 / 5) / 2)),
        ("melanoma", "", "train vs test", "difference", (1 / 3) / math.sqrt(2 / 9 / 2)),
    ],
)  # fmt: skip
def test_twelve_images_counted_by_hand(
    variable: str, level: str, part: str, statistic: str, expected: float
) -> None:
    assert number(variable, level, part, statistic) == pytest.approx(expected)


def test_it_prints_as_in_a_paper() -> None:
    printed = table_one(TWELVE)
    assert printed.columns.tolist() == ["overall", "train", "test", "difference"]
    assert printed.loc[("age", "mean (SD)"), "train"] == "42.0 (13.0)"
    assert printed.loc[("age", "median (IQR)"), "train"] == "40.0 (30.0–50.0)"
    assert printed.loc[("sex", "male"), "overall"] == "6 (54.5 %)"
    assert printed.loc[("images", ""), "test"] == "6"
    assert printed.loc[("melanoma", ""), "difference"] == "1.000"
    assert printed.index.get_level_values("variable")[0] == "images"
    # Nobody's skin type, site, malignancy or modality is known: there is nothing to print.
    assert "skin_type" not in printed.index.get_level_values("variable")


def test_a_patient_on_two_sides_counts_once_overall_and_once_in_each() -> None:
    numbers = table_one_numbers(TWELVE.assign(part=["train", "test"] * 6))
    patients = numbers[numbers["variable"] == "patients"].set_index("part")["value"]
    assert patients.to_dict() == {"overall": 5, "train": 4, "test": 5}


def test_parts_come_in_their_order_and_rows_without_one_at_the_end() -> None:
    parts = pd.Series(["test", "validation", "train"] + [None] * 9, dtype="string")
    columns = table_one(TWELVE.assign(role=parts), by="role").columns.tolist()
    expected = ["overall", "train", "validation", "test", "not given", "difference"]
    assert columns == expected
    folds = table_one(TWELVE.assign(fold=[10, 2] * 6), by="fold").columns.tolist()
    assert folds == ["overall", "2", "10", "difference"]


def test_of_more_than_two_parts_the_farthest_are_told() -> None:
    parts = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    numbers = table_one_numbers(TWELVE.assign(role=parts), by="role")
    pairs = numbers[(numbers["variable"] == "age") & (numbers["statistic"] == "difference")]
    pairs = pairs[pairs["level"] == "mean (SD)"]
    assert sorted(pairs["part"]) == ["a vs b", "a vs c", "b vs c"]
    worst = largest_differences(numbers).set_index(["variable", "level"])
    assert worst.loc[("age", "mean (SD)"), "difference"] == pairs["value"].max()
    assert worst.loc[("age", "mean (SD)"), "part"] == "a vs c"


def test_one_part_alone_has_no_difference() -> None:
    printed = table_one(TWELVE, by="dataset")
    assert printed.loc[("sex", "male"), "x"] == "6 (54.5 %)"
    assert printed["difference"].eq("").all()
    assert unbalanced(TWELVE, by="dataset") == []


def test_what_is_unlike_is_said_by_how_much() -> None:
    # 40 and 44 of 100: 0.081; 50 %: 0.20; 60 %: 0.41.
    def half(women: int) -> list[str]:
        return ["female"] * women + ["male"] * (100 - women)

    def findings(women: int) -> list[tuple[str, str]]:
        frame = pd.DataFrame(
            {"image_id": [f"i{n}" for n in range(200)], "sex": half(40) + half(women),
             "part": ["train"] * 100 + ["test"] * 100}
        )  # fmt: skip
        found = unbalanced(check_table(frame, source="test"))
        return [(f.severity, f.message) for f in found]

    assert findings(44) == []
    ((severity, message),) = findings(50)
    assert severity == "note"
    assert message.startswith(
        "By part, standardised differences above 0.1: sex 0.202 (train"
    )
    ((severity, message),) = findings(60)
    assert severity == "warning"
    assert "above 0.25: sex 0.408 (train vs test)" in message


def test_without_parts_there_is_nothing_to_compare() -> None:
    with pytest.raises(ColumnError, match="no column role"):
        table_one(TWELVE, by="role")
    with pytest.raises(ColumnError, match="no column fold"):
        table_one(TWELVE, by="fold")


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("melanoma in situ", "melanoma"),
        ("blue nevus", "nevus"),
        ("solar lentigo", "benign keratosis"),
        ("a word of their own", "other"),
    ],
)
def test_diagnoses_are_grouped_by_the_tree(name: str, group: str) -> None:
    assert diagnosis_group(name) == group
    assert pd.isna(diagnosis_group(pd.NA))  # type: ignore[call-overload]


def test_the_counts_of_siim_2020(shared: Path) -> None:
    table = siim2020.read(shared / "data" / "siim2020", part="all").table
    counts = table_one_numbers(table)
    counts = counts[counts["statistic"] == "n"]
    found = counts.set_index(["variable", "level", "part"])["value"]
    assert found["images", "", "train"] == 33126
    assert found["patients", "", "train"] == 2056
    assert found["patients with melanoma", "yes", "train"] == 428
    assert found["melanoma", "yes", "train"] == 584
    assert found["sex", "male", "train"] == 17080
    assert found["sex", "female", "train"] == 15981
    assert found["sex", "missing", "train"] == 65
    assert found["age", "missing", "train"] == 68
    assert found["site", "torso", "train"] == 16845
    assert found["site", "missing", "train"] == 527
    assert found["site", "oral/genital", "test"] == 26
    assert found["diagnosis", "nevus", "train"] == 5193
    assert found["diagnosis", "missing", "train"] == 27124
    assert found["sex", "male", "test"] == 6255
    printed = table_one(table)
    assert printed.loc[("age", "median (IQR)"), "train"] == "50.0 (40.0–60.0)"
    assert printed.loc[("images a patient", "mean (SD)"), "train"] == "16.1 (15.7)"


def test_the_differences_are_those_of_another_library(shared: Path) -> None:
    # tableone 0.9.6, smd=True and include_null=False, on the same rows.
    numbers = table_one_numbers(
        siim2020.read(shared / "data" / "siim2020", part="all").table
    )
    worst = largest_differences(numbers).set_index(["variable", "level"])["difference"]
    assert worst["age", "mean (SD)"] == pytest.approx(0.045603, abs=1e-6)
    assert worst["sex", ""] == pytest.approx(0.106441, abs=1e-6)
    assert worst["site", ""] == pytest.approx(0.072556, abs=1e-6)


def test_that_every_melanoma_is_malignant_is_no_difference_of_parts() -> None:
    """One archive knows what is malignant; of the other only melanomas are filled in."""
    frame = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(40)],
            "dataset": ["told"] * 20 + ["filled"] * 20,
            "melanoma": [n % 5 == 0 for n in range(40)],
            "malignant": pd.array(
                [n % 5 == 0 for n in range(20)] + [True, None, None, None, None] * 4,
                dtype="boolean",
            ),
        }
    )
    table = check_table(frame, source="test")
    assert unbalanced(table, by="dataset") == []
    # Where a part has no other images, its melanomas do differ from the other part.
    only = table[~((table["dataset"] == "filled") & ~table["melanoma"])]
    (warned,) = unbalanced(only, by="dataset")
    assert "malignant" in warned.message
