"""Covariances of readers who read the same images."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.clustered import clustered_difference
from lentigo.evaluation.discrimination import auc, auc_difference
from lentigo.evaluation.readers.covariance import aucs_together, shares_together

RNG = np.random.default_rng(5)
TRUTH = np.arange(60) % 3 == 0
SCORES = TRUTH + RNG.normal(size=(3, 60))


def test_for_single_images_it_is_delongs() -> None:
    values, covariance = aucs_together(TRUTH, SCORES, np.arange(60))
    assert values == pytest.approx([auc(TRUTH, score) for score in SCORES])
    paired = auc_difference(TRUTH, SCORES[0], SCORES[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert 1.959964 * variance**0.5 == pytest.approx(paired.high - paired.value)


def test_for_patients_it_is_that_of_the_paired_difference() -> None:
    group = np.arange(60) // 4
    _, covariance = aucs_together(TRUTH, SCORES, group)
    variance = covariance[0, 0] + covariance[2, 2] - 2 * covariance[0, 2]
    paired = clustered_difference(TRUTH, SCORES[0], SCORES[2], group)
    times = 2.144787  # 15 patients with a melanoma, so 14 degrees of freedom
    assert times * variance**0.5 == pytest.approx(paired.high - paired.value, rel=1e-5)


def test_shares_vary_as_shares_do() -> None:
    called = (SCORES > 0.5).astype(float)
    values, covariance = shares_together(TRUTH, called, np.arange(60), of=True)
    assert values[0] == called[0, TRUTH].mean()
    assert covariance[0, 0] == pytest.approx(values[0] * (1 - values[0]) / 19)
    cross = np.cov(called[0, TRUTH], called[1, TRUTH])[0, 1] / 20
    assert covariance[0, 1] == pytest.approx(cross)
    right, _ = shares_together(TRUTH, called, np.arange(60), of=False)
    assert right[1] == 1 - called[1, ~TRUTH].mean()
