from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from lentigo.evaluation.operating_points import (
    Confusion,
    at_threshold,
    confusion,
    threshold_at_sensitivity,
    wilson_interval,
)

TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
SCORE = np.array([0.9, 0.8, 0.7, 0.2, 0.8, 0.3, 0.2, 0.1])


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.0, Confusion(tp=4, fp=4, tn=0, fn=0)),  # everything is called melanoma
        (0.5, Confusion(tp=3, fp=1, tn=3, fn=1)),
        (0.8, Confusion(tp=2, fp=1, tn=3, fn=2)),  # a score on the threshold is a call
        (1.0, Confusion(tp=0, fp=0, tn=4, fn=4)),
    ],
)
def test_calls_are_counted(threshold: float, expected: Confusion) -> None:
    assert confusion(TRUTH, SCORE, threshold=threshold) == expected


def test_shares_are_those_of_the_counts() -> None:
    counts = Confusion(tp=3, fp=1, tn=7, fn=2)
    assert counts.sensitivity == 3 / 5
    assert counts.specificity == 7 / 8
    assert counts.ppv == 3 / 4
    assert counts.npv == 7 / 9
    assert counts.balanced_accuracy == (3 / 5 + 7 / 8) / 2


def test_a_share_of_nothing_is_undefined() -> None:
    counts = Confusion(tp=0, fp=0, tn=4, fn=0)
    assert math.isnan(counts.sensitivity)
    assert math.isnan(counts.ppv)
    assert counts.specificity == 1
    assert math.isnan(counts.balanced_accuracy)


@pytest.mark.parametrize(
    ("sensitivity", "expected"),
    [(0.25, 0.9), (0.5, 0.8), (0.51, 0.7), (0.75, 0.7), (0.95, 0.2), (1.0, 0.2)],
)
def test_the_highest_threshold_that_reaches_the_sensitivity(
    sensitivity: float, expected: float
) -> None:
    assert threshold_at_sensitivity(TRUTH, SCORE, sensitivity=sensitivity) == expected


@pytest.mark.parametrize("melanomas", [20, 40, 60, 100, 140, 180, 1000])
def test_95_percent_of_a_round_number_asks_for_no_melanoma_too_many(melanomas: int) -> None:
    truth = np.ones(melanomas, dtype=bool)
    score = np.arange(melanomas) / melanomas
    threshold = threshold_at_sensitivity(truth, score, sensitivity=0.95)
    assert (score >= threshold).sum() * 20 == melanomas * 19


def test_no_melanoma_leaves_the_threshold_undefined() -> None:
    assert math.isnan(threshold_at_sensitivity(np.zeros(3, bool), np.arange(3.0)))


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (3, 7), (5, 5), (50, 1000)])
def test_wilson_agrees_with_scipy(hits: int, of: int) -> None:
    expected = binomtest(hits, of).proportion_ci(method="wilson")
    interval = wilson_interval(hits, of)
    assert interval.value == hits / of
    assert interval.low == pytest.approx(expected.low, abs=1e-12)
    assert interval.high == pytest.approx(expected.high, abs=1e-12)


def test_wilson_of_nothing_is_undefined() -> None:
    assert math.isnan(wilson_interval(0, 0).value)


def test_without_a_threshold_nothing_is_judged() -> None:
    found = at_threshold(TRUTH, SCORE, np.arange(8), threshold=math.nan)
    assert all(math.isnan(interval.value) for interval in found.values())


def test_a_given_threshold_is_judged_with_intervals() -> None:
    found = at_threshold(TRUTH, SCORE, np.arange(8), threshold=0.5)
    assert {name: interval.value for name, interval in found.items()} == {
        "sensitivity": 3 / 4,
        "specificity": 3 / 4,
        "ppv": 3 / 4,
        "npv": 3 / 4,
        "balanced_accuracy": 3 / 4,
    }
    assert all(0 < each.low < each.value < each.high < 1 for each in found.values())
