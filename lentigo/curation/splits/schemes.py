"""Ways to divide a table: folds, shares, by source, by time, or as the archive did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from lentigo.config import SplitPlan
from lentigo.curation.groups import assign_groups, shared_lesions
from lentigo.curation.splits.folds import (
    LEFT_OUT,
    ROLES,
    TEST,
    TRAIN,
    VALIDATION,
    assign_folds,
    check_parts,
    deal_roles,
    held_out_roles,
)
from lentigo.curation.splits.leakage import check_split
from lentigo.curation.splits.part_words import PART_WORDS, read_part
from lentigo.curation.splits.times import choose_limit, read_times
from lentigo.errors import ColumnError, DatasetError
from lentigo.tables import NotedTable
from lentigo.words import counted, some, verb

FOLD_OF_ROLE = {TEST: 0, VALIDATION: 1, TRAIN: 2}
"""The fold number of each role. The test part is fold 0, so a program that knows only folds
holds it out by holding out fold 0."""


def split_table(
    table: pd.DataFrame, plan: SplitPlan, pairs: pd.DataFrame | None = None
) -> NotedTable:
    """Divide `table` by `plan`: fill `group_id`, `fold` and, in some schemes, `role`.

    `pairs` are duplicates (columns a and b) that stay together in addition to those that
    the table itself names; rows that share a `group_id` in the table, such as that of an
    audit, stay together, too. `role` is train, validation, test or left out. The notes say
    which images were left out and why. The same plan gives the same split, whatever the
    order of the rows.

    Raises `LeakError` if a published split has a group on both sides, and `ColumnError`,
    `ConfigError` or `DatasetError` if the scheme does not fit the table.
    """
    if table.empty:
        raise DatasetError("The table has no image, so there is nothing to divide.")
    bare = table.drop(columns="role", errors="ignore")
    grouped = assign_groups(bare, pairs, keep=True)
    divided = SCHEMES[plan.scheme](grouped, plan)
    advice = _DROP if plan.scheme == "published" else ""
    for role in sides_of(divided.table):
        check_split(divided.table, role, pairs, advice=advice)
    return NotedTable(divided.table, (*shared_lesions(bare), *divided.notes))


def sides_of(divided: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the parts that a training on `divided` keeps apart, one series per training.

    The series is its roles, else its folds. If groups are in several folds, because data
    sets may share images, there is one series of roles for each held-out fold.
    """
    if "role" in divided and divided["role"].notna().any():
        yield divided["role"]
    elif divided.groupby("group_id")["fold"].nunique().max() <= 1:
        yield divided["fold"]
    else:
        for fold in sorted(divided["fold"].unique()):
            yield held_out_roles(divided, int(fold))


def grouped(table: pd.DataFrame, plan: SplitPlan) -> NotedTable:
    """Folds of whole groups, balanced by class, then by source, site, age and sex."""
    return NotedTable(
        assign_folds(table, folds=plan.folds, seed=plan.seed, balance=plan.balance)
    )


def holdout(table: pd.DataFrame, plan: SplitPlan) -> NotedTable:
    """Train, validation and test once, by shares such as 0.7,0.15,0.15; balanced."""
    names = (TRAIN, TEST) if len(plan.shares) == 2 else (TRAIN, VALIDATION, TEST)
    role = deal_roles(
        table,
        shares=dict(zip(names, plan.shares, strict=True)),
        seed=plan.seed,
        balance=plan.balance,
    )
    check_parts(table, role, names)
    return NotedTable(_with_roles(table, role))


def several_sources(table: pd.DataFrame) -> list[str]:
    """Return the names of the data sets of a table, in alphabetical order.

    Raises `ColumnError` if an image has no data set, and `DatasetError` if all images are
    of one data set.
    """
    if table["dataset"].isna().any():
        rows = table.loc[table["dataset"].isna(), "image_id"].tolist()
        raise ColumnError(
            f"{counted(len(rows), 'image')} without a data set ({some(rows)}), so it is "
            "unknown which fold they are in. Fill the column dataset."
        )
    sources: list[str] = sorted(table["dataset"].unique())
    if len(sources) < 2:
        raise DatasetError(
            f"All images are of the data set {sources[0]}: leaving it out leaves nothing. "
            "Join several with 'lentigo combine', or choose another scheme."
        )
    return sources


