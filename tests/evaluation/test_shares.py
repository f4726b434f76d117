from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from lentigo.evaluation.shares import clustered_share, effective_number, kish, share_of


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 1), (10, 10), (0, 25)])
def test_shares_of_0_and_1_have_the_exact_interval(hits: int, of: int) -> None:
    expected = binomtest(hits, of).proportion_ci(method="exact")
    found = clustered_share(np.arange(of) < hits, np.arange(of))
    assert found.value == hits / of
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_ten_of_ten_in_ten_groups_is_at_least_69_percent() -> None:
    found = clustered_share(np.ones(10, bool), np.arange(10))
    assert found.low == pytest.approx(0.6915, abs=1e-4)
    assert found.high == 1


def test_images_alike_within_their_groups_count_as_one_each() -> None:
    once = share_of(np.array([1.0, 1, 0, 1, 0, 1]), np.ones(6))
    five = share_of(np.array([5.0, 5, 0, 5, 0, 5]), np.full(6, 5.0))
    assert five.low == pytest.approx(once.low)
    assert five.high == pytest.approx(once.high)
    all_hits = share_of(np.full(6, 5.0), np.full(6, 5.0))
    assert all_hits.low == pytest.approx(0.025 ** (1 / 6))


def test_a_large_group_counts_for_little_more_than_one() -> None:
    assert effective_number(np.array([90.0, 10]), np.array([90.0, 10])) < 1.25


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((1, 1, 1), 3), ((5, 5), 2), ((3, 1), 4**2 / (9 + 1)), ((7,), 1)],
)
def test_groups_of_unlike_sizes_count_for_fewer(
    sizes: tuple[int, ...], expected: float
) -> None:
    assert kish(np.array(sizes, float)) == pytest.approx(expected)


def test_a_share_of_nothing_is_undefined() -> None:
    assert math.isnan(share_of(np.zeros(3), np.zeros(3)).value)
    assert math.isnan(clustered_share(np.empty(0, bool), np.empty(0, np.intp)).value)


def test_the_short_way_for_independent_images_is_the_long_way() -> None:
    hits, of = np.array([1, 0, 0, 1, 0, 0, 0]), np.ones(7, int)
    one_alone = share_of(np.append(hits, 0), np.append(of, 0))  # a group without images
    assert effective_number(hits * 1.0, of * 1.0) == 7
    assert share_of(hits, of) == one_alone
