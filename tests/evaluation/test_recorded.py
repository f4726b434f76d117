"""Every number and sentence of an evaluation is that of the record.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import Evaluation, compare, evaluate
from lentigo.evaluation.official import CHALLENGES, official_scores
from lentigo.evaluation.planning import plan_study
from lentigo.json_files import to_json
from lentigo.models.operating_point import OperatingPoint
from tests.evaluation.test_nested import tables as nested_tables
from tests.figures import given
from tests.record import as_lines, check_recorded

NAMES = ("MEL", "NV", "BCC", "BKL")


def several(count: int = 160) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images of eighty patients with probabilities of four diagnoses, and the truth."""
    rng = np.random.default_rng(12)
    label = np.r_[0:4, rng.choice(4, size=count - 4, p=[0.3, 0.4, 0.2, 0.1])]
    share = rng.dirichlet(np.ones(4), size=count) + 0.4 * np.eye(4)[label]
    share /= share.sum(axis=1, keepdims=True)
    images = pd.DataFrame({"image_id": [f"i{number:03}" for number in range(count)]})
    guesses = images.assign(**{f"p_{n}": share[:, k] for k, n in enumerate(NAMES)})
    truth = images.assign(
        **{n: (label == k).astype(int) for k, n in enumerate(NAMES)},
        patient_id=[f"p{number // 2}" for number in range(count)],
    )
    return guesses, truth


def of_diagnoses() -> Evaluation:
    return evaluate(*several(), repeats=40, threshold=0.3)


def at_another_share() -> Evaluation:
    """Judged at 2 % melanomas and at chosen points, and at one of the model's own."""
    point = OperatingPoint(
        name="own", kind="youden", threshold=0.35, chosen_on="validation images"
    )
    guesses, chosen = given.predicted(1.5, 2), given.predicted(1.5, 9)
    return evaluate(
        guesses, given.truth(), repeats=40, prevalence=0.02, points=[point],
        choose_on=chosen, group="patient_id",
    )  # fmt: skip


def of_folds() -> Evaluation:
    """Five folds, each with sets of answers, and thirty images that are not answered."""
    rng = np.random.default_rng(4)
    own = given.predicted(1.5, 2)
    said = np.select(
        [own["probability"] > 0.5, own["probability"] < 0.2],
        ["melanoma", "not melanoma"], "melanoma or not",
    )  # fmt: skip
    own = own.assign(fold=np.arange(given.ROWS) // 2 % 5, could_be=said)
    own.loc[rng.choice(given.ROWS, 12, replace=False), "probability"] = np.nan
    return evaluate(own, given.truth(), repeats=40, by="site*dataset")


def of_few() -> Evaluation:
    """Four melanomas: nothing is told of differences."""
    few = (
        given.truth()
        .drop(columns="diagnosis")
        .iloc[:40]
        .assign(melanoma=[True] * 4 + [False] * 36)
    )
    return evaluate(given.predicted(1, 2), few, repeats=40, by="site")


def of_one_class() -> Evaluation:
    alone = given.truth().drop(columns="diagnosis").assign(melanoma=False)
    return evaluate(given.predicted(1, 2), alone, repeats=20)


JUDGED: dict[str, Callable[[], Any]] = {
    "by-site": given.judged,
    "repeated": given.repeated,
    "nested": lambda: evaluate(*nested_tables(2), repeats=20),
    "diagnoses": of_diagnoses,
    "another-share": at_another_share,
    "folds": of_folds,
    "few": of_few,
    "one-class": of_one_class,
    "contest": given.contest,
    "two": lambda: compare(
        given.predicted(0.5, 1), given.predicted(1.5, 2), given.truth(), repeats=40
    ),
    "readers": lambda: given.study(1),
    "readers-twice": lambda: given.study(2),
    "plan": lambda: plan_study(
        given.predicted(1.5, 2), given.truth(), against=given.predicted(0.9, 3),
        widths=(0.1, 0.05), threshold=0.3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JUDGED)
def test_numbers_and_words_of_a_result(name: str) -> None:
    found = JUDGED[name]()
    lines = "\n".join(as_lines(found.as_dict()))
    assert to_json(found.as_dict())
    check_recorded(f"evaluation/{name}", f"{lines}\n\n{found.as_text()}\n")


def test_numbers_of_a_drift() -> None:
    found = given.moved()
    check_recorded("evaluation/drift", "\n".join(as_lines(found.as_dict())) + "\n")


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_scores_of_a_challenge(challenge: str) -> None:
    rng = np.random.default_rng(3)
    names = CHALLENGES[challenge].categories
    label = np.r_[0 : max(len(names), 2), rng.integers(max(len(names), 2), size=90)]
    hot = np.eye(max(len(names), 2))[label][:, : len(names)]
    score = np.clip(0.3 * hot + 0.7 * rng.random(hot.shape), 0, 1).round(2)
    images = pd.DataFrame({"image": [f"ISIC_{n:07}" for n in range(len(label))]})
    said = ["probability"] if len(names) == 1 else names
    guesses = images.assign(**dict(zip(said, score.T, strict=True)))
    truth = images.assign(**dict(zip(names, hot.T, strict=True)))
    found = official_scores(challenge, guesses, truth).as_dict()
    check_recorded(f"evaluation/{challenge}", "\n".join(as_lines(found)) + "\n")
