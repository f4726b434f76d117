"""The calibration error without what chance adds."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.calibration import even_bins, expected_calibration_error
from lentigo.evaluation.calibration_error import calibration_error


def test_a_large_error_is_what_it_is() -> None:
    # 0.9 is promised to 1,000 images and 0.5 to as many, and half of all are melanoma.
    probability = np.repeat([0.9, 0.5], 1000)
    truth = np.tile([True, False], 1000)
    found = calibration_error(truth, probability, np.arange(2000), bins=2)
    assert found.value == pytest.approx(0.2, abs=0.02)
    assert found.low < 0.2 < found.high


def test_right_probabilities_have_less_error_than_counted_plainly() -> None:
    rng = np.random.default_rng(0)
    plain, debiased, held = [], [], []
    for _ in range(200):
        probability = rng.beta(0.5, 4, 500)
        truth = rng.random(500) < probability
        found = calibration_error(truth, probability, np.arange(500))
        plain.append(expected_calibration_error(truth, probability))
        debiased.append(found.value)
        held.append(found.low == 0)
    assert np.mean(debiased) < 0.65 * np.mean(plain)
    assert np.mean(held) > 0.9


def test_an_error_that_groups_share_is_less_sure() -> None:
    rng = np.random.default_rng(1)
    probability = np.full(1000, 0.3)
    truth = np.repeat(rng.random(100) < 0.5, 10)
    alone = calibration_error(truth, probability, np.arange(1000))
    shared = calibration_error(truth, probability, np.repeat(np.arange(100), 10))
    assert shared.high - shared.low > 2 * (alone.high - alone.low)
    assert shared.value < alone.value


def test_nothing_to_count_is_undefined() -> None:
    nothing = np.empty(0)
    found = calibration_error(nothing.astype(bool), nothing, nothing.astype(np.intp))
    assert np.isnan(found.value)


def test_the_order_of_images_with_one_probability_does_not_matter() -> None:
    """Of 200 images at 0.3 three of ten are melanomas, the melanomas first or mixed."""
    probability, groups = np.full(200, 0.3), np.arange(200)
    truth = np.arange(200) < 60
    for labels in (truth, truth[::-1], np.random.default_rng(0).permutation(truth)):
        assert expected_calibration_error(labels, probability) == pytest.approx(0)
        found = calibration_error(labels, probability, groups)
        assert found.value == found.low < 0.001
        assert 0.05 < found.high < 0.08  # two standard errors of 60 of 200


def test_bins_end_at_the_nearer_end_of_a_tie() -> None:
    few = np.array([0.1, 0.2, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert [len(part) for part in even_bins(few, 4)] == [1, 3, 2, 2]
    assert [part.tolist() for part in even_bins(np.array([0.2, 0.1]), 4)] == [[1], [0]]
    assert even_bins(np.empty(0), 4) == []
