"""Thresholds of several folds are judged together, each on its own held-out images."""

from __future__ import annotations

import pandas as pd

from lentigo.evaluation.fold_thresholds import absent_points, judge_points
from lentigo.models.operating_point import OperatingPoint


def scored(scores: list[float], melanomas: int, *, fold: int) -> pd.DataFrame:
    """Images of one patient each; the first `melanomas` of them are melanomas."""
    names = [f"{fold}-{number}" for number in range(len(scores))]
    return pd.DataFrame(
        {
            "melanoma": [number < melanomas for number in range(len(scores))],
            "probability": scores,
            "group": names,
            "fold": fold,
        }
    )


def point(threshold: float | None, name: str = "mean_sensitivity_95") -> OperatingPoint:
    return OperatingPoint(
        name=name,
        kind="mean_sensitivity",
        sensitivity=0.95,
        threshold=threshold,
        absent="" if threshold is not None else "It takes 19.",
        chosen_on="validation images",
        n_melanomas=20,
    )


def test_each_fold_is_judged_at_its_own_threshold() -> None:
    held_out = pd.concat(
        [
            scored([0.6, 0.4, 0.55, 0.3], 2, fold=0),  # 1 of 2 found, 1 false alarm
            scored([0.8, 0.75, 0.65, 0.3], 2, fold=1),  # 2 of 2 found, none
        ]
    )
    (found,) = judge_points(held_out, {0: [point(0.5)], 1: [point(0.7)]})
    assert (found.found, found.n_melanomas, found.false_alarms) == (3, 4, 1)
    assert found.figures["sensitivity"].value == 3 / 4
    assert found.figures["specificity"].value == 3 / 4
    assert found.figures["sensitivity"].low < 3 / 4 < found.figures["sensitivity"].high
    assert "finds 3 of 4 held-out melanomas" in found.as_line()
    assert "to find 95 % of melanomas on average" in found.as_line()
    assert found.as_dict()["thresholds"] == {"0": 0.5, "1": 0.7}


def test_points_of_several_names_are_judged_one_by_one() -> None:
    held_out = scored([0.6, 0.4, 0.55, 0.3], 2, fold=0)
    both = [point(0.5), point(0.35, "youden")]
    assert [each.found for each in judge_points(held_out, {0: both})] == [1, 2]


def test_a_fold_without_a_threshold_is_left_out_and_says_why() -> None:
    held_out = pd.concat(
        [scored([0.6, 0.4], 1, fold=0), scored([0.8, 0.75, 0.65], 2, fold=1)]
    )
    (found,) = judge_points(held_out, {0: [point(0.5)], 1: [point(None)]})
    assert (found.n_images, found.n_melanomas) == (2, 1)
    assert judge_points(held_out, {0: [], 1: [point(None)]}) == []
    assert absent_points({0: [point(None)]}) == [
        "No threshold to find 95 % of melanomas on average. It takes 19."
    ]
    assert absent_points({0: [], 3: [point(None)]})[0].startswith("Fold 3: no threshold")
