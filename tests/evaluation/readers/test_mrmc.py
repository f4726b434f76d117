"""Analysis of many readers and many images, against published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.readers.mrmc import Components, factorial, one_condition

READERS = 5
# Van Dyke et al. 1993: 114 patients, 5 readers, spin-echo and cine magnetic resonance.
# Areas under the curve and components (jackknife) as tabled for it (dataset02) in the book
# of RJafroc, whose author checked them against OR-DBM MRMC 2.51 of the University of Iowa.
AREAS = np.array(
    [
        [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
        [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
    ]
)
VAR, COV1, COV2, COV3 = 8.0228827e-4, 3.4661371e-4, 3.4407483e-4, 2.3902837e-4


def covariance(conditions: int = 2) -> np.ndarray:
    found = np.full((conditions, READERS, conditions, READERS), COV3)
    for i in range(conditions):
        found[i, :, i, :] = COV2
    for j in range(READERS):
        found[:, j, :, j] = COV1
        for i in range(conditions):
            found[i, j, i, j] = VAR
    return found.reshape(conditions * READERS, -1)


def test_mean_squares_are_the_published_ones() -> None:
    found = Components.of(AREAS, covariance())
    assert found.ms_condition == pytest.approx(0.0047962, abs=1e-6)
    assert found.ms_condition_reader == pytest.approx(5.5103062e-4, abs=1e-7)
    assert (found.cov1, found.cov2, found.cov3) == pytest.approx((COV1, COV2, COV3))


def test_f_its_freedom_p_and_interval_are_the_published_ones() -> None:
    found = factorial(AREAS, covariance())
    assert found.f == pytest.approx(4.456, abs=2e-3)
    assert found.freedom[0] == 1
    assert found.freedom[1] == pytest.approx(15.26, abs=1e-2)
    assert found.p == pytest.approx(0.05167, abs=5e-5)
    [(first, second, difference)] = found.differences
    assert (first, second) == (0, 1)
    assert difference.interval.value == pytest.approx(-0.0438, abs=5e-5)
    assert difference.interval.low == pytest.approx(-0.0879595, abs=1e-5)
    assert difference.interval.high == pytest.approx(0.0003589, abs=1e-5)
    assert difference.p == pytest.approx(found.p)  # with two conditions they are one test


@pytest.mark.parametrize(
    ("condition", "cov2", "freedom", "low", "high"),
    [(0, 0.0004840, 12.74, 0.8252, 0.9689), (1, 0.0002042, 12.71, 0.8941, 0.9875)],
)
def test_the_mean_under_one_condition_has_the_published_interval(
    condition: int, cov2: float, freedom: float, low: float, high: float
) -> None:
    error = np.full((READERS, READERS), cov2)
    found = one_condition(AREAS[condition], error)
    assert found.freedom == pytest.approx(freedom, abs=0.01)
    assert found.interval.low == pytest.approx(low, abs=1e-4)
    assert found.interval.high == pytest.approx(high, abs=1e-4)


def test_one_reader_has_a_number_and_no_interval_for_others() -> None:
    found = one_condition(np.array([0.8]), np.array([[0.01]]))
    assert found.interval.value == 0.8
    assert math.isnan(found.interval.low)


def test_readers_who_are_alike_leave_the_images_to_vary() -> None:
    found = one_condition(np.array([0.8, 0.8]), np.full((2, 2), 0.0004))
    assert math.isinf(found.freedom)
    assert found.interval.high - 0.8 == pytest.approx(1.959964 * 0.02)


def test_three_conditions_have_three_differences() -> None:
    values = np.vstack([AREAS, AREAS.mean(axis=0)])
    found = factorial(values, covariance(3))
    assert [(a, b) for a, b, _ in found.differences] == [(0, 1), (0, 2), (1, 2)]
    assert found.freedom[0] == 2


def test_a_difference_of_shares_is_never_beyond_one() -> None:
    values = np.array([-0.9, -1.0, -0.8])
    found = one_condition(values, np.eye(3) * 0.02).interval
    assert found.low == -1
    assert found.high > -0.9
    assert one_condition(-values, np.eye(3) * 0.02).interval.high == 1
