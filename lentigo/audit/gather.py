"""Join all tables that are audited together into one, in which every row has its own id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.audit.photos import read_folder
from lentigo.config import AuditConfig
from lentigo.curation.splits.folds import LEFT_OUT
from lentigo.curation.splits.part_words import PART_NAMES, holds_parts, read_part
from lentigo.curation.splits.read_any import read_to_split
from lentigo.datasets.any_table import Source, is_our_file, read_any
from lentigo.datasets.combined import combine
from lentigo.datasets.reading.columns import choose_columns
from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.datasets.reading.sources import joined_sources
from lentigo.errors import ColumnError, ConfigError
from lentigo.table_files.door import is_table, table_name
from lentigo.tables import (
    LESION_COLUMNS,
    SEXES,
    SITES,
    NotedTable,
    check_table,
    read_any_table,
)
from lentigo.words import listed, some, verb

_FRAMES = (pd.DataFrame, NotedTable)

TRAIN, TEST = "train", "test"


def gather(
    tables: Sequence[Source],
    *,
    test: Source | None = None,
    config: AuditConfig | None = None,
) -> NotedTable:
    """Join `tables` into one lesion table with two more columns: `table` and `side`.

    `table` names the table that a row comes from, after its file or folder. `side` is the
    side of the split that an image is on. With `test` it is "test" for the rows of `test`
    and "train" for all others. Without `test` it comes from the column `config.by`, or from
    the first column of `PART_NAMES` that `holds_parts` and has two sides or more; it is
    missing if there is no such column. Words and numbers for parts are read as
    `lentigo split --check` reads them.

    If the tables hold different data sets, `image_id` is prefixed with the data set, as in
    `lentigo.datasets.combine`; if one data set occurs in two tables, with the table's name,
    and so is `group_id` where two tables just count their groups and share no image, lesion
    or patient; a note says so.

    A CSV that lentigo did not write is read as `config.columns` and `config.images` say.

    Raises `ConfigError` if no table is given, if only `test` is given, if both `test` and
    `config.by` are given, or if `config.columns` or `config.images` is given without a CSV
    that they apply to; `ColumnError` if `config.by` is not a column or is empty; and the
    exceptions of the readers.
    """
    config = config or AuditConfig()
    sources = _sources(tables, test, config)
    names = _told_apart([_name(source, number) for number, source in enumerate(sources, 1)])
    parts = [
        _named(_read(source, config, together=test is not None), name)
        for source, name in zip(sources, names, strict=True)
    ]
    whole = _together(parts)
    if test is not None:
        side = (whole.table["table"] == names[-1]).map({True: TEST, False: TRAIN})
        return whole.holding(whole.table.assign(side=side.astype("string")))
    side, notes = _side(whole.table, config.by)
    table = whole.table.assign(side=side)
    return NotedTable(table, (*whole.notes, *notes), whole.sources)


def _sources(
    tables: Sequence[Source], test: Source | None, config: AuditConfig
) -> list[Source]:
    """Return all tables, the test set last; raise `ConfigError` as in `gather`."""
    sources = [*tables, *([] if test is None else [test])]
    if not sources:
        raise ConfigError("There is no table to audit; name one or more.")
    if test is not None and not tables:
        raise ConfigError("There is only a test set; name the table to compare it with.")
    if test is not None and config.by is not None:
        raise ConfigError(
            "--test and --by both say what the test set is; give one of them."
        )
    if (config.columns or config.images) and not any(map(_is_foreign, sources)):
        raise ConfigError(
            "--images and --column say how a CSV is to be read; lentigo's own tables and "
            "archives' folders are read as they are. Leave them out."
        )
    return sources


def is_divided(table: pd.DataFrame) -> bool:
    """Tell whether the column `side` has two sides of a split or more."""
    return _sides(table["side"]) > 1


def _sides(part: pd.Series[Any]) -> int:
    return int(part[part != LEFT_OUT].dropna().unique().size)


def _is_foreign(source: Source) -> bool:
    """Tell whether `source` is a CSV (or Parquet file) that lentigo did not write."""
    if isinstance(source, _FRAMES) or not is_table(source):
        return False
    return not is_our_file(Path(source))


def _read(source: Source, config: AuditConfig, *, together: bool) -> NotedTable:
    if isinstance(source, _FRAMES):
        return read_any(source)
    path = Path(source)
    if not is_table(path):
        return read_folder(path)
    if not _is_foreign(path):
        return read_any(path)
    whole = read_any_table(path)
    read = read_to_split(path, columns=config.columns, images=config.images)
    # Columns read as the label or another own column must not be tested as leaks.
    given = {n: theirs for n, theirs in config.columns.items() if n in LESION_COLUMNS}
    used = set(choose_columns(whole.columns, given=given, source=str(path)).values())
    table = read.table.drop(columns=list(used - set(LESION_COLUMNS)), errors="ignore")
    table = _in_our_words(table)
    if together and "dataset" not in whole:
        # Patient ids of train.csv and test.csv in one folder are one numbering.
        table["dataset"] = path.absolute().parent.name
    return read.holding(table)


def _in_our_words(table: pd.DataFrame) -> pd.DataFrame:
    """Check a CSV of any kind; an unknown word for sex or site becomes missing.

    All other columns are kept, since each of them may give the label away.
    """
    known = {
        name: table[name].where(table[name].isin(words))
        for name, words in (("sex", SEXES), ("site", SITES))
    }
    return check_table(table.assign(**known), source="the table")


def _name(source: Source, number: int) -> str:
    if isinstance(source, _FRAMES):
        return f"table {number}"
    path = Path(source)
    return (path.name if path.is_dir() else table_name(path)) or str(path.resolve().name)


def _told_apart(names: list[str]) -> list[str]:
    told: list[str] = []
    for name in names:
        again = sum(other.partition(" (")[0] == name for other in told)
        told.append(f"{name} ({again + 1})" if again else name)
    return told


def _named(read: NotedTable, name: str) -> NotedTable:
    """Add the column `table`, `name` in each row; a missing `dataset` becomes `name`."""
    named = read.table.assign(
        table=pd.Series(name, index=read.table.index, dtype="string"),
        dataset=read.table["dataset"].fillna(name),
    )
    return read.holding(named)


def _together(parts: list[NotedTable]) -> NotedTable:
    if len(parts) == 1:
        return parts[0]
    sets = [set(part.table["dataset"].unique()) for part in parts]
    if sum(map(len, sets)) == len(set().union(*sets)):
        return combine(parts)
    anew = _counting_anew(parts)
    renamed = [
        _by_table(part.table, groups=number in anew) for number, part in enumerate(parts)
    ]
    whole = pd.concat(renamed, ignore_index=True, sort=False)
    table = check_table(whole, source="the tables together")
    notes = [note for part in parts for note in part.notes]
    notes += _taken_apart([parts[number].table for number in sorted(anew)])
    return NotedTable(table, tuple(notes), tuple(joined_sources(parts)))


_IDS = ("image_id", "lesion_id", "patient_id")


def _counting_anew(parts: list[NotedTable]) -> set[int]:
    """Return the positions of the tables that each count their groups from the start.

    It is empty where two of them share an id of an image, a lesion or a patient: then the
    numbers of the groups are taken to mean the same in both, too.
    """
    found = [n for n, part in enumerate(parts) if _counts(part.table["group_id"])]
    for name in _IDS:
        ids = [parts[number].table[name].dropna().unique() for number in found]
        if pd.Series(np.concatenate(ids) if ids else []).duplicated().any():
            return set()
    return set(found) if len(found) > 1 else set()


def _counts(groups: pd.Series[Any]) -> bool:
    """Tell whether the groups of a table are just counted, 0, 1, 2 … or 1, 2, 3 …

    A number behind letters (P1) or zeros (001) is a name that means one thing everywhere.
    """
    names = groups.dropna().drop_duplicates()
    if names.empty or not names.str.fullmatch("0|[1-9][0-9]*").all():
        return False
    numbers = sorted(map(int, names))
    return numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1


def _taken_apart(tables: list[pd.DataFrame]) -> list[str]:
    """Return a note on the numbers of groups that stand in several of `tables`."""
    groups = [pd.Series(table["group_id"].dropna().unique()) for table in tables]
    times = pd.concat(groups).value_counts() if groups else pd.Series(dtype=int)
    again = sorted(map(int, times.index[times > 1]))
    if not again:
        return []
    named = [str(table["table"].iloc[0]) for table in tables]
    many = len(again) > 1
    span = f"Groups {again[0]} to {again[-1]}" if many else f"Group {again[0]}"
    return [
        f"{span} of {listed(named)} {verb(len(again), 'is', 'are')} taken for different "
        "ones, since each table counts its groups from the start. If a number means the "
        "same group in each, write it with a letter in front, such as P1."
    ]


def _by_table(table: pd.DataFrame, *, groups: bool) -> pd.DataFrame:
    """Prefix `image_id` with the name of the table; `own_id` keeps the original id.

    With `groups`, `group_id` is prefixed, too.
    """
    front = table["table"] + ":"
    renamed = table.assign(
        own_id=table["image_id"],
        isic_id=isic_ids(table["image_id"]),
        image_id=front + table["image_id"],
    )
    if groups:
        renamed["group_id"] = front + table["group_id"]
    if "duplicate_of" in table:
        renamed["duplicate_of"] = front + table["duplicate_of"].astype("string")
    return renamed


def _side(table: pd.DataFrame, by: str | None) -> tuple[pd.Series[Any], list[str]]:
    """Return the side of each image, and notes on columns that were not taken for it."""
    if by is not None:
        if by not in table or table[by].isna().all():
            # A table has all columns of ours, those that no file has without a value.
            what = "is not there" if by not in table else "is not there, or has no value"
            known = [str(name) for name in table if table[name].notna().any()]
            raise ColumnError(
                f"The column {by}, to divide the images by, {what}. There are "
                f"{some(known, at_most=12)}."
            )
        return read_part(table[by]), []
    columns = {str(name).lower().replace(" ", "_"): name for name in table}
    notes: list[str] = []
    for own in (columns[name] for name in PART_NAMES if name in columns):
        part = read_part(table[own])
        if _sides(part) > 1 and holds_parts(str(own), table[own]):
            return part, notes
        if _sides(part) > 1:
            notes.append(
                f"The column {own} ({some(part.dropna().unique().tolist())}) does not "
                f"divide the images for training and test; if it does, give --by {own}."
            )
    return pd.Series(pd.NA, index=table.index, dtype="string"), notes
