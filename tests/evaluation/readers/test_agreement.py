"""Agreement of readers, against published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from lentigo.evaluation.readers.agreement import fleiss_kappa, gwet_ac1

# 14 raters, 10 subjects, 5 categories: the worked example of many textbooks.
TEN = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ],
    dtype=float,
)  # fmt: skip
# Gwet, Handbook of Inter-Rater Reliability: 12 units, 4 raters, some ratings missing.
GWET = [
    "11-1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "-555", "--11",
    "--3-",
]  # fmt: skip
TWELVE = np.array([[unit.count(c) for c in "12345"] for unit in GWET], dtype=float)


def test_fleiss_kappa_is_the_published_one() -> None:
    assert fleiss_kappa(TEN, np.arange(10)).value == pytest.approx(0.210, abs=5e-4)


def test_missing_ratings_are_counted_as_gwet_does() -> None:
    units = np.arange(12)
    assert gwet_ac1(TWELVE, units).value == pytest.approx(0.77544, abs=5e-6)
    assert fleiss_kappa(TWELVE, units).value == pytest.approx(0.76117, abs=5e-6)


def test_the_interval_is_about_that_of_gwets_variance() -> None:
    # Gwet 2008, equation 36: what each image adds beyond the mean, to first order.
    shares = TEN / 14
    mean = shares.mean(axis=0)
    chance = float(mean @ (1 - mean)) / 4
    agreed = (TEN * (TEN - 1)).sum(axis=1) / (14 * 13)
    value = (agreed.mean() - chance) / (1 - chance)
    own = (shares * (1 - mean)).sum(axis=1) / 4
    each = (agreed - chance) / (1 - chance) - 2 * (1 - value) * (own - chance) / (
        1 - chance
    )
    error = (((each - value) ** 2).sum() / 10 / 9) ** 0.5
    found = gwet_ac1(TEN, np.arange(10))
    assert found.value == pytest.approx(value)
    times = 2.262157  # Student's t, 9 degrees of freedom
    assert found.high - found.value == pytest.approx(times * error, rel=0.03)


def test_of_eight_images_and_two_readers_by_hand() -> None:
    # They agree on 6 of 8; of 16 calls 6 are melanoma.
    counts = np.array([[0, 2]] * 2 + [[2, 0]] * 4 + [[1, 1]] * 2, dtype=float)
    chance = (6 / 16) ** 2 + (10 / 16) ** 2
    images = np.arange(8)
    assert fleiss_kappa(counts, images).value == pytest.approx(
        (6 / 8 - chance) / (1 - chance)
    )
    chance = 2 * (6 / 16) * (10 / 16)
    assert gwet_ac1(counts, images).value == pytest.approx((6 / 8 - chance) / (1 - chance))


def test_two_readers_with_equal_shares_have_cohens_kappa() -> None:
    a = np.array([1, 1, 0, 0, 0, 1, 0, 0])
    b = np.array([1, 0, 1, 0, 0, 1, 0, 0])
    counts = np.column_stack([2 - a - b, a + b]).astype(float)
    assert fleiss_kappa(counts, np.arange(8)).value == pytest.approx(
        cohen_kappa_score(a, b)
    )


def test_images_of_one_patient_widen_the_interval() -> None:
    counts = np.repeat([[0, 3], [3, 0], [2, 1], [3, 0], [1, 2]], 6, axis=0).astype(float)
    alone = gwet_ac1(counts, np.arange(30))
    together = gwet_ac1(counts, np.repeat(np.arange(5), 6))
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_what_cannot_be_said_is_nan() -> None:
    assert math.isnan(fleiss_kappa(np.array([[1.0, 0.0]] * 3), np.arange(3)).value)
    same = fleiss_kappa(np.array([[3.0, 0.0]] * 4), np.arange(4))
    assert math.isnan(same.value)
    full = gwet_ac1(np.array([[3.0, 0.0]] * 4), np.arange(4))
    assert full.value == 1
    assert math.isnan(full.low)
