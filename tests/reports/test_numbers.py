"""Numbers as a person reads them."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.evaluation.registry import METRICS
from lentigo.reports.glossary import explain, title
from lentigo.reports.numbers import (
    Value,
    as_value,
    interval,
    number,
    result_rows,
    share,
    shown,
    why_undefined,
    with_minus,
)
from lentigo.reports.paper.tables import Table, as_html, as_latex
from lentigo.words import counted, listed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.84249, "0.842"),
        (1.0, "1.000"),
        (0.0, "0.000"),  # a true zero; an undefined number is never one
        (0.01, "0.010"),
        (0.0004, "0.00040"),  # must not become 0.000
        (-0.049, "−0.049"),
        (-12.5, "−12.500"),
        (math.nan, "undefined"),
    ],
)
def test_number(value: float, expected: str) -> None:
    assert number(value) == expected


def test_a_difference_carries_its_sign() -> None:
    assert number(0.049, signed=True) == "+0.049"
    assert number(0.0, signed=True) == "0.000"
    assert number(1.1e-16, signed=True) == "0.000"
    assert interval(Value(0.1, -0.02, 0.22), signed=True) == "−0.020 to +0.220"


@given(st.floats(min_value=-1e6, max_value=1e6).filter(lambda value: abs(value) > 1e-9))
def test_a_number_that_is_not_zero_never_reads_as_zero(value: float) -> None:
    digits = number(value).replace("−", "-")
    assert float(digits) != 0
    assert math.isclose(float(digits), value, rel_tol=0.06, abs_tol=0.0005)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 8, "12.5\u00a0%"),
        (0, 8, "0\u00a0%"),
        (1, 5000, "<\u20090.1\u00a0%"),  # not 0.0 %: there is one
        (0, 0, "–"),
    ],
)
def test_share(part: int, whole: int, expected: str) -> None:
    assert share(part, whole) == expected


def test_words() -> None:
    assert counted(1, "image") == "1 image"
    assert counted(2000, "image") == "2,000 images"
    assert counted(0, "melanoma") == "0 melanomas"
    assert listed(["age"]) == "age"
    assert listed(["age", "sex", "site"]) == "age, sex and site"


def test_null_is_undefined_and_a_bare_number_has_no_interval() -> None:
    undefined = as_value({"value": None, "low": None, "high": None})
    assert undefined is not None
    assert not undefined.is_defined
    assert as_value(0.8) == Value(0.8)
    assert as_value(None) is None
    assert as_value(True) is None
    assert shown(Value(0.8), why="").note == "no interval"
    assert shown(Value(math.nan), why="no melanoma").note == "no melanoma"


@pytest.mark.parametrize(
    ("name", "evaluation", "expected"),
    [
        ("auc", {"n_images": 8, "n_melanomas": 0}, "no melanoma"),
        ("auc", {"n_images": 8, "n_melanomas": 8}, "only melanomas"),
        ("ppv", {"n_images": 8, "n_melanomas": 2}, "no image was called"),
        ("npv", {"n_images": 8, "n_melanomas": 2}, "every image was called"),
        ("auc", {"n_images": 0, "n_melanomas": 0}, "no image with a label"),
        ("calibration_slope", {}, "no value on these images"),
    ],
)
def test_the_reason_of_an_undefined_number(
    name: str, evaluation: dict[str, Any], expected: str
) -> None:
    assert expected in why_undefined(name, evaluation)


def test_rows_stand_beside_each_other_even_where_one_lacks_a_metric() -> None:
    half = {"value": 0.5, "low": 0.4, "high": 0.6}
    rows = result_rows(
        {
            "model": {"auc": half, "n_images": 8},
            "baseline": {"auc": half, "brier": half},
            "difference": {"auc": {"value": 0.0, "low": -0.1, "high": 0.1}, "n_images": 8},
        }
    )
    assert [row.name for row in rows] == ["auc", "brier"]
    assert rows[0].difference is not None
    assert rows[0].difference.ends == "−0.100 to +0.100"
    assert rows[1].model.text == "undefined"
    assert rows[1].difference is None


def test_titles_of_metrics() -> None:
    assert title("auc") == "AUC"
    assert title("auc_delong") == "AUC (DeLong)"
    assert title("specificity_at_sensitivity_95") == "Specificity at 95\u00a0% sensitivity"
    assert title("my_new_metric") == "My new metric"


def test_every_metric_has_its_line_in_the_glossary() -> None:
    for name in METRICS:
        assert explain(name).endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a difference of -0.0084 (-0.0171 to +0.0003)", "−0.0084 (−0.0171 to"),
        ("-0.24", "−0.24"),
        ("-2.", "−2."),
        ("[-3e-05, 1]", "[−3e-05, 1]"),
        ("0.80-0.85, 2020-01-02, ward-3, -1.png, --views 1, -1-2, fold -x", None),
    ],
)
def test_a_negative_number_has_a_minus_sign(text: str, expected: str | None) -> None:
    assert with_minus(text) == text if expected is None else expected in with_minus(text)
    told = re.sub("<[^>]+>", "", as_html(Table("x", text, pd.DataFrame({"n": ["-0.5"]}))))
    assert "−0.5" in told
    assert "$-$0.5" in as_latex(Table("x", text, pd.DataFrame({"n": ["-0.5"]})))
