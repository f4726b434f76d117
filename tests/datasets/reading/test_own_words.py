"""Columns of somebody's table read as ours, whose words stay where they are not ours."""

from __future__ import annotations

import pandas as pd
import pytest

from lentigo.datasets.reading.own_words import column_in_our_words, described_by


@pytest.mark.parametrize(
    ("ours", "theirs", "read"),
    [
        ("site", ["Rücken", "torso", "moon", None], ["torso", "torso", "moon", None]),
        (
            "sex",
            ["f", "male", "?", "Other"],
            ["female", "male", None, "Other"],
        ),
        ("skin_type", ["III", "3", "olive"], ["3", "3", "olive"]),
        ("diagnosis", ["mel", "Melanom", "zebra"], ["melanoma", "melanoma", "zebra"]),
        ("age", ["40", "41,5", "unknown", "999"], [40, 41.5, None, None]),
        ("age", ["40-50", "60", None], ["40-50", "60", None]),  # bands are no ages
        ("device", ["A", "other", None], ["A", "other", None]),
    ],
)
def test_a_column_is_read_in_our_words_and_keeps_others(
    ours: str, theirs: list[object], read: list[object]
) -> None:
    values = column_in_our_words(pd.Series(theirs), ours)
    assert values.astype(object).where(values.notna(), None).tolist() == read


def test_further_columns_stay_as_they_are() -> None:
    source = pd.DataFrame({"Lokalisation": ["Rücken"], "Klinik": ["A"], "age": [50.0]})
    whole = described_by(source)
    assert whole.to_dict("list") == {
        "Lokalisation": ["Rücken"], "Klinik": ["A"], "age": [50.0], "site": ["torso"]
    }  # fmt: skip
