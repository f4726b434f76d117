"""Thresholds for a wished sensitivity: counted by hand, and met in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from lentigo.evaluation.guarantee import (
    effective_melanomas,
    guaranteed_threshold,
    mean_threshold,
    needed_for_sure,
    needed_on_average,
)


def singles(number: int) -> np.ndarray:
    return np.arange(number)


def test_59_melanomas_guarantee_95_percent_and_58_do_not() -> None:
    # 0.95 ** 59 is 0.0485, 0.95 ** 58 is 0.0510.
    score = np.linspace(0.1, 0.9, 59)
    assert guaranteed_threshold(score, singles(59), sensitivity=0.95) == 0.1
    assert np.isnan(guaranteed_threshold(score[:58], singles(58), sensitivity=0.95))
    assert (needed_for_sure(0.95), needed_for_sure(0.9)) == (59, 29)


@pytest.mark.parametrize("number", [59, 93, 100, 181, 1000])
def test_single_images_have_the_exact_binomial_bound(number: int) -> None:
    score = np.arange(number) / number
    at = guaranteed_threshold(score, singles(number), sensitivity=0.95)
    missed = int(np.count_nonzero(score < at))
    assert binom.cdf(missed, number, 0.05) <= 0.05 < binom.cdf(missed + 1, number, 0.05)
    # The same in other words: the lower bound of Clopper and Pearson is 95 % or more.
    assert beta.ppf(0.05, number - missed, missed + 1) >= 0.95


def test_pairs_count_as_one_each_in_a_guarantee() -> None:
    score, group = np.repeat(np.linspace(0.1, 0.9, 58), 2), np.repeat(singles(58), 2)
    assert effective_melanomas(group) == pytest.approx(58)
    assert np.isnan(guaranteed_threshold(score, group, sensitivity=0.95))
    more, groups = np.append(score, [0.5, 0.5]), np.append(group, [58, 58])
    assert guaranteed_threshold(more, groups, sensitivity=0.95) == 0.1


def test_a_mean_takes_the_second_lowest_of_39() -> None:
    # One of 39 melanomas may be missed: (1 + 1) / (39 + 1) is 5 %.
    score = np.arange(39) / 100
    assert mean_threshold(score, singles(39), sensitivity=0.95) == 0.01
    assert mean_threshold(score[:19], singles(19), sensitivity=0.95) == 0.0
    assert np.isnan(mean_threshold(score[:18], singles(18), sensitivity=0.95))
    assert (needed_on_average(0.95), needed_on_average(0.9)) == (19, 9)


def test_a_mean_threshold_finds_95_percent_of_new_melanomas() -> None:
    rng = np.random.default_rng(0)
    found = [
        1 - mean_threshold(rng.random(20), singles(20), sensitivity=0.95)
        for _ in range(400)
    ]  # of uniform scores
    assert np.mean(found) == pytest.approx(20 / 21, abs=0.006)


def test_of_a_group_missed_by_half_half_is_missed() -> None:
    # 39 groups: two halves of two groups may be missed where one whole group may.
    score = np.append(np.arange(1, 40) / 100, [0.5, 0.5])
    group = np.append(singles(39), [0, 1])
    assert mean_threshold(score, group, sensitivity=0.95) == 0.03


def test_no_melanoma_has_no_threshold() -> None:
    nothing = np.empty(0), np.empty(0, dtype=np.intp)
    assert np.isnan(guaranteed_threshold(*nothing, sensitivity=0.95))
    assert np.isnan(mean_threshold(*nothing, sensitivity=0.95))


def test_scores_that_are_all_equal_are_all_called() -> None:
    score = np.full(100, 0.3)
    assert guaranteed_threshold(score, singles(100), sensitivity=0.95) == 0.3


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_the_guarantee_is_met_in_93_percent_of_draws(alike: float) -> None:
    rng = np.random.default_rng(0)
    met = []
    for _ in range(400):
        group = np.repeat(singles(80), rng.choice([1, 2, 3], 80, p=[0.8, 0.15, 0.05]))
        between = rng.standard_normal(80)[group] * np.sqrt(alike)
        score = between + rng.standard_normal(len(group)) * np.sqrt(1 - alike)
        at = guaranteed_threshold(score, group, sensitivity=0.95)
        met.append(norm.sf(at) >= 0.95)
    assert np.mean(met) >= 0.93
