"""Join several lesion tables into one, in which images that they share are recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.datasets.reading.sources import joined_sources
from lentigo.errors import ColumnError, ConfigError
from lentigo.tables import NotedTable, as_noted, check_table
from lentigo.words import counted, listed, some, verb

_NAMES_AN_IMAGE = ("image_id", "duplicate_of")


def combine(tables: Sequence[pd.DataFrame | NotedTable]) -> NotedTable:
    """Return one lesion table with the rows of several; the column `dataset` stays.

    An `image_id` is prefixed with its data set (`isic2017:ISIC_0000000`), and so is
    `duplicate_of`, so that no two rows have the same name. An id of the ISIC archive recurs
    from year to year and always means the same image: all its rows are kept, the column
    `isic_id` holds the id without the data set, and `assign_groups` never separates rows
    with the same `isic_id`. Patients and lesions stay separate between data sets, unless
    the archive numbers them across its collections (`IP_…`, `IL_…`, `HAM_…`, `BCN_…`). A
    group is prefixed with its data sets, too, because each table numbers its groups from
    the start. Folds of the single tables are emptied, as they would not keep shared images
    together. The notes and sources of all tables are kept, and a note tells how many images
    are shared.

    Raises `ConfigError` without a table and `ColumnError` where two tables hold the same
    image of the same data set, or an image has no data set.
    """
    if not tables:
        raise ConfigError("There is no table to combine; name one or more.")
    parts = list(map(as_noted, tables))
    whole = pd.concat(
        [_apart(part.table) for part in parts], ignore_index=True, sort=False
    ).assign(fold=None)
    twice = whole.loc[whole["image_id"].duplicated(), "image_id"].unique().tolist()
    if twice:
        raise ColumnError(
            f"{counted(len(twice), 'image')} of the same data set "
            f"{verb(len(twice), 'stands', 'stand')} in two of the tables: {some(twice)}. "
            "Give each data set once, or rename the column dataset of one."
        )
    table = check_table(whole, source="the combined table")
    notes = [note for part in parts for note in _named(part, alone=len(parts) == 1)]
    return NotedTable(table, (*notes, *_shared(table)), tuple(joined_sources(parts)))


def _named(part: NotedTable, *, alone: bool) -> list[str]:
    """Return the notes of a table; beside others each begins with its data sets."""
    sets = listed(sorted(map(str, part.table["dataset"].unique())) or ["no data set"])
    named = f"{sets} ", f"{sets}:"
    return [
        note if alone or note.startswith(named) else f"{sets}: {note}"
        for note in part.notes
    ]


def _apart(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `table` with data sets in front of the names of images and groups.

    Raises `ColumnError` where an image has no data set.
    """
    if table["dataset"].isna().any():
        rows = table.loc[table["dataset"].isna(), "image_id"].tolist()
        raise ColumnError(
            f"{counted(len(rows), 'image')} without a data set: {some(rows)}. Fill the "
            "column dataset before combining."
        )
    named = table.copy()
    named["isic_id"] = isic_ids(table["image_id"])
    for column in _NAMES_AN_IMAGE:
        if column in table:
            named[column] = _prefixed(table[column].astype("string"), table["dataset"])
    named["group_id"] = _groups_apart(table)
    return named


def _groups_apart(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the groups of one table, each prefixed with the data sets of its images.

    The table's groups are kept and not made anew from its columns: an audit also groups
    near-identical images, which no column names.
    """
    group = table["group_id"].astype("string")
    sets = pd.DataFrame({"group": group, "sets": table["dataset"].astype("string")})
    sets = sets.dropna().drop_duplicates().sort_values("sets")
    fronts = sets.groupby("group")["sets"].agg("+".join)
    return _prefixed(group, group.map(fronts).astype("string").fillna(""))


def _prefixed(names: pd.Series[Any], datasets: pd.Series[Any]) -> pd.Series[Any]:
    """Return `names` with their data set in front, unless it is there already."""
    front = datasets.astype("string") + ":"
    pairs = zip(names.fillna(""), front, strict=True)
    there = pd.Series(
        [name.startswith(start) for name, start in pairs], index=names.index, dtype=bool
    )
    return names.where(there, front + names)


def _shared(table: pd.DataFrame) -> list[str]:
    known = table[table["isic_id"].notna()]
    archives = known.groupby("isic_id")["dataset"].nunique()
    if not (archives > 1).any():
        return []
    shared = known[known["isic_id"].isin(archives.index[archives > 1])]
    names = sorted(shared["dataset"].unique())
    count = int((archives > 1).sum())
    return [
        f"{counted(count, 'image')} of the ISIC archive {verb(count, 'stands', 'stand')} "
        f"in several of the data sets {some(names, at_most=8)}: each keeps its rows, which "
        f"share a group{_contradicting(shared)}."
    ]


def _contradicting(shared: pd.DataFrame) -> str:
    """Say of how many images the labels contradict each other; empty if of none.

    `shared` are rows of images that stand in several data sets.
    """
    answers = shared.groupby("isic_id")["melanoma"].nunique()
    both = answers.index[answers > 1].tolist()
    if not both:
        return ""
    return (
        f", and their labels contradict for {len(both):,}, melanoma in one data set and "
        f"not in another: {some(both)}. Correct the labels, or leave out those rows, "
        "before anything learns from both"
    )
