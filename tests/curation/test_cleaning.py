from __future__ import annotations

import math

import pandas as pd

from lentigo.curation import clean
from lentigo.curation.cleaning import encode
from lentigo.tables import NotedTable, check_table


def table(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    names = [f"i{k}" for k in range(count)]
    return check_table(pd.DataFrame({"image_id": names, **columns}), source="test")


def test_a_filled_value_can_be_told_from_a_measured_one() -> None:
    read = clean(table(age=[40, None, 60, 50], sex=["male", None, None, "female"]))
    cleaned = read.table
    assert cleaned["age_filled"].tolist() == [40, 50, 60, 50]
    assert cleaned["age_missing"].tolist() == [False, True, False, False]
    assert cleaned["sex_filled"].tolist() == ["male", "unknown", "unknown", "female"]
    assert cleaned["sex_missing"].tolist() == [False, True, True, False]
    assert cleaned["site_filled"].tolist() == 4 * ["unknown"]
    assert cleaned["age"].isna().tolist() == [False, True, False, False]
    assert cleaned["sex"].isna().sum() == 2
    assert list(read.notes) == [
        "age was missing for 1 image; age_filled is the median, 50 years.",
        "sex was missing for 2 images; sex_filled is unknown.",
        "site was missing for 4 images; site_filled is unknown.",
    ]


def test_age_is_normalised_by_the_known_ages() -> None:
    cleaned = clean(table(age=[40, 60, None])).table
    assert cleaned["age_normalised"].tolist() == [-1, 1, 0]  # mean 50, deviation 10


def test_another_table_may_set_the_scale() -> None:
    cleaned = clean(table(age=[70, None]), reference=table(age=[40, 60])).table
    assert cleaned["age_filled"].tolist() == [70, 50]
    assert cleaned["age_normalised"].tolist() == [2, 0]


def test_ages_all_alike_and_no_age_at_all() -> None:
    assert clean(table(age=[50, 50])).table["age_normalised"].tolist() == [0, 0]
    nothing = clean(table(age=[None, None])).table
    assert all(math.isnan(value) for value in nothing["age_filled"])
    assert all(math.isnan(value) for value in nothing["age_normalised"])


def test_earlier_notes_stay_and_the_argument_is_not_touched() -> None:
    before = NotedTable(table(age=[None, 30]), ("read",))
    said, *_ = before.then(clean).notes
    assert said == "read"
    assert before.notes == ("read",)
    assert "age_filled" not in before.table


def test_codes_stand_beside_the_words_and_missing_stays_missing() -> None:
    before = table(
        sex=["male", None, "female"],
        site=["torso", "torso", None],
        diagnosis=["nevus", "melanoma", None],
        melanoma=[False, True, None],
    )
    read = encode(before)
    encoded = read.table
    assert encoded["sex_code"].fillna(-1).tolist() == [1, -1, 0]
    assert encoded["site_code"].fillna(-1).tolist() == [3, 3, -1]
    assert encoded["diagnosis_code"].fillna(-1).tolist() == [1, 0, -1]
    assert encoded["melanoma_code"].fillna(-1).tolist() == [0, 1, -1]
    notes = read.notes
    assert notes[0] == "sex_code: 0 female (1), 1 male (1), missing (1)."
    assert notes[-1] == "diagnosis_code: 0 melanoma (1), 1 nevus (1), missing (1)."


def test_a_filled_word_has_a_code_of_its_own() -> None:
    encoded = encode(clean(table(sex=["male", None, "female"])).table).table
    assert encoded["sex_filled_code"].tolist() == [1, 2, 0]
    assert set(encoded["site_filled_code"]) == {6}
    assert encoded["sex_code"].isna().tolist() == [False, True, False]
