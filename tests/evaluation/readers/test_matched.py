"""A model at the specificity of a reader."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.readers.matched import at_readers

TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
SCORE = np.array([0.9, 0.8, 0.6, 0.2, 0.7, 0.5, 0.3, 0.1])
IMAGES = np.arange(8)


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        (0, 2 / 4),  # above 0.7 it finds those of 0.9 and 0.8
        (1, 3 / 4),  # down to the next false alarm at 0.5, the one of 0.6
        (2, 3 / 4),
        (3, 4 / 4),
    ],
)
def test_it_finds_what_lies_above_the_next_false_alarm(
    alarms: int, expected: float
) -> None:
    calls = np.array([[1, 0, 1, 0, *[1] * alarms, *[0] * (4 - alarms)]], dtype=float)
    found = at_readers(TRUTH, SCORE, calls, IMAGES, repeats=20)
    assert found.sensitivity[0] == expected
    assert found.difference[0] == expected - 2 / 4


def test_between_two_thresholds_it_lies_on_the_line() -> None:
    score = np.array([0.9, 0.5, 0.5, 0.1, 0.5, 0.5, 0.1, 0.1])
    calls = np.array([[1, 1, 0, 0, 1, 0, 0, 0]], dtype=float)
    found = at_readers(TRUTH, score, calls, IMAGES, repeats=20)
    assert found.sensitivity[0] == 2 / 4  # 1/4, and half of the way up to 3/4


def test_only_the_images_that_a_reader_read_count() -> None:
    calls = np.array([[1, 0, np.nan, np.nan, 1, 0, np.nan, np.nan]])
    found = at_readers(TRUTH, SCORE, calls, IMAGES, repeats=20)
    assert (found.sensitivity[0], found.difference[0]) == (2 / 2, 1 / 2)


def test_a_reader_of_melanomas_alone_has_no_specificity() -> None:
    calls = np.array([[1, 0, 1, 1, *[np.nan] * 4]])
    found = at_readers(TRUTH, SCORE, calls, IMAGES, repeats=20)
    assert math.isnan(found.difference[0])
    assert math.isnan(found.interval(0).low)


def test_a_model_that_calls_as_the_reader_does_differs_by_nothing() -> None:
    calls = (SCORE >= 0.6).astype(float)[None]
    found = at_readers(TRUTH, calls[0], calls, IMAGES, repeats=50)
    assert found.difference[0] == 0
    assert math.isnan(found.interval(0).low)  # no spread is no certainty


def test_images_of_one_patient_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.random(60) < 0.5, 4)
    patient = np.repeat(np.arange(60), 4)
    noise = np.repeat(rng.normal(size=60), 4) + 0.2 * rng.normal(size=240)
    calls = (truth + np.repeat(rng.normal(size=60), 4) > 0.5).astype(float)[None]
    wide = at_readers(truth, truth + noise, calls, patient, repeats=300).interval(0)
    narrow = at_readers(truth, truth + noise, calls, np.arange(240), repeats=300).interval(
        0
    )
    assert wide.high - wide.low > 1.4 * (narrow.high - narrow.low)
