from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.config import SCHEME_SETTINGS
from lentigo.curation import SCHEMES, SplitPlan, split_table
from lentigo.curation.splits.folds import held_out_roles
from lentigo.curation.splits.manifest import split_digest
from lentigo.curation.splits.schemes import sides_of
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetError,
    LeakError,
    UnknownNameError,
)
from lentigo.tables import check_table


def table(patients: Sequence[str], melanoma: str = "", **columns: Any) -> pd.DataFrame:
    """Image i0, i1 … of each patient; in `melanoma` an m for each melanoma, else a dot."""
    label = [word == "m" for word in melanoma] or [k % 2 == 0 for k in range(len(patients))]
    rows = {
        "image_id": [f"i{k}" for k in range(len(patients))],
        "patient_id": list(patients),
        "melanoma": pd.array(label, dtype="boolean"),
        **columns,
    }
    return check_table(pd.DataFrame(rows), source="test")


def is_whole(part: pd.Series[Any], key: pd.Series[Any]) -> bool:
    """Whether no key is in two parts; what has no part is in none."""
    both = pd.DataFrame({"part": part, "key": key}).dropna().drop_duplicates()
    return bool(both["key"].is_unique)


def roles(divided: pd.DataFrame) -> list[str]:
    return [str(role) for role in divided["role"]]


def test_grouped_deals_six_patients_into_three_folds() -> None:
    divided = split_table(table("aabbccddeeff", "m.m.m......."), SplitPlan(folds=3)).table
    assert divided["fold"].value_counts().to_dict() == {0: 4, 1: 4, 2: 4}
    assert divided.groupby("fold")["melanoma"].sum().to_dict() == {0: 1, 1: 1, 2: 1}
    assert is_whole(divided["fold"], divided["patient_id"])
    assert "role" not in divided


def test_pairs_tie_patients_together() -> None:
    pairs = pd.DataFrame({"a": ["i0"], "b": ["i2"], "kind": ["near-duplicate"]})
    for seed in range(5):
        divided = split_table(
            table("aabbccdd", "m.m.m.m."), SplitPlan(folds=2, seed=seed), pairs
        ).table
        assert len(set(divided["fold"][:4])) == 1


def test_holdout_of_two_shares() -> None:
    plan = SplitPlan(scheme="holdout", shares=(0.75, 0.25))
    divided = split_table(table("abcdefgh", "mmmm...."), plan).table
    assert divided["role"].value_counts().to_dict() == {"train": 6, "test": 2}
    assert divided.groupby("role")["melanoma"].sum().to_dict() == {"train": 3, "test": 1}
    # Who knows folds alone holds out fold 0.
    assert set(divided.loc[divided["role"] == "test", "fold"]) == {0}
    assert set(divided.loc[divided["role"] == "train", "fold"]) == {2}


def test_holdout_of_three_shares() -> None:
    plan = SplitPlan(scheme="holdout", shares=(0.5, 0.25, 0.25))
    divided = split_table(table("aabbccddeeffgghh", "mmmmmmmm........"), plan).table
    assert divided["role"].value_counts().to_dict() == {
        "train": 8, "validation": 4, "test": 4,
    }  # fmt: skip
    assert is_whole(divided["role"], divided["patient_id"])
    assert set(divided.loc[divided["role"] == "validation", "fold"]) == {1}


def test_holdout_refuses_a_part_without_melanoma() -> None:
    with pytest.raises(DatasetError, match="part would hold no melanoma"):
        split_table(table("abcdef", "m....."), SplitPlan(scheme="holdout"))


def test_leave_one_source_out_makes_each_data_set_a_fold() -> None:
    both = table("abcd", dataset=["y", "x", "y", "x"])
    read = split_table(both, SplitPlan(scheme="leave-one-source-out"))
    divided = read.table
    assert divided["fold"].tolist() == [1, 0, 1, 0]
    assert list(read.notes) == [
        "Fold 0 is the data set x.",
        "Fold 1 is the data set y.",
    ]


def test_who_is_in_two_sources_is_not_learnt_from_when_one_is_tested() -> None:
    # The second image of y is the same file as the first of x.
    both = table(
        "abcd",
        dataset=["x", "x", "y", "y"],
        sha256=["0" * 64, "1" * 64, "2" * 64, "0" * 64],
    )
    read = split_table(both, SplitPlan(scheme="leave-one-source-out"))
    divided = read.table
    assert held_out_roles(divided, 0).tolist() == ["test", "test", "train", "left out"]
    assert held_out_roles(divided, 1).tolist() == ["left out", "train", "test", "test"]
    assert "1 group (2 images) stands in several data sets" in read.notes[2]
    assert len(list(sides_of(divided))) == 2


