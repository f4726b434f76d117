"""Rows that a condition chooses while tables are read."""

from __future__ import annotations

import pandas as pd
import pytest

from lentigo.datasets.reading.chosen import choose, is_chosen, rows_where
from lentigo.errors import DatasetError
from lentigo.tables import NotedTable

READ = NotedTable(pd.DataFrame({"image_id": ["a", "b", "c"], "age": [30, 50, 70]}), ("x",))


def test_the_rows_that_fit_are_counted_and_begin_at_0() -> None:
    with rows_where("age > 40"):
        found = choose(READ, source="t.csv")
    assert found.table["image_id"].to_dict() == {0: "b", 1: "c"}
    assert found.notes == (
        "x", "t.csv: 2 of 3 rows fit 'age > 40'; the others are left out."
    )  # fmt: skip


def test_without_a_condition_all_rows_are_read() -> None:
    assert choose(READ, source="t.csv") is READ
    with rows_where("age > 40"), rows_where(None):
        assert not is_chosen()
        assert choose(READ, source="t.csv") is READ
    assert not is_chosen()


def test_a_condition_may_name_columns_that_are_not_kept() -> None:
    whole = READ.table.assign(clinic=["A", "B", "A"])
    with rows_where("clinic == 'B'"):
        found = choose(READ, source="t.csv", asked=lambda: whole)
    assert found.table.to_dict("list") == {"image_id": ["b"], "age": [50]}


def test_a_table_in_which_nothing_fits_is_named() -> None:
    with rows_where("age > 99"), pytest.raises(DatasetError, match=r"^t\.csv: None of"):
        choose(READ, source="t.csv")
