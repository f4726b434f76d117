from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lentigo.evaluation.clustered import clustered_auc
from lentigo.evaluation.ranking import auc_interval, placement_variance


def draw(
    melanomas: int, patients: int, auc: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Melanomas of some patients among others, whose images resemble each other."""
    everyone = 5 * melanomas
    own = np.concatenate(
        [np.arange(patients), rng.integers(patients, size=melanomas - patients)]
    )
    group = np.concatenate([own, rng.integers(everyone, size=15 * melanomas)])
    truth = np.arange(len(group)) < melanomas
    noise = math.sqrt(0.3) * rng.normal(size=everyone)[group]
    noise += math.sqrt(0.7) * rng.normal(size=len(group))
    return truth, noise + math.sqrt(2) * norm.ppf(auc) * truth, group


@pytest.mark.parametrize("auc", [0.856, 0.983])
def test_it_holds_the_truth_with_20_melanomas_of_15_patients(auc: float) -> None:
    rng = np.random.default_rng(0)
    rounds = 250
    held = 0
    for _ in range(rounds):
        found = auc_interval(*draw(20, 15, auc, rng))
        held += found.low <= auc <= found.high
    # The standard error of a share of 0.95 of 250 is 0.014.
    assert 0.93 <= held / rounds <= 0.99


def test_the_value_is_scikit_learns() -> None:
    truth, score, group = draw(20, 15, 0.8, np.random.default_rng(1))
    found = auc_interval(truth, score, group)
    assert found.value == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert found.low < found.value < found.high


def test_many_images_have_about_the_interval_of_the_formula() -> None:
    truth, score, group = draw(2000, 1500, 0.8, np.random.default_rng(2))
    found, formula = auc_interval(truth, score, group), clustered_auc(truth, score, group)
    width = formula.high - formula.low
    assert found.low == pytest.approx(formula.low, abs=0.1 * width)
    assert found.high == pytest.approx(formula.high, abs=0.1 * width)


@pytest.mark.parametrize(("melanomas", "least"), [(1, 0.3), (5, 0.7), (10, 0.85)])
def test_an_auc_of_1_has_a_lower_bound_that_rises_with_the_melanomas(
    melanomas: int, least: float
) -> None:
    truth = np.arange(200) < melanomas
    found = auc_interval(truth, np.arange(200, 0, -1.0), np.arange(200))
    assert (found.value, found.high) == (1, 1)
    assert least < found.low < 0.995


def test_an_auc_of_0_is_the_mirror_image() -> None:
    truth = np.arange(200) < 10
    best = auc_interval(truth, np.arange(200, 0, -1.0), np.arange(200))
    worst = auc_interval(truth, np.arange(200.0), np.arange(200))
    assert (worst.value, worst.low) == (0, 0)
    assert worst.high == pytest.approx(1 - best.low, abs=1e-6)


def test_near_1_the_lower_bound_is_further_away() -> None:
    truth, score, group = draw(20, 15, 0.95, np.random.default_rng(3))
    found = auc_interval(truth, score, group)
    assert found.value - found.low > 1.5 * (found.high - found.value)


def test_copies_within_a_group_do_not_narrow_it() -> None:
    truth, score, _ = draw(20, 15, 0.9, np.random.default_rng(4))
    alone = np.arange(len(truth))
    once = auc_interval(truth, score, alone)
    four = auc_interval(*(np.repeat(each, 4) for each in (truth, score, alone)))
    assert four.low == pytest.approx(once.low, abs=1e-6)
    assert four.high == pytest.approx(once.high, abs=1e-6)


def test_a_score_that_is_nearly_always_0_is_not_uncertain_for_its_ties() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.2
    score = np.where(rng.random(2000) < np.where(truth, 0.01, 0.08), rng.random(2000), 0)
    group = np.arange(2000) // 2
    found, formula = auc_interval(truth, score, group), clustered_auc(truth, score, group)
    assert (found.low, found.high) == pytest.approx((formula.low, formula.high), abs=0.004)


@pytest.mark.parametrize(
    ("truth", "score", "group"),
    [
        ([1, 1], [0.1, 0.2], [0, 1]),  # one class
        ([1, 0, 0], [0.5, 0.5, 0.5], [0, 1, 2]),  # equal scores
        ([1, 0, 0], [0.5, 0.2, 0.6], [0, 0, 0]),  # one group
    ],
)
def test_where_nothing_is_known_there_are_no_bounds(
    truth: list[int], score: list[float], group: list[int]
) -> None:
    found = auc_interval(np.array(truth, bool), np.array(score), np.array(group))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("value", [0.5, 0.8, 0.983])
def test_the_variance_of_placements_is_that_of_two_normals(value: float) -> None:
    z = np.linspace(-9, 9, 20_001)
    outranked = norm.cdf(z + math.sqrt(2) * norm.ppf(value))
    weight = norm.pdf(z) * (z[1] - z[0])
    expected = float((weight * outranked**2).sum()) - value**2
    assert placement_variance(value) == pytest.approx(expected, rel=1e-5)
    assert placement_variance(1 - value) == pytest.approx(expected, rel=1e-5)
