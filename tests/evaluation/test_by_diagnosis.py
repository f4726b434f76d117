"""Several diagnoses at once, against scikit-learn and the official scorer's figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    precision_score,
    recall_score,
    roc_auc_score,
    top_k_accuracy_score,
)

from lentigo.evaluation import evaluate
from lentigo.evaluation.by_diagnosis import by_diagnosis, mean_auc, mean_recall
from lentigo.evaluation.multiclass import Diagnoses, among_likeliest
from lentigo.tables import diagnosis_column

NAMES = ("MEL", "NV", "BCC", "DF")


def drawn(images: int = 400) -> Diagnoses:
    rng = np.random.default_rng(0)
    truth = rng.choice(4, p=[0.2, 0.5, 0.2, 0.1], size=images)
    score = rng.dirichlet(np.ones(4), size=images)
    score[np.arange(images), truth] += 0.2 * rng.random(images)
    score /= score.sum(axis=1, keepdims=True)
    return Diagnoses(NAMES, truth, score.argmax(axis=1), score=score)


def test_each_diagnosis_is_judged_as_by_scikit_learn() -> None:
    known = drawn()
    found = by_diagnosis(known, np.arange(400))
    assert known.score is not None
    recall = recall_score(known.truth, known.called, average=None)
    precision = precision_score(known.truth, known.called, average=None)
    for place, each in enumerate(found):
        auc = roc_auc_score(known.truth == place, known.score[:, place])
        assert each.name == NAMES[place]
        assert each.auc.value == pytest.approx(auc, abs=1e-12)
        assert each.recall.value == pytest.approx(recall[place], abs=1e-12)
        assert each.precision.value == pytest.approx(precision[place], abs=1e-12)
        assert each.auc.low < auc < each.auc.high


def test_means_over_diagnoses_are_those_of_scikit_learn() -> None:
    known = drawn()
    group = np.arange(400) // 2
    auc, recall = mean_auc(known, group), mean_recall(known, group)
    assert auc.value == pytest.approx(
        roc_auc_score(known.truth, known.score, multi_class="ovr", average="macro"),
        abs=1e-12,
    )
    assert recall.value == pytest.approx(
        balanced_accuracy_score(known.truth, known.called), abs=1e-12
    )
    for each in (auc, recall):
        assert each.low < each.value < each.high


@pytest.mark.parametrize("number", [1, 2, 3])
def test_top_k_is_that_of_scikit_learn(number: int) -> None:
    known = drawn()
    assert known.score is not None
    ours = among_likeliest(known.score, known.truth, number).mean()
    assert ours == pytest.approx(
        top_k_accuracy_score(known.truth, known.score, k=number), abs=1e-12
    )


def test_a_tie_for_the_last_place_does_not_count() -> None:
    score = np.array([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]])
    assert among_likeliest(score, np.array([0, 1]), 2).tolist() == [True, False]


def test_a_diagnosis_that_nobody_has_is_left_out_of_the_means() -> None:
    known = drawn()
    group = np.arange(400)
    assert known.score is not None
    more = Diagnoses(
        (*NAMES, "SCC"), known.truth, known.called,
        score=np.column_stack([known.score, np.zeros(400)]),
    )  # fmt: skip
    assert len(by_diagnosis(more, group)) == 4
    assert mean_auc(more, group) == mean_auc(known, group)
    assert mean_recall(more, group) == mean_recall(known, group)


def test_a_rare_diagnosis_makes_the_means_rough() -> None:
    group = np.arange(60)
    assert mean_auc(drawn(60), group).rough
    assert not mean_auc(drawn(), np.arange(400)).rough


def test_a_column_of_words_does_as_well_as_columns_of_0_and_1() -> None:
    known = drawn()
    assert known.score is not None
    names = [f"i{number:03}" for number in range(400)]
    predictions = pd.DataFrame(known.score, columns=[f"p_{n.lower()}" for n in NAMES])
    predictions = predictions.assign(image_id=names, probability=known.score[:, 0])
    words = np.array(["melanoma", "nevus", "basal cell carcinoma", "dermatofibroma"])
    truth = pd.DataFrame({"image_id": names, "diagnosis": words[known.truth]})
    by_words = evaluate(predictions, truth, repeats=20)
    hot = pd.DataFrame(np.eye(4)[known.truth], columns=NAMES).assign(image_id=names)
    by_columns = evaluate(predictions, hot, repeats=20)
    for name in ("multiclass_balanced_accuracy", "multiclass_auc", "top_2_accuracy"):
        assert by_words[name].value == pytest.approx(by_columns[name].value, abs=1e-12)
    for most in (2, 3):
        rank = (known.score > known.score[np.arange(400), known.truth][:, None]).sum(axis=1)
        assert by_words[f"top_{most}_accuracy"].value == pytest.approx((rank < most).mean())
    other = truth.assign(diagnosis=truth["diagnosis"].mask(truth.index < 5, "scar"))
    found = evaluate(predictions, other, repeats=20)
    assert any("5 images of another diagnosis (scar)" in note for note in found.notes)


def test_the_columns_of_lentigos_own_predictions_are_taken_and_a_kind_of_nevus_is_one() -> (
    None
):
    known = drawn()
    assert known.score is not None
    names = [f"i{number:03}" for number in range(400)]
    words = np.array(["melanoma", "nevus", "basal cell carcinoma", "dermatofibroma"])
    columns = [diagnosis_column(word) for word in words]
    predictions = pd.DataFrame(known.score, columns=columns)
    predictions = predictions.assign(image_id=names, probability=known.score[:, 0])
    kinds = np.where(np.arange(400) % 2, "nevus", "blue nevus")
    truth = pd.DataFrame({"image_id": names, "diagnosis": words[known.truth]})
    truth["diagnosis"] = truth["diagnosis"].mask(known.truth == 1, pd.Series(kinds))
    found = evaluate(predictions, truth, repeats=20)
    want = balanced_accuracy_score(known.truth, known.called)
    assert found["multiclass_balanced_accuracy"].value == pytest.approx(want, abs=1e-12)


OFFICIAL = {
    "MEL": 0.9254571915586010,
    "NV": 0.9519025008793522,
    "BCC": 0.9283013085326497,
    "AK": 0.9125787806017623,
    "BKL": 0.8921006954859403,
    "DF": 0.9439703434302010,
    "VASC": 0.8906615025205952,
    "SCC": 0.9335600804877318,
    "UNK": 0.5992494631412217,
}
"""AUCs of isic-challenge-scoring 5.6.0, which leaves out ISIC_0035068."""


def test_the_challenge_network_scores_as_the_official_scorer_says(shared: Path) -> None:
    data = shared / "data"
    truth = pd.read_csv(data / "isic2019/ISIC_2019_Test_GroundTruth.csv")
    found = evaluate(
        data / "predictions/isic2019_test/deit3.csv",
        truth[truth["image"] != "ISIC_0035068"],
        repeats=20,
    )
    assert {each.name: each.auc.value for each in found.by_diagnosis} == pytest.approx(
        OFFICIAL, abs=1e-9
    )
    assert found["multiclass_auc"].value == pytest.approx(0.8864202074042284, abs=1e-9)
    balanced = found["multiclass_balanced_accuracy"].value
    assert balanced == pytest.approx(0.5163496391126059, abs=1e-9)
