"""Probabilities before and after a model's own calibration, of predictions with both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from lentigo.evaluation import evaluate
from lentigo.models.calibration import probability


def predicted(**more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions whose logits were twice as far from 0 before they were calibrated."""
    rng = np.random.default_rng(0)
    logit = rng.normal(size=400)
    truth = rng.random(400) < probability(logit)
    table = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(400)],
            "probability": probability(logit),
            "raw_logit": 2 * logit,
        }
    )
    return table.assign(**more), table[["image_id"]].assign(melanoma=truth)


def test_both_are_told_as_libraries_count_them() -> None:
    predictions, truth = predicted()
    # The order of the rows does not matter.
    found = evaluate(predictions.sample(frac=1, random_state=1), truth, repeats=20)
    own = found.own_calibration
    assert own is not None
    labels = truth["melanoma"]
    raw = probability(predictions["raw_logit"])
    assert own.before["brier"].value == pytest.approx(brier_score_loss(labels, raw))
    assert own.before["log_loss"].value == pytest.approx(log_loss(labels, raw))
    for name in ("brier", "log_loss", "calibration_slope"):
        assert own.after[name].value == pytest.approx(found[name].value, rel=1e-9)
    slopes = own.before["calibration_slope"].value, own.after["calibration_slope"].value
    assert slopes[0] == pytest.approx(slopes[1] / 2, rel=1e-6)
    assert "before → after on these images: calibration error" in found.as_text()
    assert set(found.as_dict()["own_calibration"]["before"]) == set(own.before)


@pytest.mark.parametrize(
    "more",
    [
        {"context": 3},
        {"prevalence": 0.02, "meant_for": 0.2},
        {"raw_logit": [np.nan, *[0.0] * 399]},
    ],
)
def test_where_more_than_calibration_lies_between_nothing_is_told(
    more: dict[str, Any],
) -> None:
    predictions, truth = predicted(**more)
    assert evaluate(predictions, truth, repeats=20).own_calibration is None


def test_a_lesion_without_others_is_calibrated_alone() -> None:
    predictions, truth = predicted(context=0, prevalence=0.2, meant_for=0.2)
    assert evaluate(predictions, truth, repeats=20).own_calibration is not None


def test_a_model_that_left_its_probabilities_is_said_to() -> None:
    predictions, truth = predicted()
    logit = np.log(predictions["probability"] / (1 - predictions["probability"]))
    text = evaluate(predictions.assign(raw_logit=logit), truth, repeats=20).as_text()
    assert "Calibration: left as it is; calibration error" in text
    assert "before → after" not in text
