"""Nested cross-validation: the interval of Bates, Hastie & Tibshirani."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError
from lentigo.evaluation import evaluate
from lentigo.evaluation.json_schema import evaluation_schema
from lentigo.evaluation.nested import Block, nested_loss
from lentigo.json_files import to_json

jsonschema = pytest.importorskip("jsonschema")

IMAGES, FOLDS = 60, 5


def tables(repeats: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty images in five folds: each is predicted without its fold, and without two."""
    rng = np.random.default_rng(3)
    names = [f"I{number:02}" for number in range(IMAGES)]
    melanoma = np.arange(IMAGES) % 3 == 0
    rows = []
    for repeat in range(repeats):
        fold = rng.permutation(IMAGES) % FOLDS
        for outer in range(FOLDS):
            score = 0.4 + 0.2 * melanoma + rng.normal(scale=0.15, size=IMAGES)
            rows += [
                (name, value, repeat, outer, None if mine == outer else mine)
                for name, value, mine in zip(names, score.clip(0, 1), fold, strict=True)
            ]
    columns = ["image_id", "probability", "repeat", "outer_fold", "inner_fold"]
    guesses = pd.DataFrame(rows, columns=columns)
    truth = pd.DataFrame({"image_id": names, "melanoma": melanoma, "patient_id": names})
    return guesses, truth


def by_hand(guesses: pd.DataFrame, truth: pd.DataFrame) -> tuple[float, float, float]:
    """Algorithm 1 of the paper for the squared error, line by line, image by image."""
    label = truth.set_index("image_id")["melanoma"]
    squares: list[float] = []
    within: list[float] = []
    inner: list[float] = []
    outer: list[float] = []
    for _, rows in guesses.groupby(["repeat", "outer_fold"]):
        error = ((rows["probability"] - rows["image_id"].map(label)) ** 2).to_numpy(float)
        own = rows["inner_fold"].isna().to_numpy()
        held, others = error[own], error[~own]
        squares.append(float((others.mean() - held.mean()) ** 2))
        within.append(float(held.var(ddof=1)) / len(held))
        inner += others.tolist()
        outer += held.tolist()
    mse = (FOLDS - 1) / FOLDS * float(np.mean(squares) - np.mean(within))
    plain = float(np.std(outer[:IMAGES], ddof=1)) / math.sqrt(IMAGES)
    wide = min(max(math.sqrt(max(mse, 0.0)), plain), math.sqrt(FOLDS) * plain)
    middle = float(np.mean(inner))
    shift = (1 + ((FOLDS - 2) / (FOLDS - 1)) ** 1.5) * (middle - float(np.mean(outer)))
    return middle - shift, wide, plain


@pytest.mark.parametrize("repeats", [1, 3])
def test_it_is_the_algorithm_of_the_paper(repeats: int) -> None:
    guesses, truth = tables(repeats)
    found = evaluate(guesses, truth, repeats=20).nested
    assert found is not None
    assert (found.folds, found.repeats) == (FOLDS, repeats)
    value, error, plain = by_hand(guesses, truth)
    [brier, log_loss, wrong] = found.losses
    assert [each.name for each in found.losses] == ["brier", "log_loss", "error_rate"]
    assert brier.nested.value == pytest.approx(value)
    assert brier.nested.high - brier.nested.value == pytest.approx(1.959964 * error)
    assert brier.inflation == pytest.approx(error / plain)
    assert all(1 <= each.inflation <= math.sqrt(FOLDS) for each in (log_loss, wrong))


