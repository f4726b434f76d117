"""Differences of two predictions on the same images."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation.comparison import Comparison, compare, differences
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


def compared(truth: np.ndarray, second: np.ndarray) -> Comparison:
    images = pd.DataFrame({"image_id": [f"i{n}" for n in range(len(truth))]})
    one, other = (images.assign(probability=each) for each in (FIRST, second))
    return compare(one, other, images.assign(melanoma=truth), repeats=20)


def test_why_equal_rankings_have_no_interval_is_said() -> None:
    squared = compared(TRUTH, FIRST**2)
    assert squared.metrics["auc"].value == 0
    assert math.isnan(squared.metrics["auc"].low)
    assert not math.isnan(squared.metrics["brier"].low)
    assert sum("rank the images alike" in note for note in squared.notes) == 1
    same = compared(TRUTH, FIRST)
    assert all(math.isnan(each.low) for each in same.metrics.values())
    assert sum("the same probability" in note for note in same.notes) == 1
    assert not any("alike" in note for note in compared(TRUTH, SECOND).notes)


def test_of_intervals_that_are_not_there_nothing_is_said() -> None:
    """With three melanomas of ten some resamples have none: no precision in these."""
    notes = compared(TRUTH & (np.arange(10) > 1), SECOND).notes
    assert sum("Nothing can be said" in note for note in notes) == 1
    assert not any("rough" in note or "resamples" in note for note in notes)
