"""A model says from which probability upwards it calls melanoma."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lentigo.inference.ensemble import Ensemble
from lentigo.inference.predict import Model
from lentigo.inference.thresholds import decision_sentences
from lentigo.models.backend import Predictor
from lentigo.models.conformal import ConformalSets

POINT: dict[str, Any] = {
    "name": "sensitivity_95",
    "kind": "guaranteed_sensitivity",
    "sensitivity": 0.95,
    "confidence": 0.95,
    "threshold": 0.12344,
    "chosen_on": "validation images",
    "held_out": {
        "n_images": 9,
        "n_melanomas": 3,
        "figures": {
            "sensitivity": {"value": 0.9, "low": 0.8, "high": 0.96},
            "specificity": {"value": 0.6, "low": None, "high": None},
        },
    },
}
YOUDEN = {"name": "youden", "kind": "youden", "threshold": 0.3}


def model(*folders: tuple[dict[str, Any], ...], engine: str = "onnx") -> Model:
    network = cast("Predictor", SimpleNamespace(engine=engine))
    return Model(
        tuple(
            Ensemble(members=(network,), operating_points=points, prevalence=0.1)
            for points in folders
        )
    )


def said(of: Model, **asked: Any) -> list[str]:
    return decision_sentences(of, of.decision(**asked))


def test_a_threshold_is_said_with_what_it_found() -> None:
    assert said(model((POINT, YOUDEN))) == [
        "Melanoma is called from a probability of 0.1234 upwards (sensitivity_95), chosen "
        "on validation images to find 95 % of melanomas, guaranteed with 95 % confidence; "
        "held-out images had sensitivity 0.900 (0.800–0.960) and specificity 0.600. "
        "Other operating points: youden (--operating-point)."
    ]


def test_in_eight_bits_it_is_said_that_the_exact_network_chose() -> None:
    (*_, last) = said(model((POINT,), engine="onnx-int8"))
    assert last == (
        "Thresholds were chosen with the exact network; in 8 bits (onnx-int8) they may "
        "find less."
    )


def test_an_absent_threshold_says_what_it_takes() -> None:
    absent = {**POINT, "threshold": None, "held_out": None, "absent": "It takes 59."}
    assert said(model((absent, YOUDEN))) == [
        "There is no threshold to find 95 % of melanomas, guaranteed with 95 % confidence. "
        "It takes 59.",
        "No image has a call. Other operating points: youden (--operating-point).",
    ]


def test_the_mean_of_several_models_has_no_threshold() -> None:
    two = model((POINT,), (POINT,))
    assert two.operating_points == ()
    assert "none was chosen for their mean" in said(two)[0]


def test_a_model_without_thresholds_says_nothing() -> None:
    assert said(model(())) == []
    assert said(model((), ())) == []


def test_both_shares_of_melanoma_are_said() -> None:
    assert said(model(()), prevalence=0.02) == [
        "The probabilities are for a share of 2 % melanomas; the model's own are meant for "
        "10 %."
    ]


@pytest.mark.parametrize(
    "broken",
    [{}, {"threshold": "low"}, {**POINT, "threshold": None}, {**POINT, "sensitivity": 7}],
)
def test_an_entry_that_makes_no_sense_is_not_said(broken: dict[str, Any]) -> None:
    assert said(model((broken,))) == []


def test_another_share_of_melanoma_leaves_the_sets_as_they_are() -> None:
    with_sets = ConformalSets(melanoma=0.1, not_melanoma=0.2)
    (one,) = model((YOUDEN,)).ensembles
    (moved, sets, *_) = said(Model((replace(one, conformal=with_sets),)), prevalence=0.02)
    assert moved.startswith("The probabilities are for a share of 2 % melanomas")
    assert sets.startswith("could_be does not move with it")
