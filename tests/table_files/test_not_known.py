"""Ids that a table does not know are missing, whatever else the column holds."""

from __future__ import annotations

import pandas as pd

from lentigo.table_files.not_known import NOT_KNOWN, known_ids, perhaps_missing, plain


def test_words_for_unknown_are_missing_and_ids_stay() -> None:
    given = ["7.0", "unknown", " n/a ", "P1", "", None, "Unbekannt", "N/A2", "not  known"]
    found = known_ids(pd.Series(given)).tolist()
    assert found[0] == "7"
    assert found[3] == "P1"
    assert found[7] == "N/A2"
    assert [place for place, each in enumerate(found) if pd.isna(each)] == [
        1,
        2,
        4,
        5,
        6,
        8,
    ]


def test_no_word_for_unknown_has_a_digit() -> None:
    """`known_ids` looks only at ids without a digit, as most ids have one."""
    assert not any(letter in "0123456789" for word in NOT_KNOWN for letter in word)


def test_what_statistics_programs_and_spreadsheets_write_names_no_patient() -> None:
    """Stata writes ., SPSS #NULL!, Excel #WERT! where a formula fails."""
    empty = [".", "--", "#NULL!", "#WERT!", "#DIV/0!", "#REF!", "#NAME?", "s/d", "无", "/"]
    assert known_ids(pd.Series(empty)).isna().all()
    patients = ["#7", "#A!", "SD", "ND", "P.", "-7", "x1"]
    assert known_ids(pd.Series(patients)).tolist()[0:1] == ["#7"]
    assert known_ids(pd.Series(patients)).notna().sum() == len(patients) - 1


def test_numbers_that_may_mean_not_known_are_counted() -> None:
    ids = pd.Series(["999", "999", "1", "2", "-9", "ND", "ND"])
    assert perhaps_missing(ids) == {"999": 2, "ND": 2}
    assert perhaps_missing(pd.Series(["998", "999", "999", "x"])) == {}


def test_numbers_are_read_as_they_are_written() -> None:
    assert plain(pd.Series([1.0, None, -1.0, 1.0])).tolist() == [
        "1.0",
        pd.NA,
        "-1.0",
        "1.0",
    ]
    assert plain(pd.Series([True, False])).tolist() == ["true", "false"]
    # As objects they are equal to 1, and yet other words.
    mixed = pd.Series([1, True, 1.0, "1"], dtype=object)
    assert plain(mixed).tolist() == ["1", "true", "1.0", "1"]
    assert plain(pd.Series([3, None], dtype="Int64")).tolist() == ["3", pd.NA]
