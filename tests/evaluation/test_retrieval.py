"""Melanomas among the highest scores of their patient, counted by eye and by pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import evaluate
from lentigo.evaluation.retrieval import (
    retrieval_per_patient,
    retrieval_sensitivity,
    retrieved,
    worth_asking,
)

TRUTH = np.array([1, 1, 0, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
SCORE = np.array([0.9, 0.1, 0.5, 0.4, 0.3, 0.6, 0.7, 0.2, 0.8, 0.95])
GROUP = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])


def test_two_a_patient_are_counted_by_eye() -> None:
    # Patient 0 has one of two melanomas among the two highest, patient 1 its only one.
    assert retrieved(TRUTH, SCORE, GROUP, top=2).tolist() == [1, 0, 1]
    assert retrieval_sensitivity(TRUTH, SCORE, GROUP, top=2).value == pytest.approx(2 / 3)
    assert retrieval_per_patient(TRUTH, SCORE, GROUP, top=2).value == pytest.approx(3 / 4)


def test_tied_places_are_shared() -> None:
    truth = np.array([1, 0, 0, 0], dtype=bool)
    score = np.array([0.5, 0.5, 0.5, 0.9])
    # One of the two places is left for the three that tie.
    found = retrieval_sensitivity(truth, score, np.zeros(4, dtype=np.intp), top=2)
    assert found.value == pytest.approx(1 / 3)


def test_it_is_what_pandas_finds_patient_by_patient() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(40, size=3000)
    truth = rng.random(3000) < 0.02
    score = rng.random(3000) + 0.3 * truth
    table = pd.DataFrame({"group": group, "truth": truth, "score": score})
    top = table.sort_values("score", ascending=False).groupby("group").head(15)
    there = table[table["truth"]].groupby("group").size()
    found = top[top["truth"]].groupby("group").size().reindex(there.index, fill_value=0)
    ours = retrieval_sensitivity(truth, score, group)
    assert ours.value == pytest.approx(found.sum() / there.sum(), abs=1e-12)
    assert ours.low < ours.value < ours.high
    each = retrieval_per_patient(truth, score, group)
    assert each.value == pytest.approx((found / there).mean(), abs=1e-12)


def test_without_a_melanoma_there_is_none() -> None:
    nobody = np.zeros(10, dtype=bool)
    assert math.isnan(retrieval_sensitivity(nobody, SCORE, GROUP).value)
    assert math.isnan(retrieval_per_patient(nobody, SCORE, GROUP).value)
    assert not worth_asking(nobody, GROUP)


def test_it_is_asked_only_where_a_patient_with_melanoma_has_more_images() -> None:
    assert not worth_asking(TRUTH, GROUP)
    assert worth_asking(TRUTH, GROUP, top=4)
    names = [f"i{number}" for number in range(40)]
    predictions = pd.DataFrame(
        {"image_id": names, "patient_id": ["a"] * 20 + ["b"] * 20,
         "probability": np.linspace(0.1, 0.9, 40)}
    )  # fmt: skip
    truth = pd.DataFrame({"image_id": names, "melanoma": [0, 1] * 20})
    assert "retrieval_sensitivity_15" in evaluate(predictions, truth, repeats=20).metrics
    single = predictions.assign(patient_id=names)
    assert "retrieval_sensitivity_15" not in evaluate(single, truth, repeats=20).metrics
