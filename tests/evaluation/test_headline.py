"""The first sentence says what cannot be said, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import evaluate
from lentigo.evaluation.headline import Counts, headline, left_out, too_few

COUNTS = Counts(
    images=98, melanomas=20, groups=50, unit="patient", melanoma_groups=15,
    other_groups=40, named=100, left_out={"without a label": 2},
)  # fmt: skip


def test_a_plain_headline() -> None:
    assert headline(COUNTS, "0.9000 (95 % interval 0.8000–0.9500)", high=0.95) == [
        "On 98 images of 50 patients, 20 melanomas among them (20.4 %), the AUC is 0.9000 "
        "(95 % interval 0.8000–0.9500)."
    ]


def test_what_is_left_out_is_in_the_sentence_from_over_two_per_cent() -> None:
    assert left_out(COUNTS) == ""
    lost = {"without a label": 2, "without a prediction": 1}
    more = replace(COUNTS, images=97, left_out=lost)
    (sentence,) = headline(more, "0.9", high=0.95)
    assert sentence.endswith(
        "the AUC is 0.9; 3 of 100 images (3.0 %) are left out: 2 without a label, "
        "1 without a prediction."
    )


def test_melanomas_that_are_left_out_are_named() -> None:
    """2 of 100 images would not be worth saying; that both are melanomas is."""
    named = left_out(replace(COUNTS, melanomas_left_out=2))
    assert named == (
        "2 of 100 images (2.0 %) are left out: 2 without a label; 2 melanomas among them"
    )
    truth = pd.DataFrame({"image_id": list("abcdefghij"), "melanoma": [True, False] * 5})
    answers = truth.assign(probability=np.linspace(0.1, 0.9, 10)).drop(columns="melanoma")
    answers.loc[2, "probability"] = np.nan
    found = evaluate(answers.drop(index=[0, 1]), truth, repeats=20)
    assert "1 without a probability; 2 melanomas among them." in found.headline[0]
    assert found.as_dict()["n_melanomas_left_out"] == 2


def test_lost_melanomas_are_compared_with_those_of_the_whole_table() -> None:
    """2 of 200 melanomas of a table are few, though only 20 of them are held out."""
    of_table = replace(COUNTS, melanomas_left_out=2, melanomas_named=200)
    assert left_out(of_table) == ""
    assert left_out(replace(of_table, melanomas_named=99)).endswith(
        "2 melanomas among them"
    )


@pytest.mark.parametrize(
    ("changes", "few"),
    [
        ({"melanomas": 4}, True),
        ({"melanomas": 5}, False),
        ({"melanomas": 94}, True),  # 4 others
        ({"melanomas": 0, "melanoma_groups": 0}, True),
        ({"melanoma_groups": 4}, True),  # 20 images of 4 patients
        ({"other_groups": 4}, True),
    ],
)
def test_with_few_melanomas_nothing_can_be_said(changes: dict[str, int], few: bool) -> None:
    counts = replace(COUNTS, **changes)  # type: ignore[arg-type]
    assert ("nothing can be said" in too_few(counts)) == few
    assert ("the AUC is" in headline(counts, "0.9", high=0.95)[0]) != few


def test_one_patient_is_no_plural() -> None:
    said = too_few(replace(COUNTS, melanoma_groups=1, unit="patient"))
    assert "the melanomas are of 1 patient, the other images of" in said


def test_an_auc_below_chance_asks_for_the_labels() -> None:
    assert "the wrong way round?" in headline(COUNTS, "0.2", high=0.3)[1]
    assert len(headline(COUNTS, "0.45", high=0.55)) == 1
    assert len(headline(replace(COUNTS, melanomas=2), "0.2", high=0.3)) == 1


def test_single_images_are_told_in_the_headline() -> None:
    sentences = headline(replace(COUNTS, unit="image", groups=98), "0.9", high=0.95)
    assert sentences[1].startswith("Each image counted as its own patient: intervals are")


def test_text_and_json_of_an_evaluation_begin_with_it() -> None:
    truth = pd.DataFrame({"image_id": list("abcdefgh"), "target": [1, 0] * 4})
    guesses = pd.DataFrame(
        {"image_id": list("abcdefgh"), "probability": np.linspace(0.1, 0.9, 8)}
    )
    found = evaluate(guesses.iloc[:6], truth, repeats=10)
    first = (
        "On 6 images, 3 melanomas among them (50.0 %): nothing can be said about how well "
        "melanoma is told apart, which takes at least 5 melanomas and 5 other images; "
        "2 of 8 images (25.0 %) are left out: 2 without a prediction; "
        "1 melanoma among them."
    )
    assert found.as_text().splitlines()[0] == first
    assert found.as_dict()["headline"][0] == first
    assert found.as_dict()["left_out"] == {"without a prediction": 2}
