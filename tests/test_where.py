from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.errors import ConfigError, DatasetError, LentigoError, UnknownNameError
from lentigo.tables import check_table
from lentigo.where import where

TABLE = check_table(
    pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "melanoma": [True, False, pd.NA, True, False, False],
            "age": [70, 50, 45, None, 20, 60],
            "site": ["torso", "torso", None, "head/neck", "palms/soles", "torso"],
            "diagnosis": [
                "melanoma",
                "nevus",
                None,
                "melanoma",
                "lichenoid keratosis",
                "nevus",
            ],
            "width": [10, 20, 30, 40, 50, 60],
            "height": [20, 20, 20, 20, 20, 20],
        }
    ),
    source="test",
)


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("melanoma", "ad"),
        ("not melanoma", "bef"),  # c has no label, so it is not known to be benign
        ("missing(melanoma)", "c"),
        ("melanoma == False", "bef"),
        ("melanoma == 1", "ad"),
        ("age >= 50", "abf"),
        ("not age >= 50", "ce"),  # d has no age: neither
        ("age != 50", "acef"),
        ("40 <= age < 60", "bc"),
        ("age > -1.5", "abcef"),
        ('site == "torso"', "abf"),
        ("site != 'torso'", "de"),
        ('site in ("head/neck", "palms/soles")', "de"),
        ('site not in ["torso"]', "de"),
        ('"keratosis" in diagnosis', "e"),
        ('"keratosis" not in diagnosis', "abdf"),
        ("diagnosis.isna()", "c"),
        ("diagnosis.notna() and missing(age)", "d"),
        ('melanoma and site == "torso" and age >= 50', "a"),
        ("melanoma or missing(site)", "acd"),
        ("not (melanoma or age < 30)", "bf"),
        ("width > height", "cdef"),
        ("True", "abcdef"),
    ],
)  # fmt: skip
def test_rows_are_chosen(expression: str, chosen: str) -> None:
    assert "".join(where(TABLE, expression)["image_id"]) == chosen


def test_an_unknown_column_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"column called 'sit'.*Did you mean site"):
        where(TABLE, 'sit == "torso"')
    with pytest.raises(UnknownNameError, match="Known: site, sex, age, patient_id, diag"):
        where(TABLE, "zzzz == 3")


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "open('x')",
        "age.max() > 3",
        "age.__class__",
        "[x for x in age]",
        "(lambda: 1)()",
        "age if melanoma else width",
        "f'{age}' == 'x'",
        "age + 1 > 2",
        "2 ** 999999999 > age",
        "melanoma; age",
        "site is None",
        "site[0] == 't'",
        "(x := 3) > age",
        "age == None",
        "{1: 2} == age",
        "missing(age, site)",
        "missing('age')",
        "melanoma.isna(1)",
        "",
        "age >",
        "'a\\d' == site and (",
        "site = 'torso'",
        "1 < 2",
        "site",
        "age",
        "age == 'old'",
        "site >= 3",
        "site in 'torso'",
        "3 in age",
        "melanoma == 'yes'",
        "age in (site, 3)",
        "-melanoma",
        "not 3",
        f"age < {'9' * 400}",
        "(" * 300 + "age" + ")" * 300,
        "x" * 1001,
        "a\0b",
    ],
)
def test_everything_else_is_refused_in_one_line(expression: str) -> None:
    with pytest.raises(ConfigError) as caught:
        where(TABLE, expression)
    assert "\n" not in str(caught.value)


def test_a_refusal_says_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"age \+ 1 is not allowed.*missing\(column\)"):
        where(TABLE, "age + 1 > 2")
    with pytest.raises(ConfigError, match="Two equal signs"):
        where(TABLE, "site = 'torso'")
    with pytest.raises(ConfigError, match=r"age holds numbers .* as in age >= 50"):
        where(TABLE, "age == 'old'")


def test_no_row_is_an_error_that_names_the_words_there_are() -> None:
    with pytest.raises(DatasetError, match=r"None of the 6 .*never 'trunk'; it is torso"):
        where(TABLE, 'site == "trunk"')
    with pytest.raises(DatasetError, match="never 'trunk'; it is torso"):
        where(TABLE, 'site in ("trunk", "foot")')
    with pytest.raises(DatasetError, match=r"'age > 99'\. age goes from 20 to 70\."):
        where(TABLE, "age > 99")
    with pytest.raises(DatasetError, match=r"age goes from 20 to 70\."):
        where(TABLE, "melanoma and -3 > age")
    with pytest.raises(DatasetError, match="age is missing everywhere"):
        where(TABLE.assign(age=float("nan")), "age < 50")