def test_four_images_in_folds_that_can_be_counted() -> None:
    """Three folds of two; the outer losses are 0 or 1, the inner ones a half."""
    blocks = [
        Block(np.array(outer), np.array([2 * place, 2 * place + 1]), np.full(4, 0.5))
        for place, outer in enumerate([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    ]
    found = nested_loss("error_rate", blocks)
    assert found.plain.value == 0.5
    assert found.nested.value == 0.5
    # Squares 1/4, 1/4 and 0; within 0, 0 and 1/4: (1/6 − 1/12) · 2/3 = 1/18.
    # Plain: six losses with a standard deviation of √0.3, so a variance of 1/20.
    assert found.inflation == pytest.approx(math.sqrt((1 / 18) / (1 / 20)))


def test_groups_are_the_unit() -> None:
    """Two images of each patient with one loss count as one image."""
    single = [
        Block(np.array([0.0, 1.0]), np.array([2 * place, 2 * place + 1]), np.full(4, 0.4))
        for place in range(3)
    ]
    double = [
        Block(np.repeat(b.outer, 2), np.repeat(b.outer_group, 2), b.inner) for b in single
    ]
    one, two = nested_loss("brier", single), nested_loss("brier", double)
    assert one.nested == two.nested
    assert one.plain == two.plain


def test_all_else_is_that_of_the_outer_folds() -> None:
    guesses, truth = tables()
    found = evaluate(guesses, truth, repeats=20)
    outer = guesses[guesses["inner_fold"].isna()]
    plain = outer.rename(columns={"outer_fold": "fold"}).drop(columns=["inner_fold"])
    alone = evaluate(plain, truth, repeats=20)
    assert found["auc"] == alone["auc"]
    assert found.parts == alone.parts
    assert alone.nested is None
    assert "the AUC is no such mean" in found.as_text().replace("The AUC", "the AUC")
    told = json.loads(to_json(found.as_dict()))
    jsonschema.validate(told, evaluation_schema())
    assert told["nested"]["losses"][0]["name"] == "brier"


def test_the_inner_fold_may_repeat_the_outer_one() -> None:
    guesses, truth = tables()
    filled = guesses.assign(inner_fold=guesses["inner_fold"].fillna(guesses["outer_fold"]))
    one, two = (evaluate(each, truth, repeats=20) for each in (guesses, filled))
    assert one.nested == two.nested


def test_what_is_no_nested_cross_validation_is_refused() -> None:
    guesses, truth = tables()
    first = guesses.index[guesses["inner_fold"].notna()][0]
    moved, unknown = guesses.copy(), guesses.astype({"outer_fold": "Int64"})
    own = {moved.loc[first, "inner_fold"], moved.loc[first, "outer_fold"]}
    moved.loc[first, "inner_fold"] = min(set(range(FOLDS)) - own)
    unknown.loc[0, "outer_fold"] = pd.NA
    for table, said in (
        (moved, "I00 stands with another inner fold"),
        (guesses.drop(index=first), "1 of 48 images is not in"),
        (guesses[guesses["outer_fold"] < 2], "3 folds or more"),
        (unknown, "outer_fold is not known in line 2"),
    ):
        with pytest.raises(ColumnError, match=said):
            evaluate(table, truth, repeats=20)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ((5, 3), "repeat 1 has 3 outer folds and repeat 0 has 5 outer folds"),
        ((2, 5), "repeat 0 has 2 outer folds and repeat 1 has 5 outer folds"),
        ((5, 1), "repeat 1 has 1 outer fold and repeat 0 has 5 outer folds"),
        ((2, 2), "label, repeat 0 has 2 outer folds"),
    ],
)
def test_each_repeat_has_as_many_outer_folds(kept: tuple[int, int], said: str) -> None:
    guesses, truth = tables(repeats=2)
    names = guesses["outer_fold"]
    if kept == (2, 2):  # folds with other names in the second repeat: four names in all
        names = names + 2 * (guesses["repeat"] == 1)
    most = guesses["repeat"].map(dict(enumerate(kept)))
    inner = guesses["inner_fold"].fillna(0)
    few = guesses.assign(outer_fold=names)[(guesses["outer_fold"] < most) & (inner < most)]
    with pytest.raises(ColumnError, match=said) as caught:
        evaluate(few, truth, repeats=20)
    assert "leave out the repeats that differ" in str(caught.value)


def test_outer_folds_without_labels_do_not_count() -> None:
    guesses, truth = tables()
    outer = guesses[guesses["inner_fold"].isna()]
    two = outer.loc[outer["outer_fold"] < 2, "image_id"]
    with pytest.raises(ColumnError, match="with a label, there are 2 outer folds"):
        evaluate(guesses, truth[truth["image_id"].isin(two)], repeats=20)


def test_images_of_later_repeats_have_groups() -> None:
    """An image that the first repeat leaves out counts in the second, with its patient."""
    guesses, truth = tables(repeats=2)
    truth["patient_id"] = [f"P{number // 2}" for number in range(IMAGES)]
    lacking = guesses[(guesses["repeat"] != 0) | (guesses["image_id"] != "I00")]
    found = evaluate(lacking, truth, repeats=20).nested
    assert found is not None
    label = lacking["image_id"].map(truth.set_index("image_id")["melanoma"])
    error = (lacking["probability"] - label) ** 2
    outer = error[lacking["inner_fold"].isna()]
    assert len(outer) == 2 * IMAGES - 1
    assert found.losses[0].plain.value == pytest.approx(outer.mean())
    assert not math.isnan(found.losses[0].inflation)


def test_a_loss_is_never_below_0_or_outside_its_interval() -> None:
    """Ten folds: 1 error in 100 outer answers, 3 in 90 inner ones of each fold."""
    blocks = [
        Block(
            outer=np.arange(10) == 0 if fold == 3 else np.zeros(10),
            outer_group=np.arange(10) + 10 * fold,
            inner=(np.arange(90) < 3).astype(float),
        )
        for fold in range(10)
    ]
    found = nested_loss("error_rate", blocks).nested
    assert found.value == found.low == 0
    assert found.high > 0


def test_inner_folds_with_numbers_of_their_own_are_named() -> None:
    """Their number 0 beside outer fold 0 looked like the outer fold: images came twice."""
    guesses, truth = tables()
    inner = guesses["inner_fold"].notna()
    guesses.loc[inner, "inner_fold"] = np.arange(inner.sum()) % 4
    with pytest.raises(ColumnError, match=r"equal to the outer_fold in line .* anew"):
        evaluate(guesses, truth, repeats=10)
