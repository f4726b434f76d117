from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from lentigo.curation import assign_folds, assign_groups, assign_roles, check_enough
from lentigo.curation.splits.folds import deal_roles
from lentigo.errors import ColumnError, ConfigError, DatasetError
from lentigo.tables import check_table


def table(groups: Sequence[str], melanoma: Sequence[bool | None]) -> pd.DataFrame:
    return check_table(
        pd.DataFrame(
            {
                "image_id": [f"i{k}" for k in range(len(groups))],
                "group_id": groups,
                "melanoma": pd.array(melanoma, dtype="boolean"),
            }
        ),
        source="test",
    )


def cohort(seed: int = 0, patients: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    groups = np.repeat([f"p{k}" for k in range(patients)], rng.integers(1, 8, patients))
    melanoma = rng.random(len(groups)) < 0.2
    return table(groups.tolist(), melanoma.tolist())


def whole(part: pd.Series[Any], group: pd.Series[Any]) -> bool:
    """No group is in two parts."""
    both = pd.DataFrame({"part": part, "group": group}).drop_duplicates()
    return bool(both["group"].is_unique)


def test_six_groups_are_dealt_evenly() -> None:
    split = assign_folds(
        table(list("aabbccddeeff"), 3 * [True, False] + 6 * [False]), folds=3, seed=0
    )
    assert split["fold"].value_counts().to_dict() == {0: 4, 1: 4, 2: 4}
    assert split.groupby("fold")["melanoma"].sum().to_dict() == {0: 1, 1: 1, 2: 1}
    assert whole(split["fold"], split["group_id"])


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from([True, False, None])),
        min_size=1,
        max_size=60,
    ),
    folds=st.integers(2, 5),
    seed=st.integers(0, 3),
)
def test_folds_never_split_a_group(
    rows: list[tuple[int, bool | None]], folds: int, seed: int
) -> None:
    given_table = table([f"g{group}" for group, _ in rows], [label for _, label in rows])
    try:
        split = assign_folds(given_table, folds=folds, seed=seed)
    except DatasetError:
        for label in (True, False):
            owners = {group for group, truth in rows if truth is label}
            if len(owners) < folds:
                return
        raise
    assert split["fold"].between(0, folds - 1).all()
    assert whole(split["fold"], split["group_id"])
    assert (split.groupby("fold")["melanoma"].sum() >= 1).all()
    assert split["fold"].nunique() == folds


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    ordered = cohort()
    shuffled = ordered.sample(frac=1, random_state=1)
    once = assign_folds(ordered, folds=5, seed=3)
    again = assign_folds(shuffled, folds=5, seed=3)
    other = assign_folds(ordered, folds=5, seed=4)
    assert again["fold"].sort_index().tolist() == once["fold"].tolist()
    assert other["fold"].tolist() != once["fold"].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_as_even_as_those_of_scikit_learn(seed: int) -> None:
    ours = assign_folds(cohort(seed), folds=5, seed=0)
    theirs = ours.assign(fold=-1)
    truth = ours["melanoma"].astype(int)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for fold, (_, rows) in enumerate(splitter.split(ours, truth, ours["group_id"])):
        theirs.loc[rows, "fold"] = fold

    def uneven(split: pd.DataFrame) -> float:
        return float(split.groupby("fold")["melanoma"].sum().astype(int).std())

    assert uneven(ours) <= uneven(theirs) + 0.5


def test_real_patients_are_dealt_evenly_and_fast(siim: pd.DataFrame) -> None:
    grouped = assign_groups(siim)
    started = time.process_time()
    split = assign_folds(grouped, folds=5, seed=0)
    # Every image its own group is the most there can be to deal out.
    assign_folds(grouped.assign(group_id=grouped["image_id"]), folds=5, seed=0)
    assert time.process_time() - started < 10
    melanomas = split.groupby("fold")["melanoma"].sum()
    images = split.groupby("fold").size()
    assert sorted(melanomas) == [116, 117, 117, 117, 117]
    assert images.max() - images.min() <= 60
    assert whole(split["fold"], split["patient_id"])


def test_unlabelled_images_get_a_fold() -> None:
    labels: list[bool | None] = 4 * [True] + 4 * [False] + 4 * [None]
    split = assign_folds(table([f"g{k}" for k in range(12)], labels), folds=4, seed=0)
    assert split["fold"].value_counts().to_dict() == {0: 3, 1: 3, 2: 3, 3: 3}


@pytest.mark.parametrize(
    ("groups", "melanoma", "message"),
    [
        ("abc", [False, False, False], "holds no melanoma among 3 labelled images"),
        ("abc", [True, True, True], "holds no lesion other than melanoma"),
        ("abc", [None, None, None], "No image is labelled"),
        (
            "aabcd",
            [True, True, True, False, False],
            "Only 2 groups .* fewer than the 3 folds",
        ),
    ],
)
def test_what_cannot_be_dealt_is_refused(
    groups: str, melanoma: list[bool | None], message: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DatasetError, match=message):
            assign_folds(table(list(groups), melanoma), folds=3, seed=0)