def leave_one_source_out(table: pd.DataFrame, _: SplitPlan) -> NotedTable:
    """One fold per data set; groups in two are left out of training when one is tested."""
    sources = several_sources(table)
    number = {name: fold for fold, name in enumerate(sources)}
    divided = table.assign(fold=table["dataset"].map(number).astype("Int64"))
    notes = [f"Fold {fold} is the data set {name}." for name, fold in number.items()]
    spans = divided.groupby("group_id")["fold"].transform("nunique") > 1
    if spans.any():
        groups = divided.loc[spans, "group_id"].nunique()
        notes.append(
            f"{counted(groups, 'group')} ({counted(int(spans.sum()), 'image')}) "
            f"{verb(groups, 'stands', 'stand')} in several data sets: when one is tested, "
            "the images in the others are left out of training."
        )
    for name, fold in number.items():
        if not (held_out_roles(divided, fold) == TRAIN).any():
            notes.append(f"When {name} is tested, nothing is left to train on.")
    return NotedTable(divided, tuple(notes))


def time(table: pd.DataFrame, plan: SplitPlan) -> NotedTable:
    """Train on images before a date, test on later images of groups not trained on."""
    when = read_times(table, plan.time)
    limit = choose_limit(when, plan.before)
    early = when < limit
    role = pd.Series(TEST, index=table.index, dtype="string", name="role").mask(
        early, TRAIN
    )
    known_before = table["group_id"].isin(table.loc[early, "group_id"]) & ~early
    notes = [f"The test part begins with {limit:%Y-%m-%d} (column {plan.time})."]
    if count := int((known_before & when.notna()).sum()):
        notes.append(
            f"{counted(count, 'image')} of a later date left out, because the same "
            "patients (or groups) are in the training part with earlier images."
        )
    if count := int(when.isna().sum()):
        notes.append(f"{counted(count, 'image')} without a {plan.time} left out.")
    role = role.mask(known_before | when.isna(), LEFT_OUT)
    for name in (TRAIN, TEST):
        if not (role == name).any():
            raise DatasetError(
                f"No image would be left for the {name} part: its groups stand on both "
                f"sides of {limit:%Y-%m-%d}, or it has no date. Choose another --before."
            )
    return NotedTable(_with_roles(table, role), tuple(notes))


def published(table: pd.DataFrame, plan: SplitPlan) -> NotedTable:
    """The archive's own parts (column part), refused if they leak unless --drop-leaks."""
    role = _published_roles(table)
    notes = []
    if role.isna().any():
        missing = table.loc[role.isna(), "image_id"].tolist()
        notes.append(
            f"{counted(len(missing), 'image')} without a published part left out: "
            f"{some(missing)}."
        )
        role = role.fillna(LEFT_OUT)
    if plan.drop_leaks:
        before = role
        role = _without_leaks(table, role)
        if lost := table.loc[role != before, "image_id"].tolist():
            notes.append(
                f"{counted(len(lost), 'image')} left out, because others of the same group "
                f"are in the part that judges: {some(lost)}."
            )
    if not {TRAIN, TEST} <= set(role) and not {TRAIN, VALIDATION} <= set(role):
        raise DatasetError(
            "The published parts leave nothing to train on or nothing to judge by: only "
            f"{some(sorted(set(role)))} is here. Read the whole archive (--part all)."
        )
    return NotedTable(_with_roles(table, role), tuple(notes))


_DROP = "With --drop-leaks the training side is left out, so that the test stays whole."

SCHEMES: dict[str, Callable[[pd.DataFrame, SplitPlan], NotedTable]] = {
    "grouped": grouped,
    "holdout": holdout,
    "leave-one-source-out": leave_one_source_out,
    "time": time,
    "published": published,
}
"""Name → function that divides a grouped table; `lentigo list` shows the first line of its
docstring."""


def _published_roles(table: pd.DataFrame) -> pd.Series:
    if "part" not in table or table["part"].isna().all():
        raise ColumnError(
            "The table has no column part, in which a reader puts the archive's own parts; "
            "name one with --column part=THEIRS, or choose another scheme."
        )
    role = read_part(table["part"])
    strange = sorted(set(role.dropna()) - set(ROLES))
    if strange:
        raise ColumnError(
            f"The column part holds {some(strange)}; understood are "
            f"{some(list(PART_WORDS), at_most=12)}."
        )
    return role.rename("role")


def _without_leaks(table: pd.DataFrame, role: pd.Series) -> pd.Series:
    """Keep only one part of each group: test, else validation, else training.

    The group's images in other parts become "left out".
    """
    rank = role.map({TRAIN: 0, VALIDATION: 1, TEST: 2})
    best = rank.groupby(table["group_id"]).transform("max")
    return role.mask(rank < best, LEFT_OUT)


def _with_roles(table: pd.DataFrame, role: pd.Series) -> pd.DataFrame:
    folds = dict(FOLD_OF_ROLE)
    if TEST not in set(role):
        # Archives such as ISIC 2017 without its test part are judged by the validation.
        folds = {VALIDATION: 0, TRAIN: 2}
    return table.assign(fold=role.map(folds).astype("Int64"), role=role)
