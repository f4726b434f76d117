"""Deal the groups into parts with alike shares of melanoma; a group stays whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError, ConfigError, DatasetError

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def assign_folds(table: pd.DataFrame, *, folds: int, seed: int) -> pd.DataFrame:
    """`table` with `fold` filled: a number from 0 to `folds` - 1, one for a whole group.

    Every fold gets about the same number of melanomas and of images. The result depends
    on the groups, the labels and the seed, not on the order of the rows. Images without
    a label get a fold, too.

    Raises `DatasetError` where a class is missing or has fewer groups than there are
    folds, and `ColumnError` where a row has no group.
    """
    if folds < 2:
        raise ConfigError(f"folds is {folds}; give 2 or more.")
    groups = _groups(table)
    _check_classes(table, groups, folds)
    fold = _deal(groups, shares=[1 / folds] * folds, seed=seed)
    return table.assign(fold=table["group_id"].map(fold).astype("Int64"))


def assign_roles(
    table: pd.DataFrame, *, held_out: int, validation: float, seed: int
) -> pd.Series[str]:
    """What each image is for: "test" (the fold `held_out`), "validation" or "train".

    The share `validation` of what is not held out chooses the best epoch; it is dealt out
    by group and with the same share of melanoma.

    Raises `DatasetError` where a part would hold no melanoma, or nothing else.
    """
    if table["fold"].isna().any():
        raise ColumnError("Some rows have no fold; deal them out with assign_folds first.")
    if not 0 < validation < 1:
        raise ConfigError(f"validation is {validation}; give a share between 0 and 1.")
    out = table["fold"] == held_out
    if not out.any():
        raise ConfigError(f"There is no fold {held_out} to hold out.")
    rest = table[~out]
    part = _deal(_groups(rest), shares=[1 - validation, validation], seed=seed)
    chosen = rest["group_id"].map(part).map({0: TRAIN, 1: VALIDATION}).to_numpy()
    role = pd.Series(TEST, index=table.index, dtype="string", name="role")
    role[~out.to_numpy(dtype=bool)] = chosen
    _check_parts(table, role)
    return role


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """One row a group, by name: its number of images, of melanomas and of others."""
    if table["group_id"].isna().any():
        raise ColumnError("Some rows have no group_id; fill it with assign_groups first.")
    counts = pd.DataFrame(
        {
            "images": 1,
            "melanomas": table["melanoma"].eq(True).fillna(False).astype(int),
            "others": table["melanoma"].eq(False).fillna(False).astype(int),
        }
    )
    return counts.groupby(table["group_id"]).sum().sort_index()


def _deal(groups: pd.DataFrame, *, shares: Sequence[float], seed: int) -> pd.Series[Any]:
    """A part for each group: the largest first, each to the part that is emptiest so far.

    Groups with melanoma are dealt first, by their number of melanomas, then those with
    other labelled images, then the rest; "empty" is meant in the same order, relative to
    the share of a part. Groups alike come in random order.
    """
    columns = ["melanomas", "others", "images"]
    order = np.random.default_rng(seed).permutation(len(groups))
    shuffled = groups.iloc[order].sort_values(columns, ascending=False, kind="stable")
    share = np.asarray(shares)
    filled = np.zeros((len(columns), len(share)))
    parts = np.empty(len(groups), dtype=int)
    counts = shuffled[columns].to_numpy()
    for row, count in enumerate(counts):
        after = (filled + count[:, None]) / share
        # lexsort takes its last key first; what the group does not have does not decide.
        parts[row] = np.lexsort([after[2], after[np.flatnonzero(count)[0]]])[0]
        filled[:, parts[row]] += count
    _fill_empty(parts, counts[:, 0], len(share))
    return pd.Series(parts, index=shuffled.index)


def _fill_empty(
    parts: np.ndarray[Any, Any], melanomas: np.ndarray[Any, Any], n: int
) -> None:
    """Give a part without melanoma the smallest group that has one and can be spared."""
    for part in range(n):
        owners = parts[melanomas > 0]
        if (owners == part).any():
            continue
        spare = [row for row, owner in enumerate(owners) if (owners == owner).sum() > 1]
        if spare:
            parts[np.flatnonzero(melanomas > 0)[spare[-1]]] = part


def _check_classes(table: pd.DataFrame, groups: pd.DataFrame, folds: int) -> None:
    labelled = int(table["melanoma"].notna().sum())
    if labelled == 0:
        raise DatasetError("No image is labelled: melanoma is missing in every row.")
    for column, name in (
        ("melanomas", "melanoma"),
        ("others", "lesion other than melanoma"),
    ):
        count = int((groups[column] > 0).sum())
        if count == 0:
            raise DatasetError(
                f"The table holds no {name} among {labelled:,} labelled images: nothing "
                "can be learned from one class. Check which column and words are the label."
            )
        if count < folds:
            raise DatasetError(
                f"Only {count:,} groups (patients or lesions) hold a {name}, fewer than "
                f"the {folds} folds; give fewer folds or more data."
            )


def _check_parts(table: pd.DataFrame, role: pd.Series[str]) -> None:
    for name in (TRAIN, VALIDATION, TEST):
        label = table.loc[role == name, "melanoma"].dropna()
        if label.nunique() < 2:
            what = "no melanoma" if not label.any() else "nothing but melanoma"
            raise DatasetError(
                f"The {name} part would hold {what} ({len(label):,} labelled images); give "
                "fewer folds, a larger share for validation, or more data."
            )