def test_a_source_that_is_wholly_in_another_leaves_nothing_and_is_told() -> None:
    both = table("abc", dataset=["x", "x", "y"], sha256=["0" * 64, "1" * 64, "0" * 64])
    read = split_table(both, SplitPlan(scheme="leave-one-source-out"))
    assert "When x is tested, nothing is left to train on." in read.notes


def test_leave_one_source_out_needs_two_named_sources() -> None:
    plan = SplitPlan(scheme="leave-one-source-out")
    with pytest.raises(DatasetError, match="All images are of the data set x"):
        split_table(table("ab", dataset=["x", "x"]), plan)
    with pytest.raises(ColumnError, match=r"1 image without a data set \(i1\)"):
        split_table(table("ab", dataset=["x", None]), plan)


def test_time_leaves_out_whoever_is_on_both_sides_and_whatever_has_no_date() -> None:
    dated = table("aabcd", year=["2019", "2021", "2020", "2021", None])
    plan = SplitPlan(scheme="time", time="year", before="2021")
    read = split_table(dated, plan)
    divided = read.table
    assert roles(divided) == ["train", "left out", "train", "test", "left out"]
    assert list(read.notes) == [
        "The test part begins with 2021-01-01 (column year).",
        "1 image of a later date left out, because the same patients (or groups) are in "
        "the training part with earlier images.",
        "1 image without a year left out.",
    ]
    assert divided["fold"].isna().tolist() == [False, True, False, False, True]


def test_an_undated_image_of_a_tested_patient_is_not_trained_on() -> None:
    dated = table("abb", year=["2019", "2021", None])
    divided = split_table(dated, SplitPlan(scheme="time", time="year", before="2021")).table
    assert roles(divided) == ["train", "test", "left out"]


def test_time_takes_a_share_or_a_date() -> None:
    dated = table("abcde", date=[f"2020-01-0{day}" for day in range(1, 6)])
    by_share, by_date = (
        split_table(dated, SplitPlan(scheme="time", time="date", before=before)).table
        for before in ("0.6", "2020-01-04")
    )
    assert roles(by_share) == roles(by_date) == 3 * ["train"] + 2 * ["test"]


def test_time_in_which_nobody_is_new_is_refused() -> None:
    dated = table("aa", year=["2019", "2021"])
    with pytest.raises(DatasetError, match="No image would be left for the test part"):
        split_table(dated, SplitPlan(scheme="time", time="year", before="2020"))


def test_published_parts_are_kept_and_images_without_one_left_out() -> None:
    archive = table("abcd", part=["Training", "val", "TEST", None])
    read = split_table(archive, SplitPlan(scheme="published"))
    divided = read.table
    assert roles(divided) == ["train", "validation", "test", "left out"]
    assert list(read.notes) == ["1 image without a published part left out: i3."]


def test_published_parts_that_leak_are_refused_with_what_to_do() -> None:
    archive = table("aab", part=["train", "test", "train"])
    with pytest.raises(LeakError, match=r"i0 in train and i1 in test \(same patient a\)"):
        split_table(archive, SplitPlan(scheme="published"))
    with pytest.raises(LeakError, match="With --drop-leaks the training side is left out"):
        split_table(archive, SplitPlan(scheme="published"))


def test_dropped_leaks_are_those_of_the_less_precious_part() -> None:
    archive = table(
        "aabbcd", part=["train", "test", "train", "validation", "train", "test"]
    )
    read = split_table(archive, SplitPlan(scheme="published", drop_leaks=True))
    divided = read.table
    assert roles(divided) == ["left out", "test", "left out", "validation", "train", "test"]
    assert "2 images left out, because others" in read.notes[0]


