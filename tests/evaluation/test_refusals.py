"""What was refused is counted, with its reason, whether or not it has a probability."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.evaluation import evaluate
from lentigo.evaluation.refusals import NOT_SAID, Refusals, reason_in_words, refusals_of

TWENTY = pd.DataFrame(
    {
        "image_id": [f"i{n}" for n in range(20)],
        "patient_id": [f"p{n // 2}" for n in range(20)],
        "melanoma": [n % 4 == 0 for n in range(20)],
        "dataset": ["a"] * 12 + ["b"] * 8,
    }
)
BLURRED = "shown, but should not be answered: too blurred to judge (1.80 times the limit)"
STRANGE = "shown, but should not be answered: looks like nothing (2.0 times the limit); x"


def predictions() -> pd.DataFrame:
    """Four images are refused: one melanoma among them, ranked lowest."""
    rng = np.random.default_rng(0)
    score = np.clip(0.3 + 0.3 * TWENTY["melanoma"] + 0.2 * rng.normal(size=20), 0, 1)
    score[0] = 0.0
    refused = np.isin(np.arange(20), [0, 1, 2, 15])
    reasons = {0: BLURRED, 1: BLURRED, 2: STRANGE, 15: BLURRED}
    return pd.DataFrame(
        {
            "image_id": TWENTY["image_id"],
            "probability": score,
            "abstain": np.where(refused, "yes", "no"),
            "strangeness": np.where(refused, 1.5, 0.5) + np.arange(20) / 100,
            "reason": [reasons.get(n, "") for n in range(20)],
        }
    )


def found(table: pd.DataFrame, truth: pd.DataFrame = TWENTY) -> Refusals:
    refusals = evaluate(table, truth, repeats=20).refusals
    assert refusals is not None
    return refusals


def test_four_of_twenty_are_counted_with_their_reasons() -> None:
    told = predictions()
    refusals = found(told)
    whole, a, b = refusals.rows
    assert (whole.n_images, whole.n_refused, whole.n_melanomas_refused) == (20, 4, 1)
    assert whole.share.value == 4 / 20
    assert whole.share.low < 0.2 < whole.share.high
    assert [(row.name, row.n_images, row.n_refused) for row in (a, b)] == [
        ("a", 12, 3),
        ("b", 8, 1),
    ]
    assert refusals.reasons == {"too blurred to judge": 3, "looks like nothing": 1}
    answered = told["abstain"] == "no"
    truth, score = TWENTY["melanoma"], told["probability"]
    assert whole.auc_all.value == pytest.approx(roc_auc_score(truth, score))
    assert whole.auc_answered.value == pytest.approx(
        roc_auc_score(truth[answered], score[answered])
    )
    assert whole.gain.value == pytest.approx(whole.auc_answered.value - whole.auc_all.value)
    assert refusals.curve is not None
    assert refusals.curve.risk[-1] == pytest.approx(np.mean((score - truth) ** 2))
    assert refusals.sentence.startswith("Of 20 images, 4 are too strange to be answered")


def test_a_lesion_with_many_images_counts_once_beside_its_images() -> None:
    # Of 6 images 3 are refused; of 4 lesions one whole and half of another: 1.5 of 4.
    table = pd.DataFrame(
        {
            "melanoma": [True, True, False, False, False, False],
            "probability": [0.9, 0.8, 0.3, 0.2, 0.4, 0.1],
            "group": ["a", "a", "b", "b", "c", "d"],
            "abstain": ["yes", "yes", "yes", "no", "no", "no"],
        }
    )
    refusals = refusals_of(table, seed=0)
    assert refusals is not None
    (whole,) = refusals.rows
    assert (whole.share.value, whole.group_share.value) == (3 / 6, 1.5 / 4)
    assert "; each group counting once 37.5 %" in refusals.sentence


def test_without_a_probability_they_are_counted_all_the_same() -> None:
    told = predictions()
    told.loc[told["abstain"] == "yes", "probability"] = np.nan
    refusals = found(told)
    whole = refusals.rows[0]
    assert (whole.n_images, whole.n_refused) == (20, 4)
    assert math.isnan(whole.auc_all.value)
    assert not math.isnan(whole.auc_answered.value)
    assert refusals.curve is None
    assert "--no-abstain" in refusals.sentence


def test_a_file_that_cannot_be_read_is_not_refused() -> None:
    told = predictions()
    told.loc[3, ["probability", "strangeness"]] = np.nan
    told.loc[3, "abstain"] = ""
    whole = found(told).rows[0]
    assert (whole.n_images, whole.n_refused) == (19, 4)


def test_what_too_few_groups_left_unknown_is_told() -> None:
    told = predictions()
    told.loc[16:, "abstain"] = ""
    refusals = found(told)
    assert (refusals.rows[0].n_images, refusals.unknown) == (16, 4)
    assert "Of 4 other images it is not known" in refusals.sentence


def test_where_nothing_is_refused_nothing_is_gained() -> None:
    whole = found(predictions().assign(abstain="no")).rows[0]
    assert (whole.gain.value, whole.share.value) == (0, 0)
    assert whole.auc_all == whole.auc_answered


@pytest.mark.parametrize("told", [None, "", "whatever"])
def test_a_table_that_tells_nothing_has_no_refusals(told: str | None) -> None:
    table = predictions().drop(columns="abstain")
    if told is not None:
        table["abstain"] = told
    evaluation = evaluate(table, TWENTY, repeats=20)
    assert evaluation.refusals is None
    assert "refusals" not in evaluation.as_dict()


def test_booleans_of_others_are_understood() -> None:
    told = predictions()
    assert found(told.assign(abstain=told["abstain"] == "yes")).rows[0].n_refused == 4


def test_they_stand_in_text_and_json() -> None:
    evaluation = evaluate(predictions(), TWENTY, repeats=20)
    assert "3: too blurred to judge" in evaluation.as_text()
    rows = evaluation.as_dict()["refusals"]["rows"]
    assert [row["n_refused"] for row in rows] == [4, 3, 1]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not answered: too dark to judge (1.20 times the limit)", "too dark to judge"),
        (STRANGE, "looks like nothing"),
        ("", NOT_SAID),
        ("somebody's own words", "somebody's own words"),
    ],
)
def test_a_reason_is_its_words(reason: str, words: str) -> None:
    assert reason_in_words(reason) == words
