from __future__ import annotations

import pandas as pd
import pytest

from lentigo.datasets.reading.look_alikes import look_alikes, shown, spelled_alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("M\u00fcller", "Mu\u0308ller"),  # composed, decomposed
        ("P1", "P\u200b1"),  # zero width
        ("P1", "\ufeffP1"),  # byte order mark
        ("P 1", "P\u00a01"),  # no-break space
        ("P1", "P\u00ad1"),  # soft hyphen
        ("P-1", "P\u20101"),
        ("P-1", "P\u22121"),
        ("P-1", "P\u20131"),
        ("P-1", "P_1"),
        ("12", "\uff11\uff12"),  # full width
        ("12", "\u0661\u0662"),  # Arabic digits
        ("P1", "\u04201"),  # a Cyrillic letter
        ("P1", "p1"),
        ("7", "007"),
        ("7", "7.0"),
        ("5", "5,0"),
        ("5.0", "5,0"),
        ("05", "O5"),
        ("17", "l7"),
        ("17", "I7"),
        ("P10", "P1O"),
        ("P_0012", "P_OOl2"),
        ("7", "+7"),
        ("10000000", "1e7"),
        ("12300000", "1.23E+07"),
        ("stra\u00dfe", "STRASSE"),
        ("ISTANBUL", "\u0130stanbul"),
        ("7", "'7"),  # as a spreadsheet marks a number that is a text
        ("007", "\u20197"),
        ("a1", '"a1"'),
        ("a1", "\u00aba1\u00bb"),
        ("P7", "P7."),
        ("P7", "P7;"),
        ("12/7", "12\u22157"),
        ("Ivan", "Iv\u03b1n"),
    ],
)
def test_ids_that_look_alike_are_told_with_their_counts(one: str, other: str) -> None:
    found = look_alikes(pd.Series([one, one, other, "Q9", None], dtype="string"))
    assert dict(zip(found["id"], found["count"], strict=True)) == {one: 2, other: 1}
    (said,) = spelled_alike(pd.Series([one, other]), name="patient_id")
    assert said.isascii()
    assert shown(other) in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P1", "P10"),
        ("1.5", "15"),
        ("80", "8"),
        ("-7", "7"),
        ("a", "\u00e4"),
        ("1e7", "1"),
        ("P5", "PO5"),  # of P and of PO
        ("17", "L7"),
        ("lo", "10"),  # a word
        ("5", "5,000"),
        ("5,5", "55"),
    ],
)
def test_ids_that_differ_are_not(one: str, other: str) -> None:
    assert look_alikes(pd.Series([one, other])).empty


@pytest.mark.parametrize("ids", [["A-O1", "a-01", "a-1"], ["O5", "05", "5"]])
def test_a_letter_for_a_digit_parts_no_others(ids: list[str]) -> None:
    """The second looks like the first and like the third, which are linked by it alone."""
    without = look_alikes(pd.Series(ids[1:]))
    assert set(without["id"]) == set(ids[1:])
    found = look_alikes(pd.Series([*ids, "Q9"]))
    assert set(found["id"]) == set(ids)
    assert len(set(found["key"])) == 1
    assert look_alikes(pd.Series([ids[0], ids[2]])).empty


def test_no_ids_look_like_nothing() -> None:
    assert look_alikes(pd.Series([None, None], dtype="string")).empty
    assert spelled_alike(pd.Series([], dtype="string"), name="x") == []


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        (["1.23457E+11", "1.23457E+11", "1,23458e+11"], 2),
        (["1.2345678901234568e+16", "P1"], 1),
        (["1E+11", "7"], 1),
        (["123456789012345000", "223456789012345000"], 2),
    ],
)
def test_ids_that_a_spreadsheet_rounded_are_told(ids: list[str], count: int) -> None:
    (said,) = spelled_alike(pd.Series(ids, dtype="string"), name="patient_id")
    assert f"patient_id: {count} id" in said
    assert "several may have become one" in said


@pytest.mark.parametrize(
    "ids", [["1E12", "2E12"], ["1234567890123456", "2234567890123450"], ["1.2.840.10008"]]
)
def test_other_long_ids_are_not(ids: list[str]) -> None:
    assert spelled_alike(pd.Series(ids, dtype="string"), name="patient_id") == []
