"""Who is resampled as a whole: found without being asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.errors import ColumnError, DatasetError
from lentigo.evaluation.grouping import Groups, grouped
from lentigo.evaluation.joining import match
from lentigo.evaluation.scoring import evaluate

NAMES = ["a", "b", "c", "d"]


def found(
    predictions: dict[str, Any], truth: dict[str, Any], group: str | None = None
) -> Groups:
    guesses = pd.DataFrame(
        {"image_id": NAMES, "probability": [0.9, 0.1, 0.2, 0.8]} | predictions
    )
    labels = pd.DataFrame({"image_name": NAMES, "target": [1, 0, 0, 1]} | truth)
    return grouped(match(guesses, labels), group)


def test_group_id_of_the_predictions_is_the_usual_group() -> None:
    groups = found({"group_id": list("xxyy")}, {"patient_id": list("pqrs")})
    assert groups.group.tolist() == list("xxyy")
    assert "by group_id of the predictions" in groups.note


def test_group_id_of_the_truth_is_used_where_the_predictions_have_none() -> None:
    groups = found({}, {"group_id": list("pqqq")})
    assert groups.group.tolist() == list("pqqq")
    assert "by group_id of the truth" in groups.note


@pytest.mark.parametrize(
    ("predictions", "truth", "unit", "said"),
    [
        ({}, {"patient_id": list("pqqq")}, "patient", "by patient_id of the truth"),
        ({}, {"Patient": list("pqqq")}, "patient", "by Patient of the truth"),
        ({"patient_id": list("pqqq")}, {}, "patient", "patient_id of the predictions"),
        ({}, {"lesion_id": list("pqqq")}, "lesion", "by lesion_id of the truth"),
        # A lesion table always has the column, though it may be empty.
        ({}, {"group_id": None, "lesion_id": list("pqqq")}, "lesion", "by lesion_id"),
        ({"patient_id": ["p", "q", "q", None]}, {"patient_id": [None, None, None, "q"]},
         "patient", "by patient_id of the truth and patient_id of the predictions"),
    ],
)  # fmt: skip
def test_patients_else_lesions_are_the_groups_by_themselves(
    predictions: dict[str, Any], truth: dict[str, Any], unit: str, said: str
) -> None:
    groups = found(predictions, truth)
    assert pd.factorize(groups.group)[0].tolist() == [0, 1, 1, 1]
    assert groups.unit == unit
    assert said in groups.note


def test_who_is_unknown_is_nobody_in_particular() -> None:
    groups = found({}, {"patient_id": ["p", "p", "unknown", "n/a"]})
    assert groups.group.nunique() == 3
    assert "2 images without any count as independent" in groups.note


def test_without_its_patient_an_image_stands_with_its_lesion() -> None:
    truth = {"patient_id": ["p", None, None, "p"], "lesion_id": ["k", "l", "l", "m"]}
    groups = found({}, truth).group.tolist()
    assert groups[0] == groups[3] != groups[1] == groups[2]


def test_alike_patients_of_two_archives_are_two() -> None:
    truth = {"patient_id": ["7", "7", "7", "7"], "dataset": ["x", "x", "y", "y"]}
    assert found({}, truth).group.nunique() == 2


def test_without_patients_every_image_stands_alone_and_it_is_said() -> None:
    groups = found({}, {})
    assert groups.group.tolist() == NAMES
    assert groups.unit == "image"
    assert "each image counts as independent" in groups.note


@pytest.mark.parametrize("nobody", [None, "unknown", ""])
def test_a_missing_group_that_was_asked_for_is_refused(nobody: str | None) -> None:
    with pytest.raises(DatasetError, match=r"2 images without patient_id.*b, d"):
        found({"patient_id": ["x", nobody, "y", nobody]}, {}, "patient_id")


def test_a_group_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(ColumnError, match="patient_id"):
        found({}, {"patient_id": list("pqqq")}, "patient")


def test_groups_that_would_be_one_number_are_several(tmp_path: Path) -> None:
    """1.1 and 1.10 are two patients of centre 1, whatever the column is called."""
    rows = [f"i{i};1.{i // 2 + 1};{i % 2}" for i in range(24)]
    (tmp_path / "t.csv").write_text("image;Code;melanoma\n" + "\n".join(rows) + "\n")
    scores = [f"i{i},{0.2 + 0.02 * i}" for i in range(24)]
    (tmp_path / "p.csv").write_text("image,probability\n" + "\n".join(scores) + "\n")
    found = evaluate(tmp_path / "p.csv", tmp_path / "t.csv", group="Code", repeats=20)
    assert found.counts.groups == 12
