"""Folds and archives are judged one by one beside the pooled number."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.evaluation import evaluate


def tables(**columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two folds of 40 images; the scores of the second lie 0.3 higher."""
    rng = np.random.default_rng(0)
    melanoma = np.arange(80) % 4 == 0
    fold = np.arange(80) // 40
    score = 0.3 + 0.2 * melanoma + 0.3 * fold + rng.normal(scale=0.08, size=80)
    names = [f"I{number}" for number in range(80)]
    guesses = {"image_id": names, "probability": score.clip(0, 1), "fold": fold}
    truth = {"image_id": names, "melanoma": melanoma, "patient_id": names} | columns
    return pd.DataFrame(guesses), pd.DataFrame(truth)


def test_each_fold_stands_beside_the_pooled_auc_with_the_reason() -> None:
    guesses, truth = tables()
    found = evaluate(guesses, truth, repeats=20)
    (folds,) = found.parts
    expected = [
        roc_auc_score(truth["melanoma"][rows], guesses["probability"][rows])
        for rows in (slice(0, 40), slice(40, 80))
    ]
    assert [part.auc.value for part in folds.parts] == pytest.approx(expected)
    assert folds.mean_auc == pytest.approx(np.mean(expected))
    assert folds.pooled == found["auc"].value < min(expected)
    text = found.as_text()
    assert "not on one scale" in text
    read = found.as_dict()["by_fold"]
    assert [part["n_melanomas"] for part in read["parts"]] == [10, 10]
    assert read["mean_auc"] == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("side", ["predictions", "truth"])
def test_each_archive_stands_beside_the_pooled_auc(side: str) -> None:
    guesses, truth = tables()
    guesses = guesses.drop(columns="fold")
    archive = ["ham10000" if row % 8 < 4 else None for row in range(80)]
    owner = guesses if side == "predictions" else truth
    owner["dataset"] = archive
    (archives,) = evaluate(guesses, truth, repeats=20).parts
    assert [(part.name, part.n_images) for part in archives.parts] == [
        ("ham10000", 40), ("not known", 40),
    ]  # fmt: skip
    assert "different archives" in archives.why


def test_the_fold_of_a_truth_is_not_that_of_a_model() -> None:
    guesses, truth = tables()
    with_fold = truth.assign(fold=guesses["fold"])
    assert evaluate(guesses.drop(columns="fold"), with_fold, repeats=20).parts == ()


def test_a_fold_without_a_melanoma_has_no_auc() -> None:
    guesses, truth = tables()
    truth["melanoma"] &= np.arange(80) < 40
    (folds,) = evaluate(guesses, truth, repeats=20).parts
    assert not math.isnan(folds.parts[0].auc.value)
    assert math.isnan(folds.parts[1].auc.value)
    assert folds.mean_auc == folds.parts[0].auc.value


def test_the_auc_of_a_fold_with_few_melanomas_is_marked_as_rough() -> None:
    found = evaluate(*tables(), repeats=20)  # 10 melanomas in each of two folds
    (folds,) = found.parts
    assert [part.auc.rough for part in folds.parts] == [True, True]
    assert [part["auc"]["rough"] for part in folds.as_dict()["parts"]] == [True, True]
    assert [line.endswith(", rough") for line in folds.as_lines()[1:3]] == [True, True]


def test_folds_are_also_found_under_the_name_cv_fold() -> None:
    guesses, truth = tables()
    found = evaluate(guesses.rename(columns={"fold": "cv_fold"}), truth, repeats=20)
    assert [part.name for part in found.parts[0].parts] == ["0", "1"]
