from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from lentigo.evaluation.chosen import chosen_at_sensitivity
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import confusion, threshold_at_sensitivity

NAMES = ("threshold", "specificity", "ppv", "npv")


def chosen(
    truth: np.ndarray, score: np.ndarray, group: np.ndarray | None = None
) -> dict[str, Interval]:
    alone = np.arange(len(truth)) if group is None else group
    found = chosen_at_sensitivity(truth, score, alone)
    return {name: found[f"{name}_at_sensitivity_95"] for name in NAMES}


def test_values_are_those_of_the_threshold_chosen_here() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(300) < 40
    score = norm.cdf(rng.normal(size=300) + truth)
    found = chosen(truth, score)
    threshold = threshold_at_sensitivity(truth, score)
    counts = confusion(truth, score, threshold=threshold)
    assert found["threshold"].value == threshold
    assert found["specificity"].value == counts.specificity
    assert found["ppv"].value == counts.ppv
    assert found["npv"].value == counts.npv
    for interval in found.values():
        assert interval.low <= interval.value <= interval.high


def test_the_interval_counts_the_choosing() -> None:
    # 20 melanomas: the percentile interval of resampling held the truth 69 % of the time.
    rng = np.random.default_rng(1)
    gap, rounds = 1.5, 300
    true = float(norm.cdf(gap + norm.ppf(0.05)))
    held = {"threshold": 0, "specificity": 0}
    for _ in range(rounds):
        truth = np.arange(320) < 20
        score = norm.cdf(rng.normal(size=320) + gap * truth)
        found = chosen(truth, score)
        for name in held:
            held[name] += found[name].low <= true <= found[name].high
    # The threshold is on the scale of the others' ranks, so its truth is the specificity.
    assert 0.92 <= held["threshold"] / rounds <= 0.99
    assert 0.93 <= held["specificity"] / rounds <= 1


def test_with_few_melanomas_the_true_threshold_may_lie_below_all_scores() -> None:
    truth = np.arange(220) < 20
    found = chosen(truth, np.arange(220, 0, -1) / 220)
    assert found["threshold"].low == 0
    assert found["specificity"].low == 0
    assert found["specificity"].high == pytest.approx(1)


def test_with_many_the_bounds_are_the_order_statistics_of_the_binomial() -> None:
    truth = np.ones(1000, bool)
    score = np.arange(1, 1001) / 1001
    found = chosen(truth, score)["threshold"]
    few, many = (int(binom.ppf(q, 1000, 0.05)) for q in (0.025, 0.975))
    assert found.low == pytest.approx(few / 1001, abs=1.5 / 1001)
    assert found.high == pytest.approx(many / 1001, abs=2.5 / 1001)


def test_melanomas_of_one_patient_count_as_one() -> None:
    rng = np.random.default_rng(2)
    truth = np.arange(1200) < 200
    score = norm.cdf(rng.normal(size=1200) + truth)
    once = chosen(truth, score)
    five = chosen(*(np.repeat(each, 5) for each in (truth, score, np.arange(1200))))
    for name in ("threshold", "specificity"):
        assert five[name].low == pytest.approx(once[name].low, abs=0.02)
        assert five[name].high == pytest.approx(once[name].high, abs=0.02)


@pytest.mark.parametrize("melanomas", [1, 2, 3])
def test_very_few_melanomas_say_next_to_nothing_and_crash_nothing(melanomas: int) -> None:
    truth = np.arange(50) < melanomas
    found = chosen(truth, np.linspace(0.9, 0.1, 50))
    for interval in found.values():
        assert interval.low <= interval.value <= interval.high
    assert found["threshold"].low == 0


def test_no_melanoma_no_answer() -> None:
    assert all(
        math.isnan(each.value)
        for each in chosen(np.zeros(5, bool), np.arange(5) / 5).values()
    )


def test_equal_scores_are_no_crash() -> None:
    truth = np.arange(30) < 10
    found = chosen(truth, np.full(30, 0.5), np.arange(30) // 2)
    assert found["threshold"].value == 0.5
    assert found["specificity"].value == 0
