"""Scores as the organisers compute them: their own scorer, and cases counted by hand."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ColumnError, UnknownNameError
from lentigo.evaluation.official import CHALLENGES, official_scores
from lentigo.evaluation.official_columns import diagnosis_named

NAMES = CHALLENGES["isic2018"].categories
RNG = np.random.default_rng(2)
IMAGES = [f"ISIC_{number:07}" for number in range(200)]


def several(names: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    label = RNG.integers(len(names), size=200)
    label[: len(names)] = range(len(names))
    truth = pd.DataFrame(np.eye(len(names))[label], columns=list(names))
    drawn = RNG.dirichlet(np.ones(len(names)), size=200) + truth.to_numpy() * 0.3
    score = pd.DataFrame(np.minimum(drawn, 1.0).round(2), columns=list(names))
    score.iloc[0] = 0.25  # all tie
    images = pd.DataFrame({"image": IMAGES})
    return pd.concat([images, score], axis=1), pd.concat([images, truth], axis=1)


@pytest.mark.parametrize("challenge", ["isic2018", "isic2019"])
def test_it_is_what_the_official_scorer_says(challenge: str) -> None:
    scoring = pytest.importorskip("isic_challenge_scoring.classification")
    predicted, truth = several(CHALLENGES[challenge].categories)
    found = official_scores(challenge, predicted, truth)
    weights = pd.DataFrame(
        {"score_weight": 1.0, "validation_weight": 1.0}, index=truth["image"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        official = scoring.ClassificationScore(
            truth.set_index("image"), predicted.set_index("image"), weights,
            scoring.ClassificationMetric.BALANCED_ACCURACY,
        )  # fmt: skip
    assert found.score == pytest.approx(official.overall, abs=1e-12)
    ours = found.by_category.drop(columns="partial_auc_80")
    theirs = official.per_category[list(ours)]
    np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), atol=1e-9)


def test_the_published_score_of_isic_2019_comes_out(shared: Path) -> None:
    predicted = shared / "data/predictions/isic2019_test/deit3.csv"
    truth = shared / "data/isic2019/ISIC_2019_Test_GroundTruth.csv"
    found = official_scores("isic2019", predicted, truth)
    assert found.by_category.loc["MEL", "auc"] == pytest.approx(0.92544, abs=1e-4)
    assert found.score == pytest.approx(0.5163083732966471, abs=1e-3)
    both = any("ISIC_0035068" in note for note in found.notes)
    assert both or found.score == pytest.approx(0.5163083732966471, abs=1e-6)


def test_the_two_diagnoses_of_2017_count_alike() -> None:
    truth = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "melanoma": [1.0, 0.0, 0.0, 0.0],
            "seborrheic_keratosis": [0.0, 1.0, 0.0, 0.0],
        }
    )
    predicted = truth.assign(
        melanoma=[0.5, 0.6, 0.2, 0.1], seborrheic_keratosis=[0.1, 0.9, 0.8, 0.3]
    )
    found = official_scores("isic2017", predicted, truth)
    assert found.score == pytest.approx((2 / 3 + 1) / 2)
    # 0.5 is not above 0.5: nobody who has a melanoma is called.
    assert found.by_category.loc["melanoma", "sensitivity"] == 0


BINARY = pd.DataFrame({"image_id": list("abcdef"), "target": [1, 1, 0, 0, 0, 0]})
SCORES = pd.DataFrame({"image_id": list("abcdef"), "p": [0.9, 0.3, 0.8, 0.2, 0.1, 0.1]})
SCORES = SCORES.rename(columns={"p": "probability"})


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        ("siim2020", 7 / 8),
        ("isic2016", (1 + 2 / 3) / 2),
        # Above 80 % lie 0.2 of height; the last melanoma is found after 1 of 4 alarms.
        ("isic2024", 0.2 * 3 / 4),
    ],
)
def test_what_decides_each_binary_challenge(challenge: str, expected: float) -> None:
    found = official_scores(challenge, SCORES, BINARY)
    assert found.score == pytest.approx(expected)
    assert math.isnan(found.balanced_accuracy)


def test_what_is_undefined_is_a_gift_as_the_organisers_have_it() -> None:
    shy = SCORES.assign(probability=SCORES["probability"] / 2)
    found = official_scores("siim2020", shy, BINARY)
    assert found.by_category.loc["melanoma", "ppv"] == 1.0


def test_what_the_organisers_would_refuse_is_said() -> None:
    found = official_scores("siim2020", SCORES.head(5), BINARY)
    assert found.notes == ("The organisers would refuse this: 1 image left out.",)
    with pytest.raises(UnknownNameError, match="isic2019"):
        official_scores("isic2091", SCORES, BINARY)
    with pytest.raises(ColumnError, match="predictions have no column NV") as refused:
        official_scores("isic2018", SCORES, BINARY)
    there = set(str(refused.value).partition("there is ")[2].strip(".").split(", "))
    assert not there & (set(BINARY) - set(SCORES))  # columns of the truth are not named


def test_the_command_tells_the_official_score(tmp_path: Path) -> None:
    BINARY.to_csv(tmp_path / "t.csv", index=False)
    SCORES.to_csv(tmp_path / "p.csv", index=False)
    words = f"evaluate {tmp_path}/p.csv --truth {tmp_path}/t.csv --challenge siim2020"
    more = f"--challenge isic2016 --out {tmp_path}/o --repeats 20"
    done = CliRunner().invoke(app, [*words.split(), *more.split()])
    assert done.exit_code == 0, done.output
    assert "As siim2020 scores, AUC: 0.875000" in done.output
    assert "As isic2016 scores" in done.output
    known = json.loads((tmp_path / "o" / "evaluation.json").read_text())
    assert [each["challenge"] for each in known["official"]] == ["siim2020", "isic2016"]


@pytest.mark.parametrize("name", ["target", "malignant"])
def test_isic_2024_asks_whether_a_lesion_is_malignant(name: str) -> None:
    scores = pd.DataFrame({"isic_id": list("abcd"), "target": [0.1, 0.2, 0.6, 0.9]})
    truth = pd.DataFrame(
        {
            "isic_id": list("abcd"),
            "diagnosis": ["nevus", "melanoma", "nevus", "basal cell carcinoma"],
            name: [0, 1, 0, 1],
        }
    )
    found = official_scores("isic2024", scores, truth)
    assert found.by_category.loc["malignant", "auc"] == 3 / 4  # of melanoma it is 1 / 3
    without = official_scores("isic2024", scores, truth.drop(columns=name))
    assert without.by_category.loc["malignant", "auc"] == pytest.approx(1 / 3)
    assert "melanoma stands for it" in without.notes[0]


def test_a_diagnosis_without_a_number_is_refused() -> None:
    names = CHALLENGES["isic2017"].categories
    scores, truth = several(names)
    scores.loc[3, names[1]] = np.nan
    with pytest.raises(ColumnError, match=f"1 row of the column {names[1]} holds no"):
        official_scores("isic2017", scores, truth)


def as_predicted(challenge: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Predictions as `predict` writes them, a table of words, and the same as 0 and 1."""
    names = CHALLENGES[challenge].categories
    scores, hot = several(names)
    ours = [f"probability_{diagnosis_named(name).replace(' ', '_')}" for name in names]
    scores = scores.set_axis(["image_id", *ours], axis=1)
    scores["image_id"] = "isic2017:" + scores["image_id"]
    scores["probability"] = scores["probability_melanoma"]
    words = hot[list(names)].idxmax(axis=1).map(diagnosis_named)
    truth = pd.DataFrame({"image_id": scores["image_id"], "diagnosis": words})
    return scores, truth.assign(melanoma=words == "melanoma"), hot


