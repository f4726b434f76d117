"""The smooth calibration curve: right on known answers, and its band holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from lentigo.evaluation.calibration import calibration_slope
from lentigo.evaluation.calibration_curve import calibration_curve


def draw(rng: np.random.Generator, *, patients: int) -> tuple[np.ndarray, ...]:
    """Four images a patient that resemble each other; the truth bends on the log-odds."""
    group = np.repeat(np.arange(patients), 4)
    score = rng.normal(-2, 1.2, len(group)) + rng.normal(0, 0.5, patients)[group]
    shared = rng.random(patients)[group]
    chance = np.where(rng.random(len(group)) < 0.5, shared, rng.random(len(group)))
    return chance < expit(bent(score)), expit(score), group


def bent(score: np.ndarray) -> np.ndarray:
    curve: np.ndarray = 0.3 + 0.8 * score - 0.05 * score**2
    return curve


def test_with_few_melanomas_it_is_the_line_of_intercept_and_slope() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(-1, 1, 60)
    truth = rng.random(60) < expit(score)
    truth[np.flatnonzero(truth)[15:]] = False
    alone = np.arange(60)
    found = calibration_curve(truth, expit(score), alone)
    assert found is not None
    steps = np.diff(logit(found.observed)) / np.diff(logit(found.predicted))
    slope = calibration_slope(truth, expit(score), alone).value
    assert steps == pytest.approx(np.full(len(steps), slope), rel=1e-4)


def test_with_many_it_is_a_restricted_cubic_spline() -> None:
    truth, probability, group = draw(np.random.default_rng(1), patients=500)
    found = calibration_curve(truth, probability, group)
    assert found is not None
    a, b, c = np.quantile(logit(probability), [0.1, 0.5, 0.9])

    def columns(score: np.ndarray) -> np.ndarray:
        first, second, third = (np.clip(score - knot, 0, None) ** 3 for knot in (a, b, c))
        bend = first - second * (c - a) / (c - b) + third * (b - a) / (c - b)
        return np.column_stack([score, bend])

    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    fitted.fit(columns(logit(probability)), truth)
    expected = fitted.predict_proba(columns(logit(found.predicted)))[:, 1]
    assert found.observed == pytest.approx(expected, abs=2e-4)


def test_the_band_holds_what_is_true_in_95_of_100_draws() -> None:
    rng = np.random.default_rng(2)
    asked = np.array([0.03, 0.1, 0.3])
    held = []
    for _ in range(150):
        found = calibration_curve(*draw(rng, patients=200))
        assert found is not None
        low, high = (
            np.interp(asked, found.predicted, bound) for bound in (found.low, found.high)
        )
        true = expit(bent(logit(asked)))
        held.append((low <= true) & (true <= high))
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_images_of_one_patient_do_not_narrow_it() -> None:
    truth, probability, group = draw(np.random.default_rng(3), patients=100)
    once = calibration_curve(truth, probability, group)
    thrice = calibration_curve(*(np.tile(each, 3) for each in (truth, probability, group)))
    assert once is not None
    assert thrice is not None
    assert thrice.low == pytest.approx(once.low, abs=1e-6)


def test_it_covers_what_was_predicted_and_stays_between_0_and_1() -> None:
    truth = np.arange(40) >= 25  # parted perfectly, and certain
    probability = np.linspace(0, 1, 40)
    found = calibration_curve(truth, probability, np.arange(40))
    assert found is not None
    assert found.predicted[[0, -1]] == pytest.approx([0, 1], abs=0.02)
    for line in (found.low, found.observed, found.high):
        assert np.isfinite(line).all()
        assert line.min() >= 0
        assert line.max() <= 1


@pytest.mark.parametrize("truth", [[0, 0, 0], [1, 1, 1]])
def test_one_class_has_no_curve(truth: list[int]) -> None:
    probability = np.array([0.1, 0.2, 0.3])
    assert calibration_curve(np.array(truth, bool), probability, np.arange(3)) is None


def test_one_group_has_a_curve_without_a_band() -> None:
    truth = np.array([0, 0, 1, 0, 1, 1], dtype=bool)
    found = calibration_curve(truth, np.linspace(0.1, 0.9, 6), np.zeros(6, dtype=int))
    assert found is not None
    assert np.isfinite(found.observed).all()
    assert np.isnan(found.low).all()
