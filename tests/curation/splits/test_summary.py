from __future__ import annotations

import math

import pandas as pd
import pytest

from lentigo.curation.splits.part_words import PART_WORDS, part_rank, read_part
from lentigo.curation.splits.summary import part_summary
from lentigo.tables import check_table


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("Training", "train"),
        (" VAL ", "validation"),
        ("dev", "validation"),
        ("holdout", "test"),
        ("left_out", "left out"),
        ("3", "3"),
        ("3.0", "3"),
        ("0", "0"),
        ("-1", "left out"),
        ("-1.0", "left out"),
        ("spring", "spring"),
    ],
)
def test_the_words_for_parts(word: str, part: str) -> None:
    assert read_part(pd.Series([word]))[0] == part


def test_an_empty_cell_is_no_part() -> None:
    assert read_part(pd.Series(["", "  ", None, "train"])).isna().tolist() == [
        True, True, True, False,
    ]  # fmt: skip


def test_folds_that_are_numbers_are_read_as_well() -> None:
    assert read_part(pd.Series([0.0, 1.0, float("nan")])).tolist()[:2] == ["0", "1"]


def test_training_comes_before_validation_before_test_and_numbers_in_order() -> None:
    names = ["test", "10", "9", "validation", "spring", "train"]
    assert sorted(names, key=part_rank) == [
        "train", "validation", "test", "9", "10", "spring",
    ]  # fmt: skip
    # No digit of ours, and int() of it would fail.
    assert part_rank("²") == part_rank("spring")


def test_every_word_is_written_as_it_is_looked_up() -> None:
    assert all(word == word.lower().replace("_", " ") for word in PART_WORDS)


def test_parts_in_numbers() -> None:
    table = check_table(
        pd.DataFrame(
            {
                "image_id": list("abcdef"),
                "patient_id": ["p", "p", "q", "r", "s", "t"],
                "group_id": ["p", "p", "q", "r", "s", "t"],
                "melanoma": pd.array(
                    [True, False, False, None, True, False], dtype="boolean"
                ),
                "age": [40, 40, 60, None, None, None],
                "site": ["torso", "torso", "head/neck", None, "torso", "torso"],
            }
        ),
        source="test",
    )
    part = pd.Series(["train", "train", "train", "train", "test", None], dtype="string")
    train, test, whole = part_summary(table, part).to_dict("records")
    assert (train["part"], train["images"], train["groups"], train["patients"]) == (
        "train", 4, 3, 3,
    )  # fmt: skip
    # The unlabelled image is no part of the share.
    assert (train["melanomas"], train["share"], train["age"]) == (1, 1 / 3, 40)
    # Torso: 2 of 3 in train, 1 of 1 in test, 3 of 4 in all (whose part is known).
    assert train["site_off"] == pytest.approx(3 / 4 - 2 / 3)
    assert test["site_off"] == pytest.approx(1 / 4)
    assert math.isnan(test["age"])
    assert (whole["part"], whole["images"], whole["site_off"]) == ("all", 5, 0)


def test_what_nobody_knows_is_not_a_number() -> None:
    bare = check_table(pd.DataFrame({"image_id": ["a"], "group_id": ["a"]}), source="test")
    row = part_summary(bare, pd.Series(["train"])).iloc[0]
    assert row[["share", "age", "site_off"]].isna().all()
    assert row["patients"] == 0
