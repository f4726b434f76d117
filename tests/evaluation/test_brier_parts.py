"""The parts of a Brier score, by eye and against scikit-learn's isotonic regression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from lentigo.evaluation import evaluate
from lentigo.evaluation.brier_parts import BrierParts, brier_parts


def parts(truth: np.ndarray, probability: np.ndarray) -> BrierParts:
    found = brier_parts(truth, probability)
    assert found is not None
    return found


def test_four_images_are_divided_by_eye() -> None:
    truth = np.array([False, True, False, True])
    found = parts(truth, np.array([0.1, 0.3, 0.6, 0.9]))
    # The best rising map gives 0, 1/2, 1/2, 1: errors of 0, 1/4, 1/4 and 0.
    assert found.uncertainty == pytest.approx(1 / 4)
    assert found.discrimination == pytest.approx(1 / 4 - 1 / 8)
    assert found.miscalibration == pytest.approx((0.01 + 0.49 + 0.36 + 0.01) / 4 - 1 / 8)


@pytest.mark.parametrize("decimals", [1, 8])
def test_the_parts_are_those_of_scikit_learn_and_add_up(decimals: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.2
    probability = np.round(rng.random(500) * 0.5 + 0.4 * truth * rng.random(500), decimals)
    mapped = IsotonicRegression().fit_transform(probability, truth)
    best = brier_score_loss(truth, mapped)
    found = parts(truth, probability)
    whole = brier_score_loss(truth, probability)
    assert found.miscalibration == pytest.approx(whole - best, abs=1e-12)
    assert found.brier == pytest.approx(whole, abs=1e-12)


def test_the_share_of_melanomas_for_all_is_uncertainty_alone() -> None:
    truth = np.arange(10) < 3
    found = parts(truth, np.full(10, 0.3))
    assert found.miscalibration == pytest.approx(0)
    assert found.discrimination == pytest.approx(0)
    assert found.brier == pytest.approx(0.21)


def test_no_image_has_no_parts() -> None:
    assert brier_parts(np.zeros(0, dtype=bool), np.zeros(0)) is None


def test_an_evaluation_says_them_and_why_they_have_no_interval() -> None:
    names = [f"i{number:02}" for number in range(40)]
    guesses = pd.DataFrame({"image_id": names, "probability": np.linspace(0.1, 0.9, 40)})
    truth = pd.DataFrame({"image_id": names, "melanoma": [0, 1] * 20})
    found = evaluate(guesses, truth, repeats=20)
    assert f"The Brier score {found['brier'].value:.4f} is" in found.as_text()
    assert "above 0 by chance" in found.as_dict()["brier_parts"]["intervals"]


def test_nothing_told_apart_is_not_less_than_nothing() -> None:
    truth = np.arange(600) < 62
    found = parts(truth, np.full(600, 0.3))
    assert found.discrimination == 0
    assert "-0.0000" not in found.sentence
