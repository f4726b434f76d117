"""The interval of a mean over folds counts that their models learnt from the same."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import evaluate
from lentigo.evaluation.trained_anew import corrected_mean


def test_by_hand_for_five_folds() -> None:
    # Variance 0.00025; (1/5 + 1/4) of it; Student's t of 4 degrees is 2.776445.
    found = corrected_mean([0.80, 0.81, 0.82, 0.83, 0.84], judged=100, trained=400)
    assert found.value == pytest.approx(0.82)
    half = 2.776445 * math.sqrt((1 / 5 + 1 / 4) * 0.00025)
    assert found.high - 0.82 == pytest.approx(half)
    assert 0.82 - found.low == pytest.approx(half)
    assert found.rough


def test_repeats_narrow_it_only_to_what_the_images_tell() -> None:
    values = [0.8, 0.82, 0.81, 0.83, 0.84]
    once = corrected_mean(values, judged=100, trained=400)
    often = corrected_mean(values * 20, judged=100, trained=400)
    assert often.high - often.low < once.high - once.low
    spread = np.std(values * 20, ddof=1)
    assert often.high - often.value > 1.96 * 0.5 * spread  # never below judged / trained


def test_what_cannot_be_said_is_nan() -> None:
    assert math.isnan(corrected_mean([], judged=1, trained=4).value)
    assert math.isnan(corrected_mean([0.8], judged=1, trained=4).low)
    assert math.isnan(corrected_mean([0.8, 0.8], judged=1, trained=4).low)
    assert corrected_mean([0.8, math.nan], judged=1, trained=4).value == 0.8


def test_evaluate_shows_it_beside_the_folds() -> None:
    rng = np.random.default_rng(1)
    names = [f"i{number:03}" for number in range(200)]
    truth = pd.DataFrame({"image_id": names, "melanoma": np.arange(200) % 4 == 0})
    score = 0.3 + 0.3 * truth["melanoma"] + 0.2 * rng.random(200)
    score += 0.1 * rng.normal(size=200)
    guesses = pd.DataFrame(
        {"image_id": names, "probability": score.clip(0, 1), "fold": np.arange(200) // 40}
    )
    found = evaluate(guesses, truth, repeats=20)
    (folds,) = found.parts
    aucs = [part.auc.value for part in folds.parts]
    assert folds.mean == corrected_mean(aucs, judged=40, trained=160)
    assert found.as_dict()["by_fold"]["mean_interval"]["rough"]
    assert "Nadeau" in found.as_text()
    archives = evaluate(guesses.rename(columns={"fold": "dataset"}), truth, repeats=20)
    assert math.isnan(archives.parts[0].mean.low)
