"""Differences of two predictions on the same images."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.comparison import differences
from lentigo.evaluation.sums import Sample

TRUTH = np.array([True, False, True, False])
FIRST = np.array([0.9, 0.1, 0.2, 0.8])
SECOND = 1 - FIRST


@pytest.mark.parametrize("name", ["auc", "auc_delong", "average_precision", "brier"])
def test_an_interval_of_a_difference_ends_at_one(name: str) -> None:
    alone = np.arange(4)
    found = differences(
        Sample(TRUTH, FIRST, alone, 4), Sample(TRUTH, SECOND, alone, 4), repeats=50, seed=0
    )
    assert found["auc"].value == 3 / 4 - 1 / 4
    # With one degree of freedom Student's t alone would reach to several.
    assert found["auc"].high == 1.0
    assert not found[name].low < -1
    assert not found[name].high > 1
