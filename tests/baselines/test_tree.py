"""The decision tree on sex, age and site, judged on patients it has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from lentigo.baselines.tree import Branch, MetadataTree, is_id, metadata_tree
from lentigo.curation.splits.folds import assign_folds
from lentigo.errors import ColumnError, DatasetError, LeakError
from lentigo.evaluation.operating_points import Confusion
from lentigo.tables import check_table


def old_men(rows: int = 600) -> pd.DataFrame:
    """A table in which melanomas are in men of sixty or more, and nowhere else."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["female", "male"], rows)
    age = rng.integers(4, 17, rows) * 5.0
    table = pd.DataFrame(
        {
            "image_id": [f"L{number}" for number in range(rows)],
            "patient_id": [f"P{number // 3}" for number in range(rows)],
            "sex": sex,
            "age": age,
            "site": rng.choice(["torso", "head/neck"], rows),
            "diagnosis": "nevus",
            "melanoma": (sex == "male") & (age >= 60),
        }
    )
    return check_table(table, source="old men")


def test_it_finds_the_rule_and_says_so_on_held_out_patients() -> None:
    grown = metadata_tree(old_men())
    assert (grown.precision, grown.recall, grown.f1) == (1, 1, 1)
    assert grown.accuracy == 1
    for name in ("precision", "recall", "f1", "accuracy"):
        assert 0.5 < grown.intervals[name].low < grown.intervals[name].high == 1
    assert grown.learned + grown.judged == 600
    assert {grown.root.question, *_questions(grown.root)} >= {"male?", "age < 57.5?"} or {
        grown.root.question,
        *_questions(grown.root),
    } >= {"female?", "age < 57.5?"}


def test_groups_of_the_table_itself_are_held_out_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = old_men()
    nobody = pd.array([pd.NA] * len(table), dtype="string")
    table = table.assign(group_id=table["patient_id"], patient_id=nobody)
    dealt: list[pd.DataFrame] = []

    def spied(rows: pd.DataFrame, *, folds: int, seed: int) -> pd.DataFrame:
        dealt.append(assign_folds(rows, folds=folds, seed=seed))
        return dealt[0]

    monkeypatch.setattr("lentigo.baselines.tree.assign_folds", spied)
    metadata_tree(table)
    assert dealt[0]["fold"].groupby(table["group_id"]).nunique().max() == 1


def _questions(branch: Branch) -> set[str]:
    found = {branch.question}
    for child in (branch.yes, branch.no):
        if child is not None:
            found |= _questions(child)
    return found


def test_every_training_image_ends_somewhere_once() -> None:
    root = metadata_tree(old_men()).root

    def ends(branch: Branch) -> list[Branch]:
        if branch.yes is None or branch.no is None:
            return [branch]
        return ends(branch.yes) + ends(branch.no)

    assert sum(end.images for end in ends(root)) == root.images
    assert sum(end.melanomas for end in ends(root)) == root.melanomas


def test_scores_are_those_of_scikit_learn() -> None:
    truth = np.array([1] * 5 + [0] * 7)
    called = np.array([1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
    cells = Confusion(tp=3, fp=2, tn=5, fn=2)
    grown = MetadataTree(Branch("", 1, 0, False), ("sex",), cells, 1, 12)
    assert grown.precision == precision_score(truth, called) == 3 / 5
    assert grown.recall == recall_score(truth, called) == 3 / 5
    assert grown.f1 == pytest.approx(f1_score(truth, called))
    assert grown.accuracy == accuracy_score(truth, called) == 8 / 12


@pytest.mark.parametrize(
    "values",
    [
        [f"ISIC_{number:07}" for number in range(600)],  # by whatever name
        [str(number) for number in range(600)],
        [f"P{number // 3}" if number < 100 else f"P{number}" for number in range(600)],
    ],
)
def test_a_column_that_names_images_is_no_feature(values: list[str]) -> None:
    table = old_men().assign(whose=values)
    with pytest.raises(ColumnError, match="whose names single images or patients"):
        metadata_tree(table, features=["sex", "whose"])


@pytest.mark.parametrize("name", ["Patient", "subject", "lesion", "ISIC_ID", "Study ID"])
def test_ids_are_known_by_other_names_even_if_each_comes_three_times(name: str) -> None:
    numbers = np.arange(600) // 3
    with pytest.raises(ColumnError, match=f"{name} names single"):
        metadata_tree(old_men().assign(**{name: numbers}), features=["sex", name])


@pytest.mark.parametrize("name", ["image_id", "patient_id"])
def test_ids_are_refused_as_features(name: str) -> None:
    with pytest.raises(ColumnError, match=f"{name} names single"):
        metadata_tree(old_men(), features=["sex", name])


def test_ages_and_diameters_that_all_differ_are_no_ids() -> None:
    assert not is_id(pd.Series(np.linspace(0.5, 30.2, 600), name="diameter"))
    assert not is_id(pd.Series([30.0, 35, 40] * 30, name="age"))
    assert not is_id(pd.Series(["torso", "head/neck", "palm"], name="site"))


def test_missing_values_are_a_question_of_their_own() -> None:
    table = old_men()
    table["site"] = table["site"].mask(table["melanoma"].astype(bool))
    grown = metadata_tree(table, features=["site"])
    assert grown.root.question == "site missing?"
    assert grown.recall == 1


def test_the_diagnosis_is_refused_with_the_reason() -> None:
    with pytest.raises(LeakError, match="label in other words"):
        metadata_tree(old_men(), features=["sex", "diagnosis"])


def test_a_feature_that_is_not_there_is_named() -> None:
    with pytest.raises(ColumnError, match="shoe_size"):
        metadata_tree(old_men(), features=["shoe_size"])


def test_too_few_melanomas_are_an_error_that_says_so() -> None:
    table = old_men(60).assign(melanoma=[True] + [False] * 59)
    table["melanoma"] = table["melanoma"].astype("boolean")
    with pytest.raises(DatasetError, match="fewer than"):
        metadata_tree(table)