def test_without_a_test_part_the_validation_part_is_the_one_held_out() -> None:
    archive = table("abc", part=["train", "train", "validation"])
    divided = split_table(archive, SplitPlan(scheme="published")).table
    assert divided["fold"].tolist() == [2, 2, 0]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ([None, None], "no column part"),
        (["train", "train"], "leave nothing to train on or nothing to judge by"),
        (["train", "spring"], "The column part holds spring"),
    ],
)
def test_published_parts_that_say_nothing_are_refused(
    part: list[str | None], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        split_table(table("ab", part=part), SplitPlan(scheme="published"))


PLANS = (
    SplitPlan(folds=3, seed=2),
    SplitPlan(scheme="holdout", shares=(0.5, 0.25, 0.25)),
    SplitPlan(scheme="leave-one-source-out"),
    SplitPlan(scheme="time", time="year", before="0.7"),
    SplitPlan(scheme="published", drop_leaks=True),
)


@cache
def mixed() -> pd.DataFrame:
    """60 images of 20 patients in two sources, with dates, parts and an identical pair."""
    rng = np.random.default_rng(0)
    patients = [f"p{k % 20}" for k in range(60)]
    melanoma = "".join("m" if k % 4 == 0 else "." for k in range(60))
    parts = {patient: ("train", "train", "test")[k % 3]
             for k, patient in enumerate(patients[:20])}  # fmt: skip
    return table(
        patients,
        melanoma,
        dataset=["x" if int(patient[1:]) < 12 else "y" for patient in patients],
        sex=rng.choice(["female", "male"], 60),
        age=rng.integers(4, 16, 60) * 5.0,
        year=[str(2010 + int(patient[1:])) for patient in patients],
        part=[parts[patient] for patient in patients],
        sha256=[f"{0 if k == 41 else k:064x}" for k in range(60)],
    )


@cache
def split_once(plan: SplitPlan) -> pd.DataFrame:
    return split_table(mixed(), plan).table


@pytest.mark.parametrize("plan", PLANS, ids=[plan.scheme for plan in PLANS])
@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(60)))
def test_the_same_plan_is_the_same_split_in_any_order(
    plan: SplitPlan, order: list[int]
) -> None:
    again = split_table(mixed().iloc[order].reset_index(drop=True), plan).table
    assert split_digest(again) == split_digest(split_once(plan))


@pytest.mark.parametrize("plan", PLANS, ids=[plan.scheme for plan in PLANS])
def test_nobody_is_on_two_sides(plan: SplitPlan) -> None:
    divided = split_once(plan)
    for side in sides_of(divided):
        on_a_side = side.mask(side == "left out")
        for key in ("group_id", "patient_id", "sha256"):
            assert is_whole(on_a_side, divided[key])


@pytest.mark.parametrize(
    ("settings_", "error", "message"),
    [
        ({"scheme": "holdut"}, UnknownNameError, "Did you mean holdout"),
        ({"folds": 1}, ConfigError, r"folds: .* equal to 2 \(got 1\)"),
        ({"shares": (0.7, 0.2)}, ConfigError, "add up to 1"),
        ({"shares": (float("nan"), 0.2, 0.8)}, ConfigError, "add up to 1"),
        ({"shares": (1.2, -0.2)}, ConfigError, "add up to 1"),
        ({"shares": (1.0,)}, ConfigError, "two or three"),
        ({"seed": -1}, ConfigError, r"seed: .* \(got -1\)"),
        ({"scheme": "time"}, ConfigError, "needs the column that says when: --time"),
        ({"balance": ("patient_id",)}, ConfigError, "patient_id tells every image"),
    ],
)
def test_plans_that_make_no_sense_are_refused(
    settings_: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SplitPlan(**settings_)


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(DatasetError, match="nothing to divide"):
        split_table(mixed()[:0], SplitPlan())
    with pytest.raises(ColumnError, match="no column colour to balance"):
        split_table(mixed(), SplitPlan(folds=2, balance=("colour",)))


def test_every_scheme_says_what_it_is_and_what_it_goes_by() -> None:
    assert set(SCHEMES) == set(SCHEME_SETTINGS)
    for name, scheme in SCHEMES.items():
        assert scheme.__doc__, name
        assert all(hasattr(SplitPlan(), field) for field in SCHEME_SETTINGS[name])


@pytest.mark.parametrize("seed", range(4))
def test_groups_that_the_table_has_are_united_and_never_separated(seed: int) -> None:
    # p0 and p1 are one by somebody's group; the two images of p2 are one whatever it says.
    known = table(
        ["p0", "p1", "p2", "p2", "p3", "p4"],
        "m..m.m",
        group_id=["g", "g", "h", "i", None, None],
    )
    divided = split_table(known, SplitPlan(folds=2, seed=seed)).table
    fold = divided["fold"]
    assert fold[0] == fold[1]
    assert fold[2] == fold[3]
    assert divided["group_id"].tolist() == ["p0", "p0", "p2", "p2", "p3", "p4"]


def test_a_published_split_may_leak_by_the_groups_of_the_table() -> None:
    archive = table("ab", part=["train", "test"], group_id=["g", "g"])
    with pytest.raises(LeakError, match=r"i0 in train and i1 in test \(same group a\)"):
        split_table(archive, SplitPlan(scheme="published"))