DEEP = {
    "minus signs": f"{'-' * 900}1 < age",
    "minus signs behind": f"age > {'-' * 900}1",
    "many brackets": f"{'(' * 450}age > 1{')' * 450}",
    "nots": f"{'not ' * 240}melanoma",
    "lists": "[" * 500,
    "points": "a" + ".b" * 400,
    "lambdas": "lambda: " * 120 + "1",
}


@pytest.mark.parametrize("name", DEEP)
def test_a_sentence_that_is_nested_deeply_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        where(TABLE, DEEP[name])
    assert len(str(refused.value)) < 600
    assert "\n" not in str(refused.value)


def test_a_sentence_just_deep_enough_is_read() -> None:
    deepest = "not " * 38 + "age > 1"  # beside them the comparison and the number
    assert len(where(TABLE, deepest)) == 5
    with pytest.raises(ConfigError, match="nested more than 40 deep"):
        where(TABLE, f"not {deepest}")


def test_a_long_sentence_of_many_parts_is_no_deep_one() -> None:
    assert len(where(TABLE, "age > 1" + " and age > 1" * 80)) == 5


PIECES = st.sampled_from(
    ["age", "site", "melanoma", "width", "nothing", "'torso'", '"', "1", "-1.5", "1e999",
     "9" * 30, "1j", "b'x'", "True", "None", "...", "(", ")", "[", "]", "{", "}", ",", ":",
     " ", "==", "!=", "<", "<=", "in", "not in", "not", "and", "or", "is", "-", "~", "+",
     "*", "**", "/", "%", "@", ":=", "=", "missing", ".isna()", ".notna()", ".", "lambda",
     "if", "else", "for", "yield", "await", "f'{age}'", "\0", "\n", "\t", "#", "\\", "é",
     "\ud800", "(" * 60, "-" * 60, "not " * 60]
)  # fmt: skip


def chosen_or_refused(expression: str) -> None:
    try:
        rows = where(TABLE, expression)
    except LentigoError:
        return
    assert 0 < len(rows) <= len(TABLE)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_sentence_chooses_or_is_refused(expression: str) -> None:
    chosen_or_refused(expression)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=200))
def test_very_many_sentences_choose_or_are_refused(expression: str) -> None:
    chosen_or_refused(expression)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("site == 'nose'", "site is never 'nose'; it is back and leg"),
        ("age > 200", "age goes from 20 to 80"),
        ("200 < age", "age goes from 20 to 80"),
        ("size > 1", "size is missing everywhere"),
    ],
)
def test_a_condition_that_no_row_can_fit_says_what_there_is(
    condition: str, said: str
) -> None:
    rows = pd.DataFrame(
        {
            "site": ["back", "leg", None],
            "age": [20.0, 50.0, 80.0],
            "size": [float("nan")] * 3,
        }
    )
    with pytest.raises(DatasetError) as refused:
        where(rows, condition)
    assert said.replace(" and ", ", ") in str(refused.value).replace(" and ", ", ")


def test_two_conditions_that_exclude_each_other_blame_no_column() -> None:
    rows = pd.DataFrame({"age": [20.0, 80.0], "site": ["back", "leg"]})
    with pytest.raises(DatasetError) as refused:
        where(rows, "age > 50 and site == 'back'")
    assert "goes from" not in str(refused.value)
    assert "never" not in str(refused.value)


@pytest.mark.parametrize(
    ("condition", "example"),
    [
        ("age == 'old'", "age >= 50"),
        ("site > 3", "site == 'back'"),
        ("flag == 'x'", "not flag"),
    ],
)
def test_a_wrong_kind_is_answered_by_an_example_of_the_column(
    condition: str, example: str
) -> None:
    rows = pd.DataFrame(
        {"age": [20.0, 80.0], "site": ["back", None], "flag": [True, False]}
    )
    with pytest.raises(ConfigError, match=example):
        where(rows, condition)
    assert len(where(rows, "flag == 1")) == 1  # many tables write 0 and 1
