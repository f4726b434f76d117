from __future__ import annotations

import math

import pytest

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.roughness import FEW, marked


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
