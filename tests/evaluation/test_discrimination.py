from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from lentigo.evaluation.discrimination import (
    BoolArray,
    FloatArray,
    auc,
    auc_difference,
    average_precision,
    delong_interval,
    delong_variance,
    placements_and_ties,
    precision_recall_curve,
    roc_curve,
)

TRUTH = np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool)
SCORE = np.array([0.9, 0.6, 0.2, 0.6, 0.3, 0.2, 0.1])
# 0.9 beats 4; 0.6 beats 3 and ties with 1; 0.2 beats 1 and ties with 1: 4 + 3.5 + 1.5 = 9


def few_scores(size: int) -> st.SearchStrategy[FloatArray]:
    """Scores on a grid, so that ties are common."""
    return arrays(np.float64, size, elements=st.integers(0, 8).map(lambda n: n / 8))


@st.composite
def samples(draw: st.DrawFn) -> tuple[BoolArray, FloatArray]:
    size = draw(st.integers(2, 30))
    truth = draw(arrays(np.bool_, size))
    truth[0], truth[1] = True, False
    return truth, draw(few_scores(size))


def components(truth: BoolArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """DeLong's structural components straight from their definition, pair by pair."""
    wins = np.array(
        [
            [1.0 if x > y else 0.5 if x == y else 0.0 for y in score[~truth]]
            for x in score[truth]
        ]
    )
    return wins.mean(axis=1), wins.mean(axis=0)


def slow_covariance(truth: BoolArray, *scores: FloatArray) -> FloatArray:
    """DeLong's covariance matrix of several AUCs on the same images, by definition."""
    v10, v01 = zip(*(components(truth, score) for score in scores), strict=True)
    matrix: FloatArray = np.cov(v10) / truth.sum() + np.cov(v01) / (~truth).sum()
    return matrix


def test_auc_counts_the_pairs_won_and_half_of_the_ties() -> None:
    assert auc(TRUTH, SCORE) == 9 / 12


@given(samples())
def test_auc_and_average_precision_agree_with_scikit_learn(
    sample: tuple[BoolArray, FloatArray],
) -> None:
    assert auc(*sample) == pytest.approx(roc_auc_score(*sample), abs=1e-12)
    assert average_precision(*sample) == pytest.approx(
        average_precision_score(*sample), abs=1e-12
    )


@given(samples())
@settings(max_examples=50)
def test_delong_variance_agrees_with_its_definition(
    sample: tuple[BoolArray, FloatArray],
) -> None:
    truth, score = sample
    if min(truth.sum(), (~truth).sum()) < 2:
        assert math.isnan(delong_variance(truth, score))
        return
    assert delong_variance(truth, score) == pytest.approx(
        slow_covariance(truth, score).item(), abs=1e-12
    )


def test_the_paired_difference_agrees_with_the_covariances() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(80) < 0.3
    a = np.round(truth + rng.normal(size=80), 1)
    b = np.round(a / 2 + truth / 2 + rng.normal(size=80), 1)
    covariance = slow_covariance(truth, a, b)
    expected = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    difference = auc_difference(truth, a, b)
    assert difference.value == pytest.approx(
        roc_auc_score(truth, a) - roc_auc_score(truth, b)
    )
    half = (difference.high - difference.low) / 2
    assert half == pytest.approx(1.959963985 * math.sqrt(expected))


def test_delong_stays_within_0_and_1_and_holds_the_auc() -> None:
    interval = delong_interval(TRUTH, SCORE)
    assert 0 < interval.low < interval.value == 0.75 < interval.high < 1


def test_a_perfect_ranking_has_no_delong_interval() -> None:
    interval = delong_interval(TRUTH, TRUTH.astype(float))
    assert interval.value == 1
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize("truth", [np.zeros(3, bool), np.ones(3, bool), np.zeros(0, bool)])
def test_one_class_has_no_auc(truth: BoolArray) -> None:
    score = np.linspace(0, 1, len(truth))
    assert math.isnan(auc(truth, score))
    assert math.isnan(delong_interval(truth, score).value)


def test_average_precision_without_melanoma_is_undefined() -> None:
    assert math.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


def test_the_delong_interval_covers_the_true_auc_95_times_in_100() -> None:
    # Two normal distributions a distance d apart have the AUC Phi(d / sqrt 2).
    rng = np.random.default_rng(1)
    truth = np.arange(120) < 40
    true_auc = 0.5 * (1 + math.erf(1.0 / 2))
    covered = 0
    for _ in range(400):
        interval = delong_interval(truth, rng.normal(size=120) + truth)
        covered += interval.low <= true_auc <= interval.high
    assert 0.92 <= covered / 400 <= 0.98


def test_roc_points_are_counted_by_eye() -> None:
    curve = roc_curve(TRUTH, SCORE)
    assert curve.threshold.tolist() == [math.inf, 0.9, 0.6, 0.3, 0.2, 0.1]
    assert curve.x.tolist() == [0, 0, 1 / 4, 2 / 4, 3 / 4, 4 / 4]
    assert curve.y.tolist() == [0, 1 / 3, 2 / 3, 2 / 3, 3 / 3, 3 / 3]


def test_precision_recall_points_are_counted_by_eye() -> None:
    curve = precision_recall_curve(TRUTH, SCORE)
    assert curve.x.tolist() == [0, 1 / 3, 2 / 3, 2 / 3, 3 / 3, 3 / 3]
    assert math.isnan(curve.y[0])
    assert curve.y[1:].tolist() == [1 / 1, 2 / 3, 2 / 4, 3 / 6, 3 / 7]


@pytest.mark.parametrize("decimals", [1, 3])
def test_placements_are_counted_pairs_whatever_the_order_of_the_images(
    decimals: int,
) -> None:
    rng = np.random.default_rng(5)
    truth, score = rng.random(60) < 0.3, np.round(rng.random(60), decimals)
    pairs = score[truth][:, None] - score[~truth]
    ahead = (pairs > 0) + (pairs == 0) / 2
    above, below, tied = placements_and_ties(truth, score)
    assert above == pytest.approx(ahead.mean(axis=1), abs=1e-15)
    assert below == pytest.approx(ahead.mean(axis=0), abs=1e-15)
    assert tied == pytest.approx((pairs == 0).mean(), abs=1e-15)
    order = np.argsort(score, kind="stable")
    ranked = placements_and_ties(truth[order], score[order])
    assert np.sort(ranked[1]) == pytest.approx(np.sort(below), abs=1e-15)
    assert ranked[2] == tied
