"""Which classes are told apart, and which of them a label allows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.config import TrainConfig
from lentigo.curation.splits.folds import LEFT_OUT, TEST, TRAIN
from lentigo.tables import check_table
from lentigo.training.lesson import taught
from lentigo.training.targets import Label, allowed_classes, diagnosis_classes

NEVUS = Label("nevus", False, False)
MELANOMA = Label("melanoma", True, True)
KERATOSIS = Label("benign keratosis", False, False)
BASAL = Label("basal cell carcinoma", False, True)
CLASSES = ("melanoma", "basal cell carcinoma", "nevus", "other")


def test_frequent_diagnoses_are_classes_and_the_rare_ones_are_other() -> None:
    rows = [NEVUS] * 80 + [MELANOMA] * 15 + [KERATOSIS] * 3 + [BASAL] * 2
    assert diagnosis_classes(rows, rare=0.03) == (
        "melanoma", "benign keratosis", "nevus", "other",
    )  # fmt: skip


def test_a_rare_kind_counts_to_what_it_is_a_kind_of() -> None:
    """Two blue nevi are nevi; a melanoma in situ is a melanoma."""
    rows = [NEVUS] * 50 + [Label("blue nevus", False, False)] * 2
    rows += [Label("melanoma in situ", True, True)] * 9
    assert diagnosis_classes(rows, rare=0.1) == ("melanoma", "nevus")


def test_no_class_is_a_kind_of_another_one() -> None:
    """What one archive calls seborrheic keratosis is a benign keratosis of the other."""
    rows = [KERATOSIS] * 20 + [Label("seborrheic keratosis", False, False)] * 20 + [NEVUS]
    assert diagnosis_classes([*rows, NEVUS], rare=0.01) == (
        "melanoma", "benign keratosis", "nevus",
    )  # fmt: skip


def test_what_may_be_a_melanoma_is_no_class() -> None:
    open_question = Label("melanocytic lesion", None, None)
    assert diagnosis_classes([open_question] * 9 + [NEVUS] * 9, rare=0.1) == (
        "melanoma", "nevus",
    )  # fmt: skip


def test_without_a_diagnosis_beside_melanoma_all_others_are_one_class() -> None:
    rows = [MELANOMA, Label(None, False, None)]
    assert diagnosis_classes(rows, rare=0.0) == ("melanoma", "other")
    assert allowed_classes(rows[1], ("melanoma", "other")) == (False, True)


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        (MELANOMA, ["melanoma"]),
        (Label(None, True, None), ["melanoma"]),
        (NEVUS, ["nevus"]),
        (Label("blue nevus", False, False), ["nevus"]),
        (Label("dermatofibroma", False, False), ["other"]),
        (Label("melanocytic lesion", None, None), ["melanoma", "nevus", "other"]),
        (Label("melanocytic lesion", False, None), ["nevus", "other"]),
        (Label(None, False, None), ["basal cell carcinoma", "nevus", "other"]),
        (Label(None, None, False), ["nevus", "other"]),
        (Label(None, None, True), ["melanoma", "basal cell carcinoma", "other"]),
        (Label(None, False, True), ["basal cell carcinoma", "other"]),
        (Label(None, None, None), list(CLASSES)),
    ],
)
def test_a_label_allows(label: Label, allowed: list[str]) -> None:
    found = allowed_classes(label, CLASSES)
    assert [name for name, may in zip(CLASSES, found, strict=True) if may] == allowed


def test_an_image_whose_label_says_nothing_is_left_out_of_the_training() -> None:
    rows = [
        ("A", "nevus", False, False), ("B", "nevus", False, False),
        ("C", "melanoma", True, True), ("D", None, None, False), ("E", None, None, None),
        ("F", "nevus", False, False),
    ]  # fmt: skip
    names = ["image_id", "diagnosis", "melanoma", "malignant"]
    table = check_table(pd.DataFrame(rows, columns=names), source="it")
    role = pd.Series([TRAIN] * 5 + [TEST], dtype="string")
    lesson, roles = taught(table, role, TrainConfig(target="diagnosis"))
    assert lesson.target.classes == ("melanoma", "nevus")
    allowed = lesson.target.allowed[lesson.target.labels]
    assert allowed.tolist() == [[False, True]] * 2 + [[True, False], [False, True]]
    assert roles.tolist() == [TRAIN] * 4 + [LEFT_OUT, TEST]
    assert lesson.sentence == "2 diagnoses: melanoma (1) and nevus (3)."


def test_melanoma_or_not_needs_no_diagnosis() -> None:
    table = pd.DataFrame({"image_id": ["A", "B", "C"], "melanoma": [True, False, None]})
    checked = check_table(table, source="it")
    lesson, roles = taught(
        checked, pd.Series([TRAIN] * 3, dtype="string"), TrainConfig(target="melanoma")
    )
    assert lesson.target.labels.tolist() == [1, 0]
    assert roles.tolist() == [TRAIN, TRAIN, LEFT_OUT]
    assert np.array_equal(lesson.target.allowed, np.eye(2))
