"""Flipped calls, the corrupted error and ties, on cases that can be counted by eye."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.stress import (
    Answered,
    adjusted_error,
    any_flip,
    corrupted_error,
    judge_disturbed,
    relative_error,
    tied_to,
)

TRUTH = np.array([1, 1, 0, 0, 0, 0], dtype=bool)
GROUP = np.arange(6)
LOGIT = np.array([2.0, -1.0, 1.0, -1.0, -2.0, -3.0])
PLAIN = Answered(TRUTH, GROUP, LOGIT, 0.0)


def test_flips_are_counted_in_both_directions() -> None:
    after = np.array([-2.0, -1.0, 1.0, 1.0, 1.0, -3.0])
    found = judge_disturbed(PLAIN, after)
    assert found.flipped.value == 3 / 6
    assert found.from_melanoma.value == 1 / 2  # of the first and the third
    assert found.to_melanoma.value == 2 / 4
    assert found.shift.value == pytest.approx((after - LOGIT).mean())
    assert found.balanced_error.value == (2 / 2 + 3 / 4) / 2
    assert found.auc.value == 2 / 8  # both melanomas are above the last alone
    assert found.n_images == 6


def test_without_a_change_nothing_flips_and_images_without_an_answer_are_left_out() -> None:
    same = judge_disturbed(PLAIN, LOGIT)
    assert same.flipped.value == 0
    assert same.auc_change.value == 0
    part = judge_disturbed(PLAIN, np.where(GROUP == 5, np.nan, LOGIT))
    assert part.n_images == 5
    nothing = judge_disturbed(PLAIN, np.full(6, np.nan))
    assert math.isnan(nothing.flipped.value)


def test_the_interval_of_flips_takes_groups_as_the_unit() -> None:
    truth, logit = np.tile(TRUTH, 10), np.tile(LOGIT, 10)
    after = np.where(np.repeat(np.arange(10) < 3, 6), -logit, logit)
    alone = judge_disturbed(Answered(truth, np.arange(60), logit, 0.0), after)
    ten = judge_disturbed(Answered(truth, np.repeat(np.arange(10), 6), logit, 0.0), after)
    assert alone.flipped.value == ten.flipped.value == 0.3
    assert ten.flipped.high - ten.flipped.low > 2 * (alone.flipped.high - alone.flipped.low)


def test_the_corrupted_error_is_the_balanced_error_averaged_over_conditions() -> None:
    wrong = np.array([[0, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]], dtype=bool)
    each = [(1 / 2 + 1 / 4) / 2, (2 / 2 + 0) / 2]
    found = corrupted_error(wrong, TRUTH, GROUP)
    assert found.value == pytest.approx(np.mean(each))
    assert found.low < found.value < found.high
    plain = np.array([0, 1, 1, 0, 0, 0], dtype=bool)
    growth = relative_error(wrong, plain, TRUTH, GROUP)
    assert growth.value == pytest.approx(np.mean(each) - each[0])
    assert math.isnan(corrupted_error(wrong[:, :2], TRUTH[:2], GROUP[:2]).value)


def test_the_adjusted_error_divides_each_disturbance_by_the_reference() -> None:
    own = np.array([[0.1, 0.3], [0.2, 0.2]])
    reference = np.array([[0.4, 0.4], [0.2, 0.6]])
    assert adjusted_error(own, reference) == (0.4 / 0.8 + 0.4 / 0.8) / 2
    assert adjusted_error(reference, reference) == 1
    assert math.isnan(adjusted_error(own, 0 * reference))


def test_an_image_flips_once_however_often_it_does() -> None:
    logits = np.stack([np.where(GROUP == 0, -1, LOGIT), np.where(GROUP < 2, -1, LOGIT)])
    assert any_flip(PLAIN, logits).value == 1 / 6
    logits[1, 5] = np.nan
    assert any_flip(PLAIN, logits).value == 1 / 5  # of those answered in each condition


def test_answers_that_follow_the_file_are_tied_to_it() -> None:
    rng = np.random.default_rng(1)
    size = rng.uniform(size=200)
    truth = rng.uniform(size=200) < 0.3
    plain = Answered(truth, np.arange(200), size + 0.1 * rng.normal(size=200), 0.5)
    assert all(tie.low > 0.8 for tie in tied_to(plain, size).values())
    free = Answered(truth, np.arange(200), rng.normal(size=200), 0.0)
    assert all(tie.low < 0.5 < tie.high for tie in tied_to(free, size).values())
    assert all(math.isnan(tie.value) for tie in tied_to(free, np.ones(200)).values())


def test_errors_that_none_of_a_few_images_shows_may_still_be_there() -> None:
    """None of 5 melanomas is missed: up to 0.522 may be; of 20 others up to 0.168."""
    truth, none = np.arange(25) < 5, np.zeros((1, 25), bool)
    found = corrupted_error(none, truth, np.arange(25))
    reach = [1 - 0.025 ** (1 / number) for number in (5, 20)]
    assert found.value == found.low == 0
    assert found.high == pytest.approx(math.hypot(*reach) / 2)
    both = corrupted_error(np.repeat(none, 3, axis=0), truth, np.arange(25))
    assert both.high == pytest.approx(found.high)  # the same images three times
    every = corrupted_error(~none, truth, np.arange(25))
    assert every.low == pytest.approx(1 - found.high)
    assert every.high == 1
    growth = relative_error(none, none[0], truth, np.arange(25))
    assert (growth.low, growth.high) == pytest.approx((-found.high, found.high))


def test_one_group_shows_no_spread_of_errors() -> None:
    wrong = np.array([[1, 0, 1, 0, 0, 0]], dtype=bool)
    found = corrupted_error(wrong, TRUTH, np.zeros(6, np.intp))
    assert found.value == (1 / 2 + 1 / 4) / 2
    assert math.isnan(found.low)
    assert math.isnan(found.high)
