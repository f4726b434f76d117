"""The best of many is corrected for its being chosen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.evaluation.best_of_many import corrected_best, weighted_auc


def test_a_weighted_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(60) < 0.3
    score = rng.integers(0, 9, 60).astype(float)  # many ties
    weights = rng.integers(0, 4, (5, 60))
    found = weighted_auc(truth, score, weights)
    expected = [roc_auc_score(truth, score, sample_weight=own) for own in weights]
    assert found == pytest.approx(expected, abs=1e-12)


def test_pairs_can_be_counted() -> None:
    """Melanomas at 3 and 1, others at 2 and 0: three of four pairs are in order."""
    truth, score = np.array([True, False, True, False]), np.array([3.0, 2.0, 1.0, 0.0])
    weights = np.array([[1, 1, 1, 1], [2, 1, 1, 0], [1, 0, 1, 0]])
    found = weighted_auc(truth, score, weights)
    assert found[:2] == pytest.approx([3 / 4, 2 / 3])
    assert np.isnan(found[2])


def test_the_best_of_models_that_know_nothing_is_no_better_than_chance() -> None:
    """Of 12 coins the best looks like 0.57; on other images it is a coin."""
    rng, best, corrected = np.random.default_rng(1), [], []
    group = np.repeat(np.arange(100), 2)
    for seed in range(25):
        truth = np.repeat(rng.random(100) < 0.3, 2)
        scores = rng.normal(size=(12, 200))
        best.append(max(float(roc_auc_score(truth, own)) for own in scores))
        found = corrected_best(truth, scores, group, repeats=60, seed=seed)
        corrected.append(found.value)
        assert found.undefined == 0
    assert np.mean(best) > 0.56
    assert np.mean(corrected) == pytest.approx(0.5, abs=0.02)


def test_without_a_class_there_is_no_answer() -> None:
    found = corrected_best(np.zeros(6, bool), np.ones((2, 6)), np.arange(6), repeats=20)
    assert np.isnan(found.value)
    assert found.undefined == 20
