"""Thresholds are chosen on validation images and judged on held-out ones."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from lentigo.training.thresholds import operating_points


def tables(melanomas: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A lesion table, and predictions of 40 validation and 10 held-out images."""
    names = [f"I{number:02}" for number in range(50)]
    melanoma = np.arange(50) < melanomas
    melanoma[40:44] = True
    table = pd.DataFrame({"image_id": names, "melanoma": melanoma})
    # Melanomas of the validation score 0.9, 0.89 … and the others below 0.4.
    score = np.where(melanoma, 0.9 - np.arange(50) / 100, 0.3)
    score[40:44] = [0.9, 0.8, 0.72, 0.1]
    predictions = pd.DataFrame({"image_id": names, "group_id": names, "probability": score})
    return table, predictions[:40], predictions[40:]


def test_each_threshold_is_stored_with_what_it_finds_elsewhere() -> None:
    table, validation, held_out = tables(19)
    points = operating_points(table, validation=validation, held_out=held_out)
    assert [point["name"] for point in points] == ["sensitivity_95", "sensitivity_90"]
    first = points[0]
    assert first["threshold"] == pytest.approx(0.72)  # the lowest of 19
    assert (first["melanomas"], first["groups"]) == (19, 19)
    assert first["chosen_on"] == "validation images"
    assert first["held_out"]["n_melanomas"] == 4
    assert first["held_out"]["sensitivity"]["value"] == 3 / 4
    assert first["held_out"]["specificity"]["value"] == 6 / 6


@pytest.mark.parametrize(("melanomas", "stored"), [(4, 0), (5, 2)])
def test_with_too_few_melanomas_none_is_stored_and_it_is_said(
    melanomas: int, stored: int, caplog: pytest.LogCaptureFixture
) -> None:
    table, validation, held_out = tables(melanomas)
    with caplog.at_level(logging.WARNING, logger="lentigo"):
        points = operating_points(table, validation=validation, held_out=held_out)
    assert len(points) == stored
    assert ("The validation images hold 4 melanomas: too few" in caplog.text) != bool(
        stored
    )
