from __future__ import annotations

import pandas as pd
import pytest

from lentigo.curation.splits.times import choose_limit, read_times
from lentigo.errors import ColumnError, ConfigError, DatasetError


def times(*words: object) -> pd.Series[pd.Timestamp]:
    return read_times(pd.DataFrame({"when": words}), "when")


def test_years_and_iso_dates_are_read() -> None:
    read = times("2019", "2019.0", "2019-05-31", "2019-05-31T12:00:00+02:00", " 2020 ", "")
    assert [str(moment)[:16] for moment in read[:5]] == [
        "2019-01-01 00:00",
        "2019-01-01 00:00",
        "2019-05-31 00:00",
        "2019-05-31 10:00",
        "2020-01-01 00:00",
    ]
    assert read.isna().tolist() == 5 * [False] + [True]


def test_years_that_are_numbers_are_read() -> None:
    assert times(2019.0, float("nan")).isna().tolist() == [False, True]
    assert times(2019, 2020).dt.year.tolist() == [2019, 2020]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["31.05.2019"],
            r"years or ISO dates .* holds 31\.05\.2019\. Write .* yyyy-mm-dd",
        ),
        (["2019", "spring", "later"], "but holds spring, later"),
        (["", None], "The column when is empty"),
    ],
)
def test_what_is_no_date_is_named(words: list[str | None], message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        times(*words)


def test_a_column_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(ColumnError, match=r"no column date .* It has when"):
        read_times(pd.DataFrame({"when": ["2019"]}), "date")


@pytest.mark.parametrize(
    ("before", "limit"),
    [
        ("0.5", "2013-01-01"),
        ("0.25", "2012-01-01"),
        ("0.01", "2012-01-01"),
        ("0.99", "2014-01-01"),
        ("2013", "2013-01-01"),
        ("2012-06-01", "2012-06-01"),
        ("2012-06-01T00:00:00+00:00", "2012-06-01"),
    ],
)
def test_where_to_cut(before: str, limit: str) -> None:
    found = choose_limit(times("2014", "2011", "2013", "2012", None), before)
    assert f"{found:%Y-%m-%d}" == limit


def test_the_nearest_share_is_taken_where_many_images_are_of_one_day() -> None:
    # Earlier than 2020 is 1 of 5, earlier than 2021 are 4 of 5: 0.6 is nearer to 0.8.
    found = choose_limit(times("2019", "2020", "2020", "2020", "2021"), "0.6")
    assert found.year == 2021


@pytest.mark.parametrize("before", ["soon", "0", "1", "1.5", "-0.2", "nan", "20195"])
def test_what_is_neither_a_date_nor_a_share_is_refused(before: str) -> None:
    with pytest.raises(ConfigError, match=f"--before is '{before}'; give a year"):
        choose_limit(times("2019", "2020"), before)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("2010", "No image is earlier than 2010: they are of 2019-01-01 to 2020-01-01"),
        ("2030", "No image is later than 2030"),
    ],
)
def test_a_date_with_nothing_on_one_side_is_refused(before: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        choose_limit(times("2019", "2020"), before)


def test_images_of_one_time_cannot_be_divided_by_a_share() -> None:
    with pytest.raises(DatasetError, match="All images are of one time"):
        choose_limit(times("2019", "2019"), "0.8")
