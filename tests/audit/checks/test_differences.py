from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.audit.checks.differences import category_difference, number_difference


def test_numbers_by_hand() -> None:
    # Means 2 and 4, variances 1 and 4: 2 / sqrt(5 / 2).
    first, second = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    assert number_difference(first, second) == pytest.approx(2 / math.sqrt(2.5))
    assert number_difference(second, first) == number_difference(first, second)


def test_two_values_are_as_austin_has_them() -> None:
    p, q = 3 / 10, 5 / 20
    expected = abs(p - q) / math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    found = category_difference(np.array([3.0, 7.0]), np.array([5.0, 15.0]))
    assert found == pytest.approx(expected)


def test_more_values_are_as_yang_and_dalton_have_them() -> None:
    first, second = np.array([5.0, 3.0, 2.0]), np.array([2.0, 4.0, 14.0])
    p, q = (first / 10)[1:], (second / 20)[1:]  # as they do, without the first value
    covariance = np.empty((2, 2))
    for k in range(2):
        for m in range(2):
            covariance[k, m] = (
                (p[k] * (1 - p[k]) + q[k] * (1 - q[k])) / 2
                if k == m
                else -(p[k] * p[m] + q[k] * q[m]) / 2
            )
    expected = math.sqrt((q - p) @ np.linalg.inv(covariance) @ (q - p))
    assert category_difference(first, second) == pytest.approx(expected)


def test_which_value_comes_first_does_not_matter() -> None:
    first, second = np.array([5.0, 3.0, 2.0, 9.0]), np.array([2.0, 4.0, 14.0, 1.0])
    order = [2, 0, 3, 1]
    found = category_difference(first[order], second[order])
    assert found == pytest.approx(category_difference(first, second))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([4, 6], [8, 12], 0.0),
        ([4, 6, 0], [8, 12, 0], 0.0),  # a value that nobody has says nothing
        ([5, 0], [0, 5], math.inf),  # nothing in common
        ([5, 5, 0, 0], [0, 0, 5, 5], math.inf),
        ([5, 0], [7, 0], math.nan),  # nothing varies
        ([0, 0], [5, 5], math.nan),  # nobody there
    ],
)
def test_the_ends_of_the_scale(
    first: list[int], second: list[int], expected: float
) -> None:
    found = category_difference(np.array(first, float), np.array(second, float))
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2], [1, 2], 0.0),
        ([1, 1], [2, 2], math.inf),
        ([1, 1], [1, 1], math.nan),
        ([1], [1, 2], math.nan),
    ],
)
def test_the_ends_of_the_scale_of_numbers(
    first: list[int], second: list[int], expected: float
) -> None:
    found = number_difference(np.array(first, float), np.array(second, float))
    assert found == pytest.approx(expected, nan_ok=True)
