from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from lentigo.evaluation.calibration import (
    brier,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    log_loss,
    room_for_doubt,
    without_certainty,
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
        ([1, 1, 1], [0.1, 0.2, 0.3]),
        ([0, 1, 0], [0.2, 0.2, 0.2]),  # equal probabilities
    ],
)
def test_a_slope_without_an_answer_is_undefined(
    truth: list[int], probability: list[float]
) -> None:
    slope = calibration_slope(np.array(truth, bool), np.array(probability), np.arange(3))
    assert math.isnan(slope.value)


@pytest.mark.parametrize("shift", [-8.0, -3.0, 3.0, 8.0])
def test_probabilities_far_off_have_an_intercept(shift: float) -> None:
    shifted = expit(LOGIT + shift)
    intercept = calibration_intercept(TRUTH, shifted, ALONE)
    plain = calibration_intercept(TRUTH, PROBABILITY, ALONE)
    assert intercept.value == pytest.approx(plain.value - shift)
    assert intercept.low < -shift < intercept.high
    slope = calibration_slope(TRUTH, shifted, ALONE)
    assert slope.value == pytest.approx(calibration_slope(TRUTH, PROBABILITY, ALONE).value)


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_one_certain_probability_among_many_changes_little(certain: float) -> None:
    some = np.append(PROBABILITY, certain)
    truth, alone = np.append(TRUTH, [bool(certain)]), np.arange(4001)
    for metric in (calibration_intercept, calibration_slope):
        found = metric(truth, some, alone)
        plain = metric(TRUTH, PROBABILITY, ALONE)
        assert found.value == pytest.approx(plain.value, abs=0.05)
        assert found.low < found.value < found.high


def test_certainty_is_moved_half_as_far_inwards_as_the_others_lie() -> None:
    rounded = np.array([0.0, 0.01, 0.5, 0.98, 1.0])
    assert without_certainty(rounded).tolist() == [0.005, 0.01, 0.5, 0.98, 0.995]
    assert room_for_doubt(np.array([0.0, 1.0])) == 0.001
    assert room_for_doubt(np.array([0.3, 1e-9])) == 0
    assert room_for_doubt(np.empty(0)) == 0


def test_classes_that_separate_have_the_slope_of_firth() -> None:
    probability = expit(np.array([-3.0, -2, -1, 1, 2, 3]))
    truth = np.array([0, 0, 0, 1, 1, 1], bool)
    slope = calibration_slope(truth, probability, np.arange(6))
    assert slope.value == pytest.approx(_firth_by_search(truth, probability), abs=1e-4)
    assert slope.low < slope.value < slope.high < math.inf


def _firth_by_search(truth: np.ndarray, probability: np.ndarray) -> float:
    """The slope with the largest likelihood times root of the information's determinant."""
    design = np.stack([np.ones(len(truth)), logit(probability)], axis=1)

    def penalised(weights: np.ndarray) -> float:
        expected = expit(design @ weights)
        information = (design.T * (expected * (1 - expected))) @ design
        right = np.where(truth, expected, 1 - expected)
        return -float(np.log(right).sum() + 0.5 * np.log(np.linalg.det(information)))

    found = minimize(penalised, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8})
    return float(found.x[1])


@pytest.mark.parametrize("truth", [[1, 0, 0], [0, 1, 0], [1, 0, 1, 0, 0]])
def test_one_melanoma_and_certain_probabilities_still_have_a_slope(
    truth: list[int],
) -> None:
    probability = np.array([0.0, 1.0, 0.5, 0.0, 1.0])[: len(truth)]
    group = np.arange(len(truth))
    for metric in (calibration_intercept, calibration_slope):
        found = metric(np.array(truth, bool), probability, group)
        assert math.isfinite(found.value)
        assert found.low < found.value < found.high


def test_expected_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    truth = np.array([0, 0, 1, 1], dtype=bool)
    probability = np.array([0.1, 0.3, 0.6, 0.8])
    # Two bins promise 0.2 and 0.7 and hold 0 and 1.
    assert expected_calibration_error(truth, probability, bins=2) == pytest.approx(
        (0.2 + 0.3) / 2
    )


@pytest.mark.parametrize("power", [-100, -250])
def test_probabilities_near_0_have_an_intercept(power: int) -> None:
    """Of 200 images three of ten are melanomas, and all had next to no probability."""
    truth, groups = np.arange(200) < 60, np.arange(200)
    tiny = np.full(200, 10.0**power)
    found = calibration_intercept(truth, tiny, groups)
    assert found.value == pytest.approx(logit(0.3) - power * np.log(10))
    assert found.high - found.value == pytest.approx(
        student.ppf(0.975, 59) / np.sqrt(200 * 0.3 * 0.7), rel=0.01
    )
    half = np.where(np.arange(200) % 2 == 1, 0.5, tiny)
    assert calibration_intercept(truth, half, groups).value == pytest.approx(logit(0.6))
