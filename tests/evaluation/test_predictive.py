"""PPV at another share of melanoma, and where its interval comes from."""

from __future__ import annotations

import math

import pytest

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.predictive_values import predictive


def ppv(share: float, right: float, wrong: float) -> float:
    return share * right / (share * right + (1 - share) * wrong)


def test_where_one_rate_is_certain_the_ends_are_those_of_the_other() -> None:
    right, wrong = Interval(0.8, 0.7, 0.9), Interval(0.2, 0.2, 0.2)
    found = predictive(0.1, right, wrong)
    assert found.value == pytest.approx(0.08 / 0.26)
    assert found.low == pytest.approx(ppv(0.1, 0.7, 0.2))
    assert found.high == pytest.approx(ppv(0.1, 0.9, 0.2))
    certain = predictive(0.1, Interval(0.8, 0.8, 0.8), Interval(0.2, 0.1, 0.3))
    assert certain.low == pytest.approx(ppv(0.1, 0.8, 0.3))
    assert certain.high == pytest.approx(ppv(0.1, 0.8, 0.1))


def test_both_rates_together_are_wider_than_one_and_narrower_than_the_corners() -> None:
    found = predictive(0.1, Interval(0.8, 0.7, 0.9), Interval(0.2, 0.1, 0.3))
    assert ppv(0.1, 0.7, 0.3) < found.low < ppv(0.1, 0.8, 0.3)
    assert ppv(0.1, 0.8, 0.1) < found.high < ppv(0.1, 0.9, 0.1)


def test_a_rate_of_0_has_the_corners_and_an_unknown_one_no_ends() -> None:
    found = predictive(0.1, Interval(0.8, 0.7, 0.9), Interval(0.0, 0.0, 0.1))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(ppv(0.1, 0.7, 0.1))
    assert math.isnan(predictive(0.1, Interval(0.8), Interval(0.2, 0.1, 0.3)).low)
    assert math.isnan(predictive(0.1, Interval(0, 0, 0), Interval(0, 0, 0)).value)
