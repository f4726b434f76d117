"""Melanoma against each diagnosis alone, and which of them are easy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.evaluation import Evaluation, evaluate
from lentigo.evaluation.difficulty import Difficulty, kind_of

WORDS = {"mel": 60, "nv": 120, "bkl": 60, "seborrheic keratosis": 30, "vasc": 40, "df": 3}
GAP = {
    "mel": 2.0,
    "nv": 0.8,
    "bkl": 1.4,
    "seborrheic keratosis": 1.4,
    "vasc": -3.0,
    "df": 0.0,
}


def judged() -> tuple[Evaluation, pd.DataFrame]:
    rng = np.random.default_rng(0)
    dx = np.repeat(list(WORDS), list(WORDS.values()))
    logit = rng.normal(size=len(dx)) + np.array([GAP[word] for word in dx]) - 2
    names = [f"i{number:03}" for number in range(len(dx))]
    table = pd.DataFrame(
        {"image_id": names, "dx": dx, "probability": 1 / (1 + np.exp(-logit))}
    )
    predictions = table[["image_id", "probability"]]
    return evaluate(predictions, table[["image_id", "dx"]], repeats=20), table


def found(evaluation: Evaluation) -> Difficulty:
    assert evaluation.difficulty is not None
    return evaluation.difficulty


def test_each_diagnosis_has_the_auc_of_scikit_learn_against_all_melanomas() -> None:
    evaluation, table = judged()
    ours = {each.name: each for each in found(evaluation).diagnoses}
    for word, name in (("nv", "nevus"), ("vasc", "vascular lesion")):
        rows = table[table["dx"].isin(["mel", word])]
        assert ours[name].auc.value == pytest.approx(
            roc_auc_score(rows["dx"] == "mel", rows["probability"]), abs=1e-12
        )
        assert ours[name].n_images == WORDS[word]


def test_kinds_are_nevus_benign_keratosis_and_the_rest() -> None:
    assert {each.name: each.n_images for each in found(judged()[0]).kinds} == {
        "nevus": 120, "benign keratosis": 90, "all others": 43,
    }  # fmt: skip
    assert kind_of("blue nevus") == "nevus"
    assert kind_of("solar lentigo") == "benign keratosis"
    assert kind_of("UNK") == "all others"


def test_the_whole_auc_is_the_mean_weighed_by_images() -> None:
    evaluation, _ = judged()
    for parts in (found(evaluation).kinds, found(evaluation).diagnoses):
        mean = sum(each.auc.value * each.share for each in parts)
        assert mean == pytest.approx(evaluation["auc"].value, abs=1e-12)


def test_the_hardest_comes_first_and_too_few_come_last() -> None:
    diagnoses = found(judged()[0]).diagnoses
    values = [each.auc.value for each in diagnoses if not each.too_few]
    assert values == sorted(values)
    assert [each.name for each in diagnoses if each.too_few] == ["dermatofibroma"]


def test_easy_images_are_named_and_the_auc_without_them_is_said() -> None:
    evaluation, table = judged()
    assert [each.name for each in found(evaluation).easy] == ["vascular lesion"]
    rest = table[table["dx"] != "vasc"]
    without = found(evaluation).without_easy
    assert without is not None
    assert without.auc.value == pytest.approx(
        roc_auc_score(rest["dx"] == "mel", rest["probability"]), abs=1e-12
    )
    assert "Easy: vascular lesion (40 images, 15.8 % of the others)" in evaluation.as_text()
    assert evaluation.as_dict()["difficulty"]["easy"] == ["vascular lesion"]


def test_one_hot_columns_say_it_too_and_what_none_of_them_fits_is_named() -> None:
    names = [f"i{number:02}" for number in range(60)]
    rng = np.random.default_rng(1)
    predictions = pd.DataFrame({"image_id": names, "probability": rng.random(60)})
    melanoma, keratosis = np.arange(60) < 20, (np.arange(60) >= 20) & (np.arange(60) < 30)
    truth = pd.DataFrame(
        {"image_id": names, "melanoma": melanoma.astype(float),
         "seborrheic_keratosis": keratosis.astype(float)}
    )  # fmt: skip
    difficulty = found(evaluate(predictions, truth, repeats=20))
    assert {each.name: each.n_images for each in difficulty.diagnoses} == {
        "seborrheic keratosis": 10, "none of the named": 30,
    }  # fmt: skip


def test_labels_alone_say_nothing_of_it() -> None:
    names = [f"i{number:02}" for number in range(20)]
    predictions = pd.DataFrame({"image_id": names, "probability": np.linspace(0, 1, 20)})
    truth = pd.DataFrame({"image_id": names, "melanoma": [0, 1] * 10})
    evaluation = evaluate(predictions, truth, repeats=20)
    assert evaluation.difficulty is None
    assert "difficulty" not in evaluation.as_dict()


def test_an_image_without_a_diagnosis_stays_and_is_named_so() -> None:
    _, table = judged()
    rng = np.random.default_rng(2)
    gaps = table[["image_id", "dx"]].assign(target=(table["dx"] == "mel").astype(int))
    gaps.loc[gaps["dx"] == "vasc", "dx"] = None
    predictions = table[["image_id"]].assign(probability=rng.random(len(table)))
    names = [each.name for each in found(evaluate(predictions, gaps, repeats=20)).diagnoses]
    assert "not known" in names
