"""Deal the groups into parts that resemble each other; a group is never divided."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lentigo.config import BALANCED
from lentigo.curation.splits.balance import group_counts
from lentigo.curation.splits.dealing import deal
from lentigo.errors import ColumnError, ConfigError, DatasetError
from lentigo.words import counted, verb

TRAIN, VALIDATION, TEST, LEFT_OUT = "train", "validation", "test", "left out"
ROLES = (TRAIN, VALIDATION, TEST, LEFT_OUT)
"""The uses of an image. One left out is used neither for training nor for evaluation."""


def assign_folds(
    table: pd.DataFrame, *, folds: int, seed: int, balance: Sequence[str] = BALANCED
) -> pd.DataFrame:
    """Return `table` with `fold` filled: a number from 0 to `folds` - 1, one per group.

    Every fold gets about the same number of melanomas, of non-melanomas and of images, and
    then the same shares of the variables in `balance` (data set, site, age band, sex). The
    result depends on the groups, these columns and the seed, not on the order of the rows.
    Images without a label get a fold, too. A column `role` is removed.

    Raises `DatasetError` if no image is labelled or a class has fewer groups than there are
    folds, `ColumnError` if a row has no group or a column is missing, and `ConfigError` if
    `folds` is below 2.
    """
    if folds < 2:
        raise ConfigError(f"folds is {folds}; give 2 or more.")
    counts, weights = group_counts(table, balance)
    _check_classes(table, counts, folds)
    parts = deal(
        counts.to_numpy(), weights=weights, shares=[1 / folds] * folds, classes=2, seed=seed
    )
    fold = pd.Series(parts, index=counts.index)
    dealt = table["group_id"].map(fold).astype("Int64")
    return table.drop(columns="role", errors="ignore").assign(fold=dealt)


def deal_roles(
    table: pd.DataFrame,
    *,
    shares: dict[str, float],
    seed: int,
    balance: Sequence[str] = BALANCED,
) -> pd.Series[str]:
    """Return a role for each image, dealt by group in the given `shares` of the images.

    The roles are balanced as `assign_folds` balances folds.

    Raises `ColumnError` if a row has no group, `DatasetError` if there is no row, and
    `ConfigError` if the shares are not above 0 or do not add up to 1.
    """
    if table.empty:
        raise DatasetError("There is no image to deal out.")
    # Comparisons with NaN are false, so the condition asks for valid shares.
    if not (all(share > 0 for share in shares.values()) and _is_one(shares)):
        given = ", ".join(f"{name} {share}" for name, share in shares.items())
        raise ConfigError(f"The shares {given} should be above 0 and add up to 1.")
    counts, weights = group_counts(table, balance)
    parts = deal(
        counts.to_numpy(), weights=weights, shares=list(shares.values()), classes=2,
        seed=seed,
    )  # fmt: skip
    names = pd.Series(list(shares), dtype="string").iloc[parts].set_axis(counts.index)
    return table["group_id"].map(names).astype("string").rename("role")


def _is_one(shares: dict[str, float]) -> bool:
    return abs(sum(shares.values()) - 1) <= 1e-6


def assign_roles(
    table: pd.DataFrame, *, held_out: int, validation: float, seed: int
) -> pd.Series[str]:
    """Assign each image its role: "test" (the fold `held_out`), "validation" or "train".

    The share `validation` of the images that are not held out serves to choose the best
    epoch; it is dealt out by group and balanced. If the folds are data sets, a group may be
    in several: its images outside the held-out fold become "left out". If the split of the
    table fixes the roles (column `role`), they are kept, and only fold 0 can be held out:
    without a test part its validation part becomes the test part, and a missing validation
    part is dealt out of the training part.

    Raises `DatasetError` if a part would hold no melanoma, or nothing else; `ColumnError`
    if a row has no fold; `ConfigError` if there is no such fold or `validation` is not
    between 0 and 1.
    """
    if table["fold"].isna().any():
        raise ColumnError("Some rows have no fold; deal them out with assign_folds first.")
    if not 0 < validation < 1:
        raise ConfigError(f"validation is {validation}; give a share between 0 and 1.")
    role = (
        _given_roles(table, held_out)
        if has_roles(table)
        else held_out_roles(table, held_out)
    )
    if not (role == VALIDATION).any():
        learnt = table[(role == TRAIN).to_numpy()]
        shares = {TRAIN: 1 - validation, VALIDATION: validation}
        role[learnt.index] = deal_roles(learnt, shares=shares, seed=seed)
    check_parts(table, role)
    return role


def has_roles(table: pd.DataFrame) -> bool:
    """Tell whether every image of the table has a role from its split."""
    return "role" in table and bool(table["role"].isin(ROLES).all())


def held_out_roles(table: pd.DataFrame, held_out: int) -> pd.Series[str]:
    """Return "test" for the fold `held_out`, "left out" or "train" for all other images.

    An image is left out if its group also has images in the held-out fold.

    Raises `ConfigError` if there is no such fold.
    """
    out = (table["fold"] == held_out).fillna(False).astype(bool)
    if not out.any():
        raise ConfigError(f"There is no fold {held_out} to hold out.")
    role = pd.Series(TRAIN, index=table.index, dtype="string", name="role")
    role[table["group_id"].isin(table.loc[out, "group_id"])] = LEFT_OUT
    role[out] = TEST
    return role


def _given_roles(table: pd.DataFrame, held_out: int) -> pd.Series[str]:
    if held_out != 0:
        raise ConfigError(
            "This split has one test part, so only fold 0 can be held out; train with "
            "--folds 1, or deal out folds with 'lentigo split --scheme grouped'."
        )
    role = table["role"].astype("string")
    return role.copy() if (role == TEST).any() else role.replace(VALIDATION, TEST)


def _check_classes(table: pd.DataFrame, groups: pd.DataFrame, folds: int) -> None:
    labelled = int(table["melanoma"].notna().sum())
    if labelled == 0:
        raise DatasetError("No image is labelled: melanoma is missing in every row.")
    for column, name in _CLASSES:
        count = int((groups[column] > 0).sum())
        if count == 0:
            raise DatasetError(
                f"The table holds no {name} among {labelled:,} labelled images: nothing "
                "can be learned from one class. Check which column and words are the label."
            )
        if count < folds:
            fits = f"--folds {count} works, or give" if count > 1 else "give"
            raise DatasetError(
                f"{_only(count, name)}, fewer than the {folds} folds; {fits} more data."
            )


def check_enough(table: pd.DataFrame, *, folds: int) -> None:
    """Raise `DatasetError` if the folds are too many for the groups of a class.

    A training needs three groups of each class: to learn from, to choose the best epoch,
    and to be evaluated on. The message names a number of folds that works, if there is one.
    """
    groups, _ = group_counts(table, ())
    for column, name in _CLASSES:
        count = int((groups[column] > 0).sum())
        if 0 < count < 3:
            raise DatasetError(
                f"{_only(count, name)}, but a training needs 3 of each class: to learn "
                "from, to choose the best epoch by, and to be judged on. Give more data."
            )
        if count and (folds > count or count - -(-count // folds) < 2):
            raise DatasetError(
                f"{_only(count, name)}, which {folds} folds do not divide so that each can "
                f"be held out; --folds {count} works, or give more data."
            )


def _only(count: int, name: str) -> str:
    return (
        f"Only {counted(count, 'group')} (patients or lesions) "
        f"{verb(count, 'holds', 'hold')} a {name}"
    )


_CLASSES = (("melanomas", "melanoma"), ("others", "lesion other than melanoma"))


def check_parts(
    table: pd.DataFrame,
    role: pd.Series[str],
    names: Sequence[str] = (TRAIN, VALIDATION, TEST),
) -> None:
    """Raise `DatasetError` if a part has no labelled image, or images of one class only.

    `role` is the part of each row of `table`; the parts `names` are checked.
    """
    for name in names:
        label = table.loc[role == name, "melanoma"].dropna()
        if label.nunique() < 2:
            what = "no melanoma" if not label.any() else "nothing but melanoma"
            raise DatasetError(
                f"The {name} part would hold {what} ({len(label):,} labelled images); give "
                "fewer folds, a larger share for it, or more data."
            )
