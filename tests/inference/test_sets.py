"""Sets are set by group, said before any share is asked for, and judged by class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import evaluate
from lentigo.inference.sets import fit_sets, with_sets
from lentigo.models.conformal import ConformalSets


def test_nine_groups_of_each_class_set_their_lowest() -> None:
    score = np.r_[np.arange(1, 10) / 10, np.arange(1, 10) / 20]
    truth = np.arange(18) < 9
    found = fit_sets(truth, score, [str(n) for n in range(18)], set_on="validation images")
    assert found is not None
    assert found.melanoma == 0.1  # (9 + 1) · 0.1 = 1: none of nine lies below
    assert found.not_melanoma == pytest.approx(1 - 9 / 20)
    assert (found.n_images, found.n_melanoma_groups, found.n_other_groups) == (18, 9, 9)


def test_without_an_image_there_are_none() -> None:
    nothing = np.empty(0)
    assert fit_sets(nothing.astype(bool), nothing, [], set_on="") is None


def test_the_column_stands_before_the_reason() -> None:
    table = pd.DataFrame({"image_id": ["a", "b"], "logit": [3.0, np.nan], "reason": ""})
    told = with_sets(table, ConformalSets(melanoma=0.5, not_melanoma=0.5))
    assert list(told) == ["image_id", "logit", "could_be", "reason"]
    assert told["could_be"].tolist() == ["melanoma", ""]
    assert with_sets(table, None) is table


def test_what_they_hold_is_counted_by_class_and_group() -> None:
    truth = pd.DataFrame(
        {
            "image_id": list("abcdefgh"),
            "patient_id": list("ppqrstuv"),
            "melanoma": [True] * 4 + [False] * 4,
        }
    )
    words = ["melanoma", "not melanoma", "melanoma or not", "melanoma"]
    words += ["not melanoma", "not melanoma", "melanoma or not", "melanoma"]
    predictions = truth[["image_id"]].assign(
        probability=np.linspace(0.9, 0.1, 8), could_be=words
    )
    found = evaluate(predictions, truth, repeats=20)
    assert found.set_coverage is not None
    melanomas, others = found.set_coverage.rows
    assert (melanomas.n_images, melanomas.n_groups) == (4, 3)
    assert melanomas.held.value == pytest.approx((0.5 + 1 + 1) / 3)
    assert melanomas.held_images.value == 3 / 4
    assert melanomas.undecided.value == 1 / 4
    assert others.held.value == 3 / 4
    assert found.as_dict()["sets"]["rows"][0]["n_groups"] == 3
    assert "Sets that promise 90 %" in found.as_text()


def test_sets_in_other_words_say_nothing() -> None:
    truth = pd.DataFrame({"image_id": ["a", "b"], "melanoma": [True, False]})
    told = truth[["image_id"]].assign(probability=[0.2, 0.1], could_be=["x", "y"])
    assert evaluate(told, truth, repeats=20).set_coverage is None
