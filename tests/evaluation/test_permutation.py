"""Exchanging the scores of two models patient by patient, and adjusting p-values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from lentigo.evaluation.permutation import _Exchanged, holm, permutation_p

RNG = np.random.default_rng(1)
TRUTH = np.arange(60) % 4 == 0
GROUP = np.arange(60) // 3
GOOD = TRUTH + RNG.normal(size=60)
TIED = np.round(GOOD)


def test_an_exchange_gives_the_difference_of_the_exchanged_ranks() -> None:
    a, b = rankdata(GOOD), rankdata(TIED)
    exchanged = _Exchanged(TRUTH, GOOD, TIED)
    for seed in range(5):
        flips = np.random.default_rng(seed).integers(2, size=20).astype(bool)[GROUP]
        first, second = np.where(flips, b, a), np.where(flips, a, b)
        known = roc_auc_score(TRUTH, first) - roc_auc_score(TRUTH, second)
        assert exchanged.difference(flips) == pytest.approx(known, abs=1e-12)


def test_of_two_groups_half_of_the_exchanges_are_as_far_as_what_was_seen() -> None:
    # Two patients with a melanoma and another lesion each; the first model ranks both
    # pairs rightly, the second both wrongly. Of the four exchanges those of none and of
    # both differ by 1, the two others by 0.
    truth = np.array([True, False, True, False])
    group = np.array([0, 0, 1, 1])
    right, wrong = np.array([3.0, 0, 2, 1]), np.array([0.0, 3, 1, 2])
    p = permutation_p(truth, right, wrong, group, repeats=4000)
    assert p == pytest.approx(0.5, abs=0.03)


def test_the_same_scores_on_another_scale_do_not_differ() -> None:
    assert permutation_p(TRUTH, GOOD, np.exp(GOOD), GROUP, repeats=50) == 1


def test_a_clear_difference_has_a_small_p() -> None:
    noise = np.random.default_rng(2).normal(size=60)
    better = permutation_p(TRUTH, TRUTH + 0.3 * noise, noise, GROUP, repeats=500)
    assert better < 0.01


def test_without_a_difference_one_in_twenty_is_below_five_percent() -> None:
    below = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        patient = rng.normal(size=20)[GROUP]  # images of one patient resemble each other
        a, b = (TRUTH + patient + rng.normal(size=60) for _ in range(2))
        below += permutation_p(TRUTH, a, b, GROUP, repeats=99, seed=seed) <= 0.05
    assert 5 <= below <= 28  # 15 expected; outside with a chance below 0.002


def test_one_class_has_no_answer() -> None:
    assert math.isnan(permutation_p(np.ones(60, bool), GOOD, TIED, GROUP))


def test_holm_as_counted_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, math.nan, 0.03]))
    assert found[[0, 1, 3]].tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(found[2])
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
