"""AUC within strata: by hand, and beside the AUC of one stratum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.ablation_strata import auc_within, comparable, difference_within
from lentigo.evaluation.clustered import estimated_mean_difference
from lentigo.evaluation.discrimination import auc


def test_images_are_compared_within_their_stratum_alone() -> None:
    """Two melanomas above 2 of 2 others and 1 of 2; one in the other stratum above none."""
    truth = np.array([1, 1, 0, 0, 1, 0], dtype=bool)
    score = np.array([5.0, 3.0, 4.0, 2.0, 90.0, 91.0])
    stratum = np.array([0, 0, 0, 0, 1, 1], dtype=np.intp)
    assert auc_within(truth, score, stratum) == pytest.approx((1 + 0.5 + 0) / 3)
    moved = score + np.where(stratum == 1, -200, 0)  # another scale tells nothing
    assert auc_within(truth, moved, stratum) == pytest.approx((1 + 0.5 + 0) / 3)


def test_a_stratum_of_one_class_compares_nothing() -> None:
    truth = np.array([1, 0, 0, 0], dtype=bool)
    stratum = np.array([0, 0, 1, 1], dtype=np.intp)
    assert comparable(truth, stratum).tolist() == [True, True, False, False]
    none = comparable(truth[2:], stratum[2:])
    assert not none.any()
    assert math.isnan(auc_within(truth[2:][none], np.ones(0), stratum[2:][none]))


def drawn(images: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(images) % 3 == 0
    group = rng.integers(0, images // 2, images)
    a, b = (rng.normal(0, 1, images) + shift * truth for shift in (1.0, 0.6))
    return truth, np.unique(group, return_inverse=True)[1].astype(np.intp), a, b


def test_one_stratum_is_the_estimate_of_all_images() -> None:
    truth, group, a, b = drawn(90, 0)
    found = difference_within(truth, [(a, b), (b, a + b)], group, np.zeros(90, np.intp))
    expected = estimated_mean_difference(truth, [(a, b), (b, a + b)], group)
    assert found.value == pytest.approx(expected.value)
    assert found.error == pytest.approx(expected.error)
    assert found.freedom == expected.freedom


def test_variances_of_strata_add_up_by_the_squares_of_their_weights() -> None:
    """Two strata of other patients, in many groups each: 30 and 60 melanomas of 90."""
    parts = [drawn(90, 1), drawn(180, 2)]
    truth, a, b = (np.concatenate([each[k] for each in parts]) for k in (0, 2, 3))
    group = np.concatenate([parts[0][1], parts[1][1] + parts[0][1].max() + 1])
    stratum = np.repeat([0, 1], [90, 180]).astype(np.intp)
    found = difference_within(truth, [(a, b)], group, stratum)
    each = [estimated_mean_difference(t, [(x, y)], g) for t, g, x, y in parts]
    weights = (30 / 90, 60 / 90)
    value = sum(w * own.value for w, own in zip(weights, each, strict=True))
    error = sum((w * own.error) ** 2 for w, own in zip(weights, each, strict=True)) ** 0.5
    assert found.value == pytest.approx(value)
    assert found.error == pytest.approx(error, rel=0.03)  # the factors of few groups differ


def test_a_switch_that_only_moves_an_archive_gains_nothing() -> None:
    truth, group, a, _ = drawn(120, 3)
    stratum = (np.arange(120) % 2).astype(np.intp)
    moved = a + 5.0 * stratum
    assert auc(truth, moved) != pytest.approx(auc(truth, a), abs=0.05)
    found = difference_within(truth, [(moved, a)], group, stratum)
    assert found.value == 0
