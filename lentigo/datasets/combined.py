"""Several lesion tables become one, which knows the images that they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.datasets.reading.sources import joined_sources
from lentigo.errors import ColumnError, ConfigError
from lentigo.tables import NotedTable, as_noted, check_table
from lentigo.words import counted, some, verb

_NAMES_AN_IMAGE = ("image_id", "duplicate_of")


def combine(tables: Sequence[pd.DataFrame | NotedTable]) -> NotedTable:
    """Return one lesion table of several: the rows of all, each still saying its `dataset`.

    An `image_id` gets its data set in front (`isic2017:ISIC_0000000`), also in
    `duplicate_of`, so that no two rows are called alike. An id of the ISIC archive
    recurs from year to year and always means the same image: all its rows are kept, the
    column `isic_id` holds the id without its data set, and `assign_groups` never parts
    rows that share it. Patients and lesions stay apart between data sets, unless the
    archive counts them across its collections (`IP_…`, `IL_…`, `HAM_…`, `BCN_…`).

    A group gets its data sets in front, too: each table counts its groups anew. Folds of
    the single tables are emptied, as they would not keep these images together.
    The notes and sources of all are kept, and a note says how many images are shared.

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
    notes = [note for part in parts for note in part.notes]
    return NotedTable(table, (*notes, *_shared(table)), tuple(joined_sources(parts)))


def _apart(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of `table` whose images are named after their data set, too."""
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
    """The groups of one table behind the data sets that each has images of.

    They are kept, as an audit's groups know pairs that no column tells of.
    """
    group = table["group_id"].astype("string")
    sets = pd.DataFrame({"group": group, "sets": table["dataset"].astype("string")})
    sets = sets.dropna().drop_duplicates().sort_values("sets")
    fronts = sets.groupby("group")["sets"].agg("+".join)
    return _prefixed(group, group.map(fronts).astype("string").fillna(""))


def _prefixed(names: pd.Series[Any], datasets: pd.Series[Any]) -> pd.Series[Any]:
    """`names` behind their data set; one that has been combined before has it already."""
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
        "share a group."
    ]
