"""A set of diagnoses holds the right one as often as asked, each group counting once."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.conformal import coverage, fit_conformal


def test_of_nine_groups_one_in_ten_may_be_missed_below_the_lowest() -> None:
    own = np.arange(1, 10) / 10  # 9 groups: (9 + 1) · 0.1 = 1, so none of them lies below
    found = fit_conformal(np.c_[own, 1 - own], np.zeros(9, int), list("abcdefghi"))
    assert found.least.tolist() == [0.1, 0.0]  # nothing is known of the second class


def test_nineteen_groups_leave_one_below() -> None:
    own = np.arange(1, 20) / 20
    names = [str(number) for number in range(19)]
    found = fit_conformal(np.c_[own, 1 - own], np.zeros(19, int), names)
    assert found.least[0] == 2 / 20


def test_a_patient_with_many_images_counts_once() -> None:
    own = np.r_[np.full(50, 0.01), np.arange(1, 20) / 20]
    names = ["one"] * 50 + [str(number) for number in range(19)]
    found = fit_conformal(np.c_[own, 1 - own], np.zeros(69, int), names)
    assert found.least[0] == 1 / 20


def test_each_class_is_covered_on_random_grouped_splits() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, size=3000, p=[0.15, 0.25, 0.6])
    scores = rng.normal(size=(3000, 3)) + 1.5 * np.eye(3)[truth]
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    groups = rng.integers(0, 1500, size=3000)
    found = []
    for _ in range(50):
        left = rng.random(1500)[groups] < 0.5
        fitted = fit_conformal(shares[left], truth[left], groups[left].astype(str).tolist())
        sets = fitted.sets(shares[~left])
        for each in range(3):
            mine = truth[~left] == each
            names = groups[~left][mine].astype(str).tolist()
            found.append(coverage(sets[mine], truth[~left][mine], names)[0])
    by_class = np.reshape(found, (50, 3)).mean(axis=0)
    assert by_class == pytest.approx([0.9] * 3, abs=0.02)


def test_a_share_is_between_0_and_1() -> None:
    with pytest.raises(ConfigError, match="missed is 1"):
        fit_conformal(np.ones((1, 2)), np.zeros(1, int), ["a"], missed=1)


def test_a_missing_probability_is_refused() -> None:
    with pytest.raises(DatasetError, match="1 image lacks a probability"):
        fit_conformal(np.array([[0.5, 0.5], [np.nan, 0.5]]), np.array([0, 1]), ["a", "b"])
