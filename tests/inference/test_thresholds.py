"""A model says from which probability upwards it is meant to call melanoma."""

from __future__ import annotations

from typing import Any

import pytest

from lentigo.inference.predict import Ensemble, Model
from lentigo.inference.thresholds import stored_thresholds, threshold_sentences

POINT: dict[str, Any] = {
    "name": "sensitivity_95",
    "sensitivity": 0.95,
    "threshold": 0.12344,
    "chosen_on": "validation images",
    "held_out": {
        "sensitivity": {"value": 0.9, "low": 0.8, "high": 0.96},
        "specificity": {"value": 0.6, "low": None, "high": None},
    },
}


def model(*points: tuple[dict[str, Any], ...]) -> Model:
    return Model(tuple(Ensemble(members=(), operating_points=own) for own in points))


def test_a_threshold_is_said_with_what_it_found() -> None:
    one = model((POINT,))
    assert stored_thresholds(one) == [POINT]
    assert threshold_sentences(one) == [
        "From a probability of 0.1234 upwards, chosen on validation images to find 95 % of "
        "melanomas, held-out images had sensitivity 0.900 (0.800–0.960) and specificity "
        "0.600."
    ]


def test_the_mean_of_several_models_has_no_threshold() -> None:
    two = model((POINT,), (POINT,))
    assert stored_thresholds(two) == []
    assert "none was chosen for their mean" in threshold_sentences(two)[0]


def test_a_model_without_thresholds_says_nothing() -> None:
    assert threshold_sentences(model(())) == []
    assert threshold_sentences(model((), ())) == []


@pytest.mark.parametrize(
    "broken",
    [{}, {"threshold": "low"}, {**POINT, "threshold": None}, {**POINT, "sensitivity": 7}],
)
def test_an_entry_that_makes_no_sense_is_not_said(broken: dict[str, Any]) -> None:
    assert threshold_sentences(model((broken,))) == []
    assert threshold_sentences(model(({**POINT, "held_out": [1]},)))[0].endswith("judged.")
