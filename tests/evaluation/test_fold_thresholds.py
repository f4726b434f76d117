"""Thresholds of several folds are judged together, each on its own held-out images."""

from __future__ import annotations

import pandas as pd
import pytest

from lentigo.evaluation.fold_thresholds import (
    WISHED,
    choose_points,
    judge_points,
    stored_points,
)


def scored(scores: list[float], melanomas: int, *, fold: int) -> pd.DataFrame:
    """Images of one patient each; the first `melanomas` of them are melanomas."""
    names = [f"{fold}-{number}" for number in range(len(scores))]
    return pd.DataFrame(
        {
            "melanoma": [number < melanomas for number in range(len(scores))],
            "probability": scores,
            "group": names,
            "group_id": names,
            "fold": fold,
        }
    )


VALIDATION = scored([0.9, 0.8, 0.7, 0.6, 0.5, 0.1], 5, fold=0)


def test_five_melanomas_are_enough_to_choose_by_and_four_are_not() -> None:
    points = choose_points(VALIDATION)
    assert [point.sensitivity for point in points] == list(WISHED)
    assert points[0].threshold == 0.5
    assert choose_points(VALIDATION.iloc[1:]) == []


def test_each_fold_is_judged_at_its_own_threshold() -> None:
    low = choose_points(VALIDATION)
    high = choose_points(
        VALIDATION.assign(probability=VALIDATION["probability"] / 2 + 0.45)
    )
    assert high[0].threshold == pytest.approx(0.7)
    held_out = pd.concat(
        [
            scored([0.6, 0.4, 0.55, 0.3], 2, fold=0),  # 1 of 2 found, 1 false alarm
            scored([0.8, 0.75, 0.65, 0.3], 2, fold=1),  # 2 of 2 found, none
        ]
    )
    found, _ = judge_points(held_out, {0: low, 1: high})
    assert (found.found, found.n_melanomas, found.false_alarms) == (3, 4, 1)
    assert found.figures["sensitivity"].value == 3 / 4
    assert found.figures["specificity"].value == 3 / 4
    assert found.figures["sensitivity"].low < 3 / 4 < found.figures["sensitivity"].high
    assert found.promised == pytest.approx(5 / 6)
    assert "finds 3 of 4 held-out melanomas" in found.as_line()
    assert found.as_dict()["thresholds"] == {"0": 0.5, "1": high[0].threshold}


def test_a_fold_without_a_threshold_is_left_out() -> None:
    held_out = pd.concat(
        [scored([0.6, 0.4], 1, fold=0), scored([0.8, 0.75, 0.65], 2, fold=1)]
    )
    found, _ = judge_points(held_out, {0: choose_points(VALIDATION), 1: []})
    assert (found.n_images, found.n_melanomas) == (2, 1)
    assert judge_points(held_out, {0: [], 1: []}) == []


def test_stored_thresholds_are_read_back_whatever_stands_beside_them() -> None:
    points = choose_points(VALIDATION)
    entries = [{**point.as_dict(), "held_out": {"n_images": 3}} for point in points]
    assert stored_points(entries) == points
