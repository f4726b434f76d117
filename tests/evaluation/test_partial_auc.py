"""The area above 80 % sensitivity, as scikit-learn and the scorer of ISIC 2024 have it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.evaluation.partial_auc import partial_auc, partial_auc_interval


def by_scikit_learn(truth: np.ndarray, score: np.ndarray) -> float:
    """The area of ISIC 2024: classes exchanged, and McClish's correction taken back."""
    corrected = float(roc_auc_score(~truth, -score, max_fpr=0.2))
    return (2 * corrected - 1) * (0.2 - 0.02) + 0.02


@pytest.mark.parametrize("decimals", [1, 2, 6])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_it_is_that_of_scikit_learn_ties_and_all(decimals: int, share: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = rng.random(400) < share
        score = np.round(rng.random(400) * 0.6 + 0.4 * truth * rng.random(400), decimals)
        found = partial_auc(truth, score)
        assert found == pytest.approx(by_scikit_learn(truth, score), abs=1e-9)


def test_five_melanomas_and_four_others_are_counted_by_eye() -> None:
    truth = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.25, 0.5, 0.3, 0.2, 0.1])
    # Down to the fifth melanoma, a fifth of them, two of four others lie below it.
    assert partial_auc(truth, score) == pytest.approx(0.2 * 2 / 4)
    assert partial_auc(truth, score, sensitivity=0.0) == pytest.approx(
        roc_auc_score(truth, score)
    )


def test_the_best_and_guessing_have_the_values_that_are_told() -> None:
    truth = np.arange(200_000) % 10 == 0
    assert partial_auc(truth, truth.astype(float)) == pytest.approx(0.2)
    assert partial_auc(truth, np.zeros(len(truth))) == pytest.approx(0.02)
    assert partial_auc(truth, 1.0 - truth) == pytest.approx(0.0)


def test_one_class_has_none() -> None:
    for label in (True, False):
        assert math.isnan(partial_auc(np.full(4, label), np.arange(4.0)))


def test_the_interval_takes_groups_as_the_unit_and_is_there_at_the_best() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    score = rng.normal(size=300) + 1.5 * truth
    twice, both = np.repeat(truth, 2), np.repeat(score, 2)
    alone = partial_auc_interval(twice, both, np.arange(600))
    pairs = partial_auc_interval(twice, both, np.repeat(np.arange(300), 2))
    assert alone.value == pytest.approx(pairs.value)
    assert pairs.high - pairs.low > 1.2 * (alone.high - alone.low)
    assert 0 < pairs.low < pairs.value < pairs.high < 0.2
    best = partial_auc_interval(truth, truth.astype(float) + 0.1 * score, np.arange(300))
    assert best.value == pytest.approx(0.2)
    assert 0.15 < best.low < 0.2
    assert best.high == pytest.approx(0.2, abs=1e-6)


def test_where_nothing_spreads_there_is_no_interval() -> None:
    truth = np.array([1, 0, 1, 0], dtype=bool)
    assert math.isnan(partial_auc_interval(truth, np.zeros(4), np.arange(4)).low)
    one = partial_auc_interval(truth, np.arange(4.0), np.zeros(4, dtype=np.intp))
    assert math.isnan(one.low)