@pytest.mark.parametrize("challenge", ["isic2017", "isic2018"])
def test_predictions_of_ours_are_scored_as_the_organisers_columns_are(
    challenge: str,
) -> None:
    scoring = pytest.importorskip("isic_challenge_scoring.classification")
    names = CHALLENGES[challenge].categories
    predicted, words, hot = as_predicted(challenge)
    found = official_scores(challenge, predicted, words)
    weights = pd.DataFrame(
        {"score_weight": 1.0, "validation_weight": 1.0}, index=hot["image"]
    )
    columns = predicted.filter(like="probability_").set_axis(list(names), axis=1)
    metric = {
        "isic2017": scoring.ClassificationMetric.AUC,
        "isic2018": scoring.ClassificationMetric.BALANCED_ACCURACY,
    }[challenge]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        official = scoring.ClassificationScore(
            hot.set_index("image"), columns.set_index(hot["image"]), weights, metric
        )
    assert found.score == pytest.approx(official.overall, abs=1e-12)
    theirs = official.per_category
    ours = found.by_category[list(theirs)]
    np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), atol=1e-9)
    # The organisers' own table names the images without their archive.
    hot = hot.rename(columns={"MEL": "melanoma"})
    again = official_scores(challenge, predicted, hot)
    assert again.score == pytest.approx(found.score, abs=1e-12)


def test_a_diagnosis_that_leaves_the_category_open_is_refused() -> None:
    predicted, words, _ = as_predicted("isic2017")
    kept = words["diagnosis"].where(words["melanoma"], "benign keratosis")
    with pytest.raises(ColumnError, match=r"leave it open: benign keratosis \("):
        official_scores("isic2017", predicted, words.assign(diagnosis=kept))


def test_images_of_no_diagnosis_of_the_challenge_are_counted() -> None:
    predicted, words, _ = as_predicted("isic2018")
    last = words.index == words.index[-1]
    words = words.assign(
        diagnosis=words["diagnosis"].mask(last, "squamous cell carcinoma"),
        melanoma=words["melanoma"] & ~last,
    )
    (note,) = official_scores("isic2018", predicted, words).notes
    assert note.startswith("1 image is of none of the diagnoses of this challenge")
