from __future__ import annotations

import pandas as pd
import pytest

from lentigo.curation import check_features, check_split
from lentigo.errors import ColumnError, LeakError
from lentigo.tables import check_table


def table(**columns: list[str | None]) -> pd.DataFrame:
    names = ["a", "b", "c", "d"]
    base = {"image_id": names, "group_id": names}
    return check_table(pd.DataFrame({**base, **columns}), source="test")


ROLE = pd.Series(["train", "train", "validation", "test"])


def test_a_clean_split_passes() -> None:
    check_split(table(patient_id=["P", "P", "Q", None]), ROLE)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"group_id": ["g", "h", "h", "k"]},
            r"b in train and c in validation \(same group",
        ),
        (
            {"patient_id": ["P", "Q", "R", "P"]},
            r"a in train and d in test \(same patient P",
        ),
        (
            {"lesion_id": ["L", None, None, "L"]},
            r"a in train and d in test \(same lesion L",
        ),
        (
            {"sha256": ["0" * 64, None, "0" * 64, None]},
            r"a in train and c in validation \(identical file\)",
        ),
        (
            {"duplicate_of": [None, None, None, "b"]},
            r"b in train and d in test \(published duplicate\)",
        ),
    ],
)
def test_whatever_crosses_is_named(
    columns: dict[str, list[str | None]], message: str
) -> None:
    with pytest.raises(LeakError, match=message):
        check_split(table(**columns), ROLE)


def test_pairs_that_cross_are_named() -> None:
    pairs = pd.DataFrame(
        {"a": ["a", "a", "a"], "b": ["b", "c", "z"], "kind": "near-duplicate"}
    )
    with pytest.raises(LeakError, match=r"a in train and c in validation \(near-dup"):
        check_split(table(), ROLE, pairs)
    check_split(table(), ROLE, pairs[:1])


def test_patients_of_two_data_sets_may_bear_one_number() -> None:
    check_split(
        table(dataset=["x", "x", "x", "y"], patient_id=["1", None, None, "1"]), ROLE
    )


def test_folds_will_do_as_roles() -> None:
    with pytest.raises(LeakError, match="groups"):
        check_split(table(group_id=["g", "g", "h", "k"]), pd.Series([0, 1, 2, 2]))


def test_rows_that_could_hide_a_leak_are_refused() -> None:
    with pytest.raises(ColumnError, match="no group_id"):
        check_split(table(group_id=[None, "b", "c", "d"]), ROLE)
    with pytest.raises(ColumnError, match="no part"):
        check_split(table(), ROLE.where(ROLE != "test"))
    with pytest.raises(ColumnError, match="no part"):
        check_split(table(), ROLE[:3])


def test_what_a_doctor_may_know_beforehand_is_a_feature() -> None:
    check_features(["age", "sex", "site", "age_filled", "skin_type", "width"])


@pytest.mark.parametrize(
    "name",
    ["diagnosis", "dx", "Benign_Malignant", "malignant", "target", "melanoma", "MEL", "nv",
     "dx_type", "label", "true_probability"],
)  # fmt: skip
def test_what_is_the_answer_is_refused(name: str) -> None:
    with pytest.raises(LeakError, match=f"Target leak: .* {name} \\("):
        check_features(["age", name])


def test_the_reason_is_given() -> None:
    with pytest.raises(LeakError, match="it is the label in other words"):
        check_features(["age", "diagnosis"])
    with pytest.raises(LeakError, match=r"sex \(it is the target itself\)"):
        check_features(["sex"], target="sex")
