"""Differences of two predictions on the same images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.comparison import differences
from lentigo.evaluation.sums import Sample

TRUTH = np.repeat([True, False], 5)
FIRST = np.array([0.9, 0.9, 0.9, 0.2, 0.2, 0.1, 0.1, 0.1, 0.8, 0.8])
SECOND = 1 - FIRST


@pytest.mark.parametrize("name", ["auc", "auc_delong", "average_precision", "brier"])
def test_an_interval_of_a_difference_ends_at_one(name: str) -> None:
    found = differences(*samples(TRUTH), repeats=50, seed=0)
    assert found["auc"].value == pytest.approx(21 / 25 - 4 / 25)
    # With four degrees of freedom Student's t alone would reach beyond.
    assert found["auc"].high == 1.0
    assert not found[name].low < -1
    assert not found[name].high > 1


def samples(truth: np.ndarray) -> tuple[Sample, Sample]:
    alone, many = np.arange(len(truth)), len(truth)
    return Sample(truth, FIRST, alone, many), Sample(truth, SECOND, alone, many)


def test_with_four_melanomas_no_difference_has_an_interval() -> None:
    four = TRUTH & (np.arange(10) > 0)
    found = differences(*samples(four), repeats=50, seed=0)
    # 0.9 twice beats five others and ties with one, 0.2 twice beats three; of 24 pairs.
    first = 2 * 5.5 + 2 * 3
    assert found["auc"].value == pytest.approx((first - (24 - first)) / 24)
    assert all(math.isnan(each.low) and math.isnan(each.high) for each in found.values())
    assert not any(each.rough for each in found.values())
