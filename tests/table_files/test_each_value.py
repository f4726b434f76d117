"""Reading each distinct value once gives what reading every row gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.datasets.reading.columns import image_names
from lentigo.datasets.reading.labels import read_label
from lentigo.table_files.each_value import each_value, repeated_names


def test_each_distinct_value_is_read_once_and_missing_ones_never() -> None:
    asked: list[Any] = []

    def length(each: pd.Series[Any]) -> pd.Series[Any]:
        asked.extend(each)
        return pd.Series([len(word) for word in each], dtype="Int64")

    column = pd.Series(["nevus", None, "mel", "nevus"], index=[7, 7, 2, 0], name="dx")
    found = each_value(column, length)
    assert asked == ["nevus", "mel"]
    expected = pd.Series([5, pd.NA, 3, 5], index=[7, 7, 2, 0], name="dx", dtype="Int64")
    pd.testing.assert_series_equal(found, expected)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([True, False, True]),
        pd.Series([1.0, 0.0, np.nan]),
        pd.Series([1, 0, "1", True, "yes", "0.0", None, "unknown"], dtype=object),
        pd.Series(["mel", "MEL ", "benign", "nevus", pd.NA], dtype="string"),
    ],
)
def test_a_label_does_not_depend_on_the_other_rows(column: pd.Series[Any]) -> None:
    whole, _ = read_label(column.rename("melanoma"), source="the truth")
    for place in range(len(column)):
        # Beside a 0, so that a column of one missing value still has a label.
        alone = pd.Series([column.iloc[place], 0], dtype=object)
        one, _ = read_label(alone.rename("melanoma"), source="the truth")
        assert one.iloc[0] is whole.iloc[place] or one.iloc[0] == whole.iloc[place]


def test_bare_names_and_names_to_be_shortened_come_out_alike() -> None:
    bare = pd.Series(["ISIC_1", "ISIC-2", pd.NA])
    with_one_path = pd.Series(["ISIC_1", "ISIC-2", pd.NA, "a/ISIC_3.jpg"])
    pd.testing.assert_series_equal(image_names(bare), image_names(with_one_path)[:3])
    assert image_names(with_one_path)[3] == "ISIC_3"


@pytest.mark.parametrize(
    ("names", "twice"),
    [
        (["a", "b", "c"], []),  # in rising order: neighbours are compared
        (["a", "b", "b", "c"], ["b"]),
        (["b", "a", "c", "a", "b", "a"], ["b", "a"]),
        (["b", pd.NA, "b"], ["b"]),  # what is missing stands between neighbours
        (["a"], []),
        ([], []),
    ],
)
def test_names_that_come_twice_are_found_in_any_order(
    names: list[str], twice: list[str]
) -> None:
    assert sorted(repeated_names(pd.Series(names, dtype="string"))) == sorted(twice)
