from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.audit.checks.leak_features import Feature, features
from lentigo.tables import check_table


def made(
    facts: pd.DataFrame | None = None, melanomas: int = 1000, **columns: list[Any]
) -> dict[str, Feature]:
    rows = len(next(iter(columns.values()), [0, 0]))
    base = {"image_id": [f"i{'x' * n}" for n in range(rows)]}
    table = check_table(pd.DataFrame({**base, **columns}), source="test")
    found = features(table, facts, target="melanoma", melanomas=melanomas)
    return {feature.name: feature for feature in found}


def told(feature: Feature) -> list[str]:
    return [feature.meanings[code] for code in feature.codes]


def test_words_numbers_and_what_is_missing() -> None:
    found = made(
        dx=["a", "b", None, "a"], years=[1.0, None, 3.0, 2.5], yes=[True, False] * 2
    )
    assert told(found["dx"]) == ["a", "b", "missing", "a"]
    assert told(found["years"]) == ["1", "missing", "3", "2.5"]
    assert told(found["yes"]) == ["True", "False", "True", "False"]
    # By its name dx is the answer; whether it is missing is then beside the point.
    assert "dx is missing" not in found
    assert told(found["years is missing"]) == ["False", "True", "False", "False"]


def test_what_is_alike_in_all_rows_is_left_out() -> None:
    found = made(one=["a"] * 4, none=[None] * 4, two=["a", "a", "b", "b"])
    assert "two" in found
    assert not {"one", "none", "none is missing", "dataset"} & set(found)


def test_many_numbers_are_cut_into_bins_of_alike_size() -> None:
    values = list(np.random.default_rng(0).permutation(320))
    found = made(size=values)["size"]
    assert np.bincount(found.codes).tolist() == [10] * 32
    assert found.meanings[0] == "up to 9"
    assert found.meanings[-2:] == ["above 309", "missing"]
    order = np.argsort(values)
    assert (np.diff(found.codes[order]) >= 0).all()
    few = made(size=values, melanomas=50)["size"]
    assert np.bincount(few.codes).tolist() == [64] * 5


def test_numbers_in_text_are_numbers_and_dates_have_an_order() -> None:
    days = pd.date_range("2020-01-01", periods=64, freq="D")
    found = made(text=[str(n) for n in range(64)], day=list(days))
    assert found["text"].meanings[0] == "up to 1"
    assert (np.diff(found["day"].codes) >= 0).all()
    assert len(np.unique(found["day"].codes)) == 32


def test_rare_words_are_one_word() -> None:
    words = ["often"] * 300 + [f"w{n}" for n in range(500)]
    found = made(word=words)["word"]
    assert len(np.unique(found.codes)) == 201
    assert told(found)[-1] == "further values"


def test_names_come_apart_and_patients_are_counted() -> None:
    found = made(
        image_id=["x:ISIC_0000001", "x:ISIC_0000002_downsampled", "y:P3", "y:P4"],
        patient_id=["IP_1", "IP_1", "IP_1", "7"], dataset=["x", "x", "y", "y"],
    )  # fmt: skip
    assert told(found["image_id: name_prefix"]) == ["ISIC_", "ISIC_", "P", "P"]
    assert told(found["image_id: name_number"]) == ["1", "2", "3", "4"]
    assert told(found["image_id: name_suffix"])[1] == "_downsampled"
    assert told(found["number of images of the patient"]) == ["2", "2", "1", "1"]
    # Names themselves say nothing about the next image.
    assert not {"image_id", "patient_id", "path", "sha256", "group_id"} & set(found)


def test_facts_of_files_are_features() -> None:
    facts = pd.DataFrame({"bytes": [1, 2], "name_number": [1, 2], "folder": ["a", "b"]})
    found = made(facts, other=["p", "q"])
    assert {"file: bytes", "file: folder"} <= set(found)
    assert "file: name_number" not in found
    assert (found["file: bytes"].kind, found["file: folder"].kind) == (
        "technical",
        "source",
    )


def test_a_folder_a_class_is_the_label() -> None:
    facts = pd.DataFrame({"folder": ["melanoma", "nevus"]})
    assert made(facts, other=["p", "q"])["file: folder"].kind == "label"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("diagnosis", "label"), ("dx_type", "answer"), ("Benign_Malignant", "answer"),
        ("age_filled", "patient"), ("site", "patient"), ("part", "source"),
        ("width", "technical"), ("age_missing", "technical"), ("diameter", "other"),
    ],
)  # fmt: skip
def test_kinds(name: str, kind: str) -> None:
    values: dict[str, list[Any]] = {"site": ["torso", "head/neck"], "width": [1, 2]}
    table = pd.DataFrame({"image_id": ["i", "ix"], name: values.get(name, ["p", "q"])})
    found = features(
        check_table(table, source="test"), None, target="melanoma", melanomas=9
    )
    assert next(feature for feature in found if feature.name == name).kind == kind


def test_lists_and_the_like_do_no_harm() -> None:
    assert "odd" in made(odd=[[1, 2], [3]])
