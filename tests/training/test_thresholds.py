"""Calibration and thresholds come from validation images, and are judged elsewhere."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from lentigo.evaluation.choosing import Costs
from lentigo.training.thresholds import (
    calibrated,
    calibration_of,
    operating_points,
    points_out_of_fold,
    sets_of,
)

COSTS = Costs(miss=20, excision=1)


def tables(melanomas: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A lesion table, and predictions of 40 validation and 10 held-out images."""
    names = [f"I{number:02}" for number in range(50)]
    melanoma = np.arange(50) < melanomas
    melanoma[40:44] = True
    table = pd.DataFrame({"image_id": names, "melanoma": melanoma})
    # Melanomas of the validation score 0.9, 0.89 … and the others below 0.4.
    score = np.where(melanoma, 0.9 - np.arange(50) / 100, 0.3)
    score[40:44] = [0.9, 0.8, 0.72, 0.1]
    predictions = pd.DataFrame(
        {
            "image_id": names,
            "group_id": names,
            "probability": score,
            "raw_logit": logit(score),
        }
    )
    return table, predictions[:40], predictions[40:]


def test_each_threshold_is_stored_with_what_it_finds_elsewhere() -> None:
    table, validation, held_out = tables(19)
    points = operating_points(table, validation=validation, held_out=held_out, costs=COSTS)
    named = {point["name"]: point for point in points}
    assert list(named) == [
        "sensitivity_95", "mean_sensitivity_95", "sensitivity_90", "mean_sensitivity_90",
        "youden", "cost", "decision_curve",
    ]  # fmt: skip
    found = named["mean_sensitivity_95"]
    assert found["threshold"] == pytest.approx(0.72)  # the lowest of 19
    assert (found["n_melanomas"], found["n_groups"]) == (19, 19)
    assert found["chosen_on"] == "validation images"
    assert found["held_out"]["n_melanomas"] == 4
    assert found["held_out"]["figures"]["sensitivity"]["value"] == 3 / 4
    assert found["held_out"]["figures"]["specificity"]["value"] == 6 / 6
    assert named["cost"]["threshold"] == pytest.approx(1 / 21)


def test_with_too_few_melanomas_it_is_said_how_many_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table, validation, held_out = tables(4)
    with caplog.at_level(logging.WARNING, logger="lentigo"):
        points = operating_points(
            table, validation=validation, held_out=held_out, costs=COSTS
        )
    assert all(point["threshold"] is None for point in points)
    assert "hold 4 melanomas: a sensitivity of 95 %" in caplog.text
    assert (
        "takes 59 independent ones. Of the 6 others 6 cannot be stored either"
        in caplog.text
    )


def test_probabilities_that_are_too_sure_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 4, 1500)
    names = [f"I{number}" for number in range(1500)]
    truth = rng.random(1500) < expit(logits / 3)
    table = pd.DataFrame({"image_id": names, "melanoma": truth})
    seen = pd.DataFrame({"image_id": names, "group_id": names, "raw_logit": logits})
    calibration = calibration_of(table, seen)
    assert calibration.method == "temperature"
    assert calibration.prevalence == pytest.approx(truth.mean())
    after = calibrated(seen, calibration)
    assert after["logit"].to_numpy() == pytest.approx(logits / 3, rel=0.25)
    assert after["probability"].to_numpy() == pytest.approx(expit(after["logit"]))
    assert after["raw_logit"].equals(seen["raw_logit"])


def test_thresholds_of_the_folds_networks_hold_no_guarantee() -> None:
    table, answers, _ = tables(35)
    named = {each["name"]: each for each in points_out_of_fold(table, answers, COSTS)}
    found = named["sensitivity_90"]
    assert found["threshold"] is not None
    assert found["confidence"] is None
    assert found["method"].endswith(", of the folds' networks")
    assert named["sensitivity_95"]["confidence"] == 0.95  # there is none, and why
    assert "takes 59" in named["sensitivity_95"]["absent"]


def test_thresholds_and_sets_hold_with_and_without_metadata() -> None:
    """Without age, sex and site melanomas are rated 0.05 lower, and others higher."""
    table, validation, held_out = tables(19)
    melanoma = table["melanoma"].to_numpy()
    moved = np.where(melanoma, -0.05, 0.05)

    def both(part: pd.DataFrame) -> pd.DataFrame:
        score = part["probability"] + moved[part.index]
        return part.assign(logit_without_metadata=logit(score))

    told, asked = both(validation), {"held_out": held_out, "costs": COSTS}
    alone = operating_points(table, validation=validation, **asked)  # type: ignore[arg-type]
    found = operating_points(table, validation=told, **asked)  # type: ignore[arg-type]
    for before, after in zip(alone[:4], found[:4], strict=True):
        assert after["without_metadata"]
        if before["threshold"] is not None:
            assert after["threshold"] == pytest.approx(before["threshold"] - 0.05)
    assert [each["threshold"] for each in alone[5:]] == [
        each["threshold"] for each in found[5:]
    ]
    narrow, wide = sets_of(table, validation), sets_of(table, told)
    assert narrow is not None
    assert wide is not None
    assert wide.melanoma == pytest.approx(narrow.melanoma - 0.05)
    assert wide.not_melanoma == pytest.approx(narrow.not_melanoma - 0.05)
