"""What a threshold does, counted by eye on eight images and against other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import class_likelihood_ratios

from lentigo.evaluation.consequences import FIGURES, Called, difference, ratio_of
from lentigo.evaluation.intervals import Interval

TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
CALLED = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], dtype=bool)
ALONE = np.arange(10)


def called(
    truth: np.ndarray = TRUTH, hit: np.ndarray = CALLED, *, risk: float | None = 0.2
) -> Called:
    return Called(truth=truth, called=hit, group=np.arange(len(truth)), risk=risk)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sensitivity", 3 / 4),
        ("specificity", 5 / 6),
        ("ppv", 3 / 4),
        ("npv", 5 / 6),
        ("lr_positive", (3 / 4) / (1 / 6)),
        ("lr_negative", (1 / 4) / (5 / 6)),
        ("needed_to_excise", 4 / 3),
        ("found_per_1000", 300),
        ("missed_per_1000", 100),
        ("false_alarms_per_1000", 100),
        ("left_per_1000", 500),
        # A false alarm weighs 0.2 / 0.8 of a melanoma.
        ("net_benefit_per_1000", 1000 * (3 / 10 - 1 / 10 * 0.25)),
    ],
)
def test_ten_images_are_counted_by_eye(name: str, value: float) -> None:
    found = called().figures()[name]
    assert found.value == pytest.approx(value)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Of 1,000 lesions 100 are melanomas, 75 of them called, as are 150 of the others.
        ("found_per_1000", 75),
        ("missed_per_1000", 25),
        ("false_alarms_per_1000", 150),
        ("left_per_1000", 750),
        ("ppv", 75 / 225),
        ("npv", 750 / 775),
        ("needed_to_excise", 3),
        ("net_benefit_per_1000", 75 - 150 * 0.25),
        ("lr_positive", 4.5),
    ],
)
def test_a_clinic_with_fewer_melanomas_has_other_figures(name: str, value: float) -> None:
    assert called().figures_where(0.1)[name].value == pytest.approx(value)


def test_likelihood_ratios_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.3
    hit = rng.random(400) < 0.2 + 0.5 * truth
    found = called(truth, hit).figures()
    positive, negative = class_likelihood_ratios(truth, hit)
    assert found["lr_positive"].value == pytest.approx(positive, abs=1e-12)
    assert found["lr_negative"].value == pytest.approx(negative, abs=1e-12)


def test_the_interval_of_a_ratio_is_near_the_usual_one_of_many_single_images() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(20_000) < 0.3
    hit = rng.random(20_000) < 0.2 + 0.5 * truth
    tp, fp = np.count_nonzero(truth & hit), np.count_nonzero(~truth & hit)
    # Simel, Samsa & Matchar 1991: the variance of the logarithm of LR+.
    spread = math.sqrt(1 / tp - 1 / truth.sum() + 1 / fp - 1 / (~truth).sum())
    found = called(truth, hit).figures()["lr_positive"]
    assert math.log(found.high / found.value) == pytest.approx(1.96 * spread, rel=0.01)
    assert math.log(found.value / found.low) == pytest.approx(1.96 * spread, rel=0.01)


def test_intervals_take_groups_as_the_unit() -> None:
    truth, hit = np.repeat(TRUTH, 4), np.repeat(CALLED, 4)
    alone = called(truth, hit).figures()
    of_four = Called(truth=truth, called=hit, group=np.repeat(ALONE, 4), risk=0.2).figures()
    for name in FIGURES:
        wide, narrow = of_four[name], alone[name]
        assert wide.high - wide.low > narrow.high - narrow.low, name
        assert wide.value == pytest.approx(narrow.value)


def test_without_a_false_alarm_the_likelihood_ratio_has_only_a_lower_bound() -> None:
    found = called(hit=TRUTH & CALLED)
    interval = found.figures()["lr_positive"]
    assert math.isnan(interval.value)
    # The lowest sensitivity over the most false alarms that the data allow.
    assert interval.low == pytest.approx(
        found.figures()["sensitivity"].low / (1 - found.figures()["specificity"].low)
    )


@pytest.mark.parametrize("label", [True, False])
def test_one_class_only_has_no_number_for_what_needs_both(label: bool) -> None:
    found = called(np.full(10, label)).figures()
    for name in ("lr_positive", "lr_negative"):
        assert math.isnan(found[name].value)
    assert math.isnan(found["sensitivity" if not label else "specificity"].value)


def test_where_nothing_is_called_no_excision_is_counted() -> None:
    found = called(hit=np.zeros(10, bool)).figures()
    assert math.isnan(found["needed_to_excise"].value)
    assert found["net_benefit_per_1000"].value == 0
    assert found["missed_per_1000"].value == 400


def test_a_place_in_the_order_of_images_has_no_net_benefit() -> None:
    assert math.isnan(called(risk=None).figures()["net_benefit_per_1000"].value)
    assert math.isnan(called(risk=None).figures_where(0.1)["net_benefit_per_1000"].value)
    assert math.isnan(called(risk=1.0).figures()["net_benefit_per_1000"].value)


def test_few_groups_make_rough_intervals() -> None:
    assert all(each.rough for each in called().figures().values())
    truth, hit = np.tile(TRUTH, 100), np.tile(CALLED, 100)
    assert not any(each.rough for each in called(truth, hit).figures().values())


def test_a_difference_adds_the_distances_as_squares() -> None:
    found = difference(Interval(0.8, 0.5, 0.9), Interval(0.3, 0.2, 0.7))
    assert found.value == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5 - math.hypot(0.3, 0.4))
    assert found.high == pytest.approx(0.5 + math.hypot(0.1, 0.1))


def test_a_ratio_to_nothing_known_is_not_known() -> None:
    assert math.isnan(ratio_of(Interval(math.nan), Interval(0.5, 0.4, 0.6)).value)
    one_group = ratio_of(Interval(0.5), Interval(0.25))
    assert one_group.value == 2
    assert math.isnan(one_group.low)
