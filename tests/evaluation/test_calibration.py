from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from lentigo.evaluation.calibration import (
    brier,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    log_loss,
)

RNG = np.random.default_rng(0)
LOGIT = RNG.normal(-1, 1.5, size=4000)
PROBABILITY = expit(LOGIT)
TRUTH = RNG.random(4000) < PROBABILITY
ALONE = np.arange(4000)


def test_brier_is_the_mean_squared_distance() -> None:
    truth = np.array([True, False])
    assert brier(truth, np.array([0.5, 0.25])) == (1 / 4 + 1 / 16) / 2


def test_brier_and_log_loss_agree_with_scikit_learn() -> None:
    assert brier(TRUTH, PROBABILITY) == pytest.approx(brier_score_loss(TRUTH, PROBABILITY))
    assert log_loss(TRUTH, PROBABILITY) == pytest.approx(
        sklearn_log_loss(TRUTH, PROBABILITY)
    )


def test_a_certain_and_wrong_probability_costs_as_in_scikit_learn() -> None:
    truth, probability = np.array([True, False]), np.array([0.0, 0.5])
    assert log_loss(truth, probability) == pytest.approx(
        sklearn_log_loss(truth, probability)
    )


def test_right_probabilities_have_slope_1_and_intercept_0() -> None:
    slope = calibration_slope(TRUTH, PROBABILITY, ALONE)
    intercept = calibration_intercept(TRUTH, PROBABILITY, ALONE)
    assert slope.low < 1 < slope.high
    assert intercept.low < 0 < intercept.high


def test_too_extreme_probabilities_have_half_the_slope() -> None:
    extreme = calibration_slope(TRUTH, expit(2 * LOGIT), ALONE)
    plain = calibration_slope(TRUTH, PROBABILITY, ALONE)
    assert extreme.value == pytest.approx(plain.value / 2)


def test_shifted_probabilities_show_in_the_intercept() -> None:
    shifted = calibration_intercept(TRUTH, expit(LOGIT - 0.7), ALONE)
    plain = calibration_intercept(TRUTH, PROBABILITY, ALONE)
    assert shifted.value == pytest.approx(plain.value + 0.7)


def test_the_slope_agrees_with_scikit_learn() -> None:
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(LOGIT[:, np.newaxis], TRUTH)
    slope = calibration_slope(TRUTH, PROBABILITY, ALONE)
    assert slope.value == pytest.approx(fitted.coef_.item(), rel=1e-4)


def test_repeating_each_image_in_its_group_does_not_narrow_the_interval() -> None:
    once = calibration_slope(TRUTH, PROBABILITY, ALONE)
    thrice = calibration_slope(
        np.tile(TRUTH, 3), np.tile(PROBABILITY, 3), np.tile(ALONE, 3)
    )
    assert thrice.low == pytest.approx(once.low)
    assert thrice.high == pytest.approx(once.high)


@pytest.mark.parametrize(
    ("truth", "probability"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3]),  # one class only
        ([0, 1, 0], [0.2, 0.2, 0.2]),  # equal probabilities
        ([0, 1, 0], [0.0, 0.5, 0.2]),  # a logit of minus infinity
        ([0, 0, 1], [0.1, 0.2, 0.9]),  # the classes separate
    ],
)
def test_a_slope_without_an_answer_is_undefined(
    truth: list[int], probability: list[float]
) -> None:
    slope = calibration_slope(np.array(truth, bool), np.array(probability), np.arange(3))
    assert math.isnan(slope.value)


def test_expected_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    truth = np.array([0, 0, 1, 1], dtype=bool)
    probability = np.array([0.1, 0.3, 0.6, 0.8])
    # Two bins promise 0.2 and 0.7 and hold 0 and 1.
    assert expected_calibration_error(truth, probability, bins=2) == pytest.approx(
        (0.2 + 0.3) / 2
    )
