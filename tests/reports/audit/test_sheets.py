"""Tables of the page: how a value is written, and what is set to the left."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.reports.audit.sheets import as_text, sheet_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345, "12,345"),
        (np.int64(12345), "12,345"),
        (np.uint8(200), "200"),
        (np.uint32(12345), "12,345"),
        (0.8125, "0.812"),
        (np.float32(0.1), "0.100"),
        (1 / 3000, "0.000333"),
        (-12.5, "-12.500"),
        (12345.6, "12,346"),
        (3.0, "3"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (None, "–"),
        (pd.NA, "–"),
        (math.nan, "–"),
        (pd.NaT, "–"),
        (pd.Timestamp("2020-03-01"), "2020-03-01"),
        (pd.Timestamp("2020-03-01 14:30"), "2020-03-01 14:30"),
        (["a", "b"], "a, b"),
        (np.array([1, 2]), "1, 2"),
        ("007", "007"),
        ("", ""),
    ],
)
def test_a_cell_is_written_as_a_reader_wants_it(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_words_and_yes_or_no_stand_to_the_left_and_numbers_to_the_right() -> None:
    rows = pd.DataFrame({"image_id": ["a"], "n": [1], "auc_low": [0.5], "blurred": [True]})
    sheet = sheet_of(rows, title="T", caption="C")
    assert sheet.columns == ["image id", "n", "auc low", "blurred"]
    assert sheet.words == ["image id", "blurred"]
    assert sheet.rows[0].cells == ["a", "1", "0.500", "yes"]
    assert sheet.rows[0].kind == ""


def test_two_columns_that_read_alike_are_each_set_by_what_they_hold() -> None:
    rows = pd.DataFrame([[1, "w"]], columns=["a_b", "a b"])
    sheet = sheet_of(rows, title="T")
    assert sheet.columns == ["a b", "a b"]
    assert [cells.cells for cells in sheet.rows] == [["1", "w"]]


def test_strong_rows_are_bold_whatever_the_index() -> None:
    rows = pd.DataFrame({"a": [1, 2, 3]}, index=[7, 3, 5])
    sheet = sheet_of(rows, title="T", strong=rows["a"] > 1)
    assert [row.kind for row in sheet.rows] == ["", "strong", "strong"]


def test_a_table_without_rows_has_its_columns_all_the_same() -> None:
    sheet = sheet_of(pd.DataFrame({"a": pd.Series(dtype="float64")}), title="T")
    assert (sheet.columns, sheet.rows) == (["a"], [])