def test_rows_without_a_group_or_fold_are_refused() -> None:
    bare = cohort()
    with pytest.raises(ColumnError, match="no fold"):
        assign_roles(bare, held_out=0, validation=0.2, seed=0)
    bare.loc[3, "group_id"] = pd.NA
    with pytest.raises(ColumnError, match="no group_id"):
        assign_folds(bare, folds=3, seed=0)
    with pytest.raises(ConfigError, match="give 2 or more"):
        assign_folds(cohort(), folds=1, seed=0)


@pytest.mark.parametrize("seed", range(4))
def test_roles_keep_groups_whole_and_shares_alike(seed: int) -> None:
    split = assign_folds(cohort(patients=120), folds=4, seed=seed)
    role = assign_roles(split, held_out=1, validation=0.25, seed=seed)
    assert (role[split["fold"] == 1] == "test").all()
    assert (role[split["fold"] != 1] != "test").all()
    assert whole(role, split["group_id"])
    rest = split[role != "test"]
    share = (role[rest.index] == "validation").mean()
    melanomas = rest.loc[role[rest.index] == "validation", "melanoma"].sum()
    assert share == pytest.approx(0.25, abs=0.03)
    assert melanomas == pytest.approx(0.25 * rest["melanoma"].sum(), abs=1.5)


def test_a_small_validation_part_still_gets_a_melanoma() -> None:
    split = assign_folds(
        table([f"g{k}" for k in range(30)], 3 * [True] + 27 * [False]), folds=3, seed=0
    )
    role = assign_roles(split, held_out=0, validation=0.1, seed=0)
    assert split["melanoma"].groupby(role).sum().to_dict() == {
        "test": 1,
        "train": 1,
        "validation": 1,
    }


def test_roles_that_cannot_be_are_refused() -> None:
    split = assign_folds(cohort(), folds=3, seed=0)
    with pytest.raises(ConfigError, match="no fold 7"):
        assign_roles(split, held_out=7, validation=0.2, seed=0)
    with pytest.raises(ConfigError, match="share between 0 and 1"):
        assign_roles(split, held_out=0, validation=1.5, seed=0)
    small = assign_folds(table(list("abcd"), [True, False, True, False]), folds=2, seed=0)
    with pytest.raises(DatasetError, match="part would hold"):
        assign_roles(small, held_out=0, validation=0.5, seed=0)


def few(melanomas: int) -> pd.DataFrame:
    """Patients of one image each, of whom some have a melanoma and 30 have none."""
    names = [f"g{k}" for k in range(melanomas + 30)]
    return table(names, melanomas * [True] + 30 * [False])


def refusal(patients: pd.DataFrame, folds: int) -> str:
    """Why so many folds are not dealt; empty where they are."""
    try:
        check_enough(patients, folds=folds)
    except DatasetError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("melanomas", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("folds", [2, 3, 5, 8])
def test_a_number_of_folds_is_refused_only_with_one_that_works(
    melanomas: int, folds: int
) -> None:
    patients = few(melanomas)
    if melanomas < 3:
        with pytest.raises(DatasetError, match="needs 3 of each class"):
            check_enough(patients, folds=folds)
        return
    if refused := refusal(patients, folds):
        folds = int(refused.partition("--folds ")[2][0])
    assert not refusal(patients, folds)
    split = assign_folds(patients, folds=folds, seed=0)
    for held_out in range(folds):
        role = assign_roles(split, held_out=held_out, validation=0.125, seed=0)
        assert set(role[split["melanoma"]]) == {"train", "validation", "test"}


@pytest.mark.parametrize("share", [0.6, -0.1, float("nan")])
def test_shares_of_roles_have_to_add_up(share: float) -> None:
    with pytest.raises(ConfigError, match="should be above 0 and add up to 1"):
        deal_roles(cohort(), shares={"train": share, "validation": 0.5}, seed=0)
    with pytest.raises(DatasetError, match="no image to deal out"):
        deal_roles(cohort().iloc[:0], shares={"train": 1.0}, seed=0)


def test_a_split_with_roles_has_one_part_to_hold_out() -> None:
    roles = ["train"] * 30 + ["validation"] * 30
    given = table([f"g{k}" for k in range(60)], [k % 2 == 0 for k in range(60)]).assign(
        fold=pd.array([0] * 60, dtype="Int64"), role=pd.array(roles, dtype="string")
    )
    # Without a test part the validation part is held out; another is dealt out of train.
    dealt = assign_roles(given, held_out=0, validation=0.2, seed=0)
    assert (dealt[30:] == "test").all()
    assert (dealt[:30] == "validation").sum() == 30 * 0.2
    with pytest.raises(ConfigError, match="only fold 0 can be held out"):
        assign_roles(given, held_out=1, validation=0.2, seed=0)
    kept = given.assign(role=["train"] * 20 + ["validation"] * 20 + ["test"] * 20)
    dealt = assign_roles(kept, held_out=0, validation=0.2, seed=0)
    assert dealt.tolist() == kept["role"].tolist()
