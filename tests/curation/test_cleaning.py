from __future__ import annotations

import math

import pandas as pd

from lentigo.curation import clean
from lentigo.tables import check_table


def table(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    names = [f"i{k}" for k in range(count)]
    return check_table(pd.DataFrame({"image_id": names, **columns}), source="test")


def test_a_filled_value_can_be_told_from_a_measured_one() -> None:
    cleaned = clean(table(age=[40, None, 60, 50], sex=["male", None, None, "female"]))
    assert cleaned["age_filled"].tolist() == [40, 50, 60, 50]
    assert cleaned["age_missing"].tolist() == [False, True, False, False]
    assert cleaned["sex_filled"].tolist() == ["male", "unknown", "unknown", "female"]
    assert cleaned["sex_missing"].tolist() == [False, True, True, False]
    assert cleaned["site_filled"].tolist() == 4 * ["unknown"]
    assert cleaned["age"].isna().tolist() == [False, True, False, False]
    assert cleaned["sex"].isna().sum() == 2
    assert cleaned.attrs["notes"] == [
        "age was missing for 1 image; age_filled is the median, 50 years.",
        "sex was missing for 2 images; sex_filled is unknown.",
        "site was missing for 4 images; site_filled is unknown.",
    ]


def test_age_is_normalised_by_the_known_ages() -> None:
    cleaned = clean(table(age=[40, 60, None]))
    assert cleaned["age_normalised"].tolist() == [-1, 1, 0]  # mean 50, deviation 10


def test_another_table_may_set_the_scale() -> None:
    cleaned = clean(table(age=[70, None]), reference=table(age=[40, 60]))
    assert cleaned["age_filled"].tolist() == [70, 50]
    assert cleaned["age_normalised"].tolist() == [2, 0]


def test_ages_all_alike_and_no_age_at_all() -> None:
    assert clean(table(age=[50, 50]))["age_normalised"].tolist() == [0, 0]
    nothing = clean(table(age=[None, None]))
    assert all(math.isnan(value) for value in nothing["age_filled"])
    assert all(math.isnan(value) for value in nothing["age_normalised"])


def test_earlier_notes_stay_and_the_argument_is_not_touched() -> None:
    before = table(age=[None, 30])
    before.attrs["notes"] = ["read"]
    assert clean(before).attrs["notes"][0] == "read"
    assert before.attrs["notes"] == ["read"]
    assert "age_filled" not in before
