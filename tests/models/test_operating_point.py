"""Thresholds as a model folder holds them, of this format and of the first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lentigo.inference.thresholds import threshold_sentence
from lentigo.models.operating_point import (
    OUT_OF_FOLD,
    OperatingPoint,
    first_format,
    of_the_exact,
    read_points,
)
from lentigo.service.page.language import LANGUAGES, aim_text

OLD = {
    "name": "sensitivity_95",
    "sensitivity": 0.95,
    "threshold": 0.03,
    "chosen_on": "validation images",
    "melanomas": 89,
    "groups": 50,
    "promised": 0.955,
    "held_out": {
        "n_images": 1603,
        "n_melanomas": 178,
        "sensitivity": {"value": 0.938, "low": 0.879, "high": 0.97, "undefined": 0},
        "ppv": {"value": None, "low": None, "high": None},
    },
}


def test_a_point_of_the_first_format_holds_on_average() -> None:
    (point,) = first_format([OLD])
    assert (point.kind, point.threshold) == ("mean_sensitivity", 0.03)
    assert (point.name, point.n_groups) == ("mean_sensitivity_95", 50)
    assert point.held_out is not None
    assert point.held_out.figures["sensitivity"].low == 0.879
    assert point.held_out.figures["ppv"].value is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"threshold": 0.3},
        {**OLD, "threshold": 7},
        {**OLD, "chosen_on": 1},
        {**OLD, "sensitivity": 10**400},
        {**OLD, "threshold": 10**400},
    ],
)
def test_what_cannot_be_read_of_the_first_format_is_left_out(wrong: dict[str, Any]) -> None:
    assert first_format([wrong]) == ()


def test_a_point_comes_back_from_json() -> None:
    (point,) = first_format([OLD])
    assert OperatingPoint.model_validate_json(point.model_dump_json()) == point


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": None},  # and no word why
        {"absent": "59 melanomas are needed."},  # and a threshold
        {"threshold": 1.5},
        {"kind": "magic"},
        {"cost_miss": 0.0},
        {"name": "<script>"},
        {"more": 1},
    ],
)
def test_what_cannot_be_a_point_is_refused(change: dict[str, Any]) -> None:
    whole = {"name": "youden", "kind": "youden", "threshold": 0.2}
    assert OperatingPoint.model_validate_json(json.dumps(whole))
    with pytest.raises(ValidationError):
        OperatingPoint.model_validate_json(json.dumps({**whole, **change}))


def test_only_limits_on_the_probability_move_with_the_share_of_melanoma() -> None:
    moves = {
        kind: OperatingPoint(name=kind, kind=kind, threshold=0.5).moves_with_prevalence
        for kind in ("guaranteed_sensitivity", "youden", "cost", "decision_curve")
    }
    assert [kind for kind, does in moves.items() if does] == ["cost", "decision_curve"]


def in_english(point: OperatingPoint) -> str:
    """The aim on the English page, whose spaces before % do not break."""
    return aim_text(point, "en").replace("\N{NO-BREAK SPACE}", " ")


def test_a_threshold_of_the_folds_networks_guarantees_nothing_of_another() -> None:
    """A refit stores thresholds that the folds' networks chose; old folders likewise."""
    point = OperatingPoint(
        name="sensitivity_95", kind="guaranteed_sensitivity", threshold=0.1,
        sensitivity=0.95, confidence=0.95, chosen_on=OUT_OF_FOLD,
    )  # fmt: skip
    assert point.aim == (
        "to find 95 % of melanomas, by the folds' networks; of this one nothing is "
        "guaranteed"
    )
    assert "nothing is guaranteed" in threshold_sentence(point)
    for language in LANGUAGES:
        own = point.model_copy(update={"chosen_on": "validation images"})
        assert aim_text(point, language) != aim_text(own, language)
    assert in_english(point) == point.aim
    mean = point.model_copy(update={"kind": "mean_sensitivity"})
    assert in_english(mean) == mean.aim
    (small,) = read_points([of_the_exact(own.model_dump())])
    assert "by the exact network; of this one nothing is guaranteed" in small.aim
    assert in_english(small) == small.aim
    told = own.model_copy(update={"without_metadata": True})
    assert in_english(told) == told.aim
    assert told.aim.endswith("whether age, sex and site are told or not")
    for language in LANGUAGES:
        assert aim_text(told, language).startswith(aim_text(own, language))
        assert aim_text(told, language) != aim_text(own, language)
    assert mean.aim.endswith("on average, by the folds' networks")
    absent = point.model_copy(update={"threshold": None, "absent": "Too few."})
    assert "guaranteed with 95 % confidence" in absent.aim
