from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from lentigo.evaluation import metrics
from lentigo.evaluation.calibration_error import calibration_error
from lentigo.evaluation.consequences import Called
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.evaluation.sums import Sample


def test_values_without_skewness_have_the_t_interval() -> None:
    values = np.array([1.0, 2, 3, 4, 5])
    found = clustered_mean(values, np.arange(5))
    low, high = student.interval(0.95, 4, loc=3, scale=values.std(ddof=1) / math.sqrt(5))
    assert (found.value, found.low, found.high) == pytest.approx((3, low, high))


def test_a_few_large_errors_push_the_upper_bound_out() -> None:
    values = np.array([0.9, *np.full(49, 0.01)])
    found = clustered_mean(values, np.arange(50))
    assert found.high - found.value > 2 * (found.value - found.low)
    assert found.low >= 0


def test_it_holds_the_mean_of_skewed_errors() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        found = clustered_mean(rng.exponential(size=40), np.arange(40))
        held += found.low <= 1 <= found.high
    assert 0.92 <= held / 300 <= 0.99


def test_copies_within_a_group_do_not_narrow_it() -> None:
    values = np.random.default_rng(0).random(30)
    once = clustered_mean(values, np.arange(30))
    thrice = clustered_mean(np.repeat(values, 3), np.repeat(np.arange(30), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_differences_may_be_below_0() -> None:
    found = clustered_mean_difference(np.array([-1.0, 0, 1, 0]), np.arange(4), freedom=3)
    assert found.low < 0 < found.high


def test_one_group_or_none_has_no_bounds() -> None:
    assert math.isnan(clustered_mean(np.array([1.0, 2]), np.zeros(2, np.intp)).low)
    assert math.isnan(clustered_mean(np.empty(0), np.empty(0, np.intp)).value)


def test_rounding_is_no_spread() -> None:
    """0.9 for each melanoma and 0.1 for each other image: all errors are 0.01."""
    truth = np.arange(200) % 2 == 1
    errors = (np.where(truth, 0.9, 0.1) - truth) ** 2
    groups = np.arange(200)
    assert errors.std() > 0  # of rounding alone
    for found in (
        clustered_mean(errors, groups),
        clustered_mean_difference(errors, groups, freedom=99),
        calibration_error(truth, np.where(truth, 0.9, 0.1), groups),
    ):
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_bounds_stay_within_what_is_possible() -> None:
    truth, score = np.array([True, True, False, False]), np.array([0.9, 0.1, 0.6, 0.2])
    judged = Judged(Sample(truth, score, np.arange(4), 4), 0.5, None)
    assert metrics.brier(judged).high == 1
    gap = metrics.calibration_gap(judged)
    assert (gap.low, gap.high) == (-1, 1)
    called = Called(truth=truth, called=score > 0.5, group=np.arange(4), risk=0.2)
    benefit = called.figures()["net_benefit_per_1000"]
    assert (benefit.low, benefit.high) == (-250, 1000)
