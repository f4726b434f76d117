from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.recalibration import judge_calibration
from lentigo.evaluation.roughness import FEW, marked
from lentigo.evaluation.sums import Sample


@pytest.mark.parametrize(
    ("with_melanoma", "without", "rough"),
    [(FEW, FEW, False), (FEW - 1, 1000, True), (1000, FEW - 1, True)],
)
def test_few_groups_of_either_kind_make_intervals_rough(
    with_melanoma: int, without: int, rough: bool
) -> None:
    metrics = {"auc": Interval(0.8, 0.7, 0.9)}
    found = marked(metrics, with_melanoma=with_melanoma, without=without)
    assert found["auc"].rough is rough


def test_a_share_of_one_class_asks_for_groups_of_that_class_only() -> None:
    metrics = {name: Interval(0.8, 0.7, 0.9) for name in ("sensitivity", "specificity")}
    found = marked(metrics, with_melanoma=3, without=500)
    assert (found["sensitivity"].rough, found["specificity"].rough) == (True, False)


def test_where_there_is_no_interval_none_is_rough() -> None:
    found = marked({"auc": Interval(math.nan)}, with_melanoma=0, without=9)
    assert not found["auc"].rough


@pytest.mark.parametrize(("groups", "rough"), [(30, True), (60, False)])
def test_some_intervals_take_more_groups(groups: int, rough: bool) -> None:
    metrics = {"npv": Interval(0.8, 0.7, 0.9), "auc": Interval(0.8, 0.7, 0.9)}
    found = marked(metrics, with_melanoma=groups, without=900)
    assert (found["npv"].rough, found["auc"].rough) == (rough, False)


@pytest.mark.parametrize(("groups", "rough"), [(30, True), (60, False)])
def test_specificity_takes_as_many_groups_as_sensitivity(groups: int, rough: bool) -> None:
    metrics = {name: Interval(0.8, 0.7, 0.9) for name in ("specificity", "ppv", "auc")}
    found = marked(metrics, with_melanoma=900, without=groups)
    assert [each.rough for each in found.values()] == [rough, rough, False]


def test_delongs_interval_is_always_rough() -> None:
    metrics = {"auc_delong": Interval(0.8, 0.7, 0.9)}
    assert marked(metrics, with_melanoma=9999, without=9999)["auc_delong"].rough


def test_the_interval_of_the_calibration_error_is_always_rough() -> None:
    """So it is marked beside its number, before and after a calibration."""
    truth = np.tile([True, False, False, False], 100)
    sample = Sample(truth, np.full(400, 0.25), np.arange(400), 400)
    judged = judge_calibration(sample, np.full(400, 0.3), methods=("platt",))
    for figures in (judged.before, judged.after):
        assert [name for name, each in figures.items() if each.rough] == [
            "calibration_error"
        ]
    assert ", rough) →" in judged.as_line()
