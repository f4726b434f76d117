"""All tables that are audited together become one; no two of its rows are called alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets import combine, guess_format, read_table
from lentigo.datasets.columns import choose_columns
from lentigo.datasets.csv_folder import TABLE_SUFFIXES
from lentigo.datasets.reading import read_columns
from lentigo.errors import ColumnError, ConfigError, some
from lentigo.tables import LESION_COLUMNS, check_table, read_any_table

Source = pd.DataFrame | Path | str

TRAIN, TEST = "train", "test"
PART_COLUMNS = ("part", "role", "split", "fold")
"""Columns that say which side of a split an image is on, the first that tells something."""


def gather(
    tables: Sequence[Source], *, test: Source | None = None, by: str | None = None
) -> pd.DataFrame:
    """One lesion table of all `tables`, with two columns more: `table` and `side`.

    `table` says which of the tables a row is from, by the name of its file or folder.
    `side` is the side of the split that an image is on: "test" for the rows of `test` and
    "train" for all others; without `test`, the value of the column `by`, or of the first of
    `PART_COLUMNS` that holds two values or more; missing where nothing says so.

    Where several data sets come together, an image is called by its data set and its id,
    as `lentigo.datasets.combine` does; where a data set stands in two tables, by its table
    and its id.

    Raises `ConfigError` without a table, `ColumnError` where there is no column `by`, and
    what the readers raise.
    """
    sources = [*tables, *([] if test is None else [test])]
    if not sources:
        raise ConfigError("There is no table to audit; name one or more.")
    if test is not None and not tables:
        raise ConfigError("There is only a test set; name the table to compare it with.")
    if test is not None and by is not None:
        raise ConfigError(
            "--test and --by both say what the test set is; give one of them."
        )
    names = _told_apart([_name(source, number) for number, source in enumerate(sources, 1)])
    parts = [
        _named(_read(source), name) for source, name in zip(sources, names, strict=True)
    ]
    whole = _together(parts)
    if test is not None:
        side = (whole["table"] == names[-1]).map({True: TEST, False: TRAIN})
        return whole.assign(side=side.astype("string"))
    return whole.assign(side=_side(whole, by))


def is_divided(table: pd.DataFrame) -> bool:
    """Whether `side` says that images are on two sides of a split or more."""
    return table["side"].dropna().unique().size > 1


def _read(source: Source) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return check_table(source, source="the table")
    path = Path(source)
    if path.suffix.lower() not in TABLE_SUFFIXES:
        return read_table(guess_format(path), path)
    whole = read_any_table(path)
    if set(LESION_COLUMNS) <= set(whole):
        return check_table(whole, source=str(path))
    return _anybodys(path)


def _anybodys(path: Path) -> pd.DataFrame:
    """A CSV of any kind with all its columns, for each of them may give the label away."""
    table = read_table("csv", path)
    source = read_columns(path)
    used = set(choose_columns(source.columns, source=str(path)).values())
    further = [name for name in source if name not in used and name not in table]
    sizes = {
        name: pd.to_numeric(source[name], errors="coerce").round().astype("Int64")
        for name in ("width", "height")
        if name in source and table[name].isna().all()
    }
    # Tables that lie side by side count their patients together, as train.csv and test.csv.
    joined = table.join(source[further]).assign(
        **sizes, dataset=path.absolute().parent.name
    )
    joined.attrs = dict(table.attrs)
    return joined


def _name(source: Source, number: int) -> str:
    if isinstance(source, pd.DataFrame):
        return f"table {number}"
    path = Path(source)
    return (path.name if path.is_dir() else path.stem) or str(path.resolve().name)


def _told_apart(names: list[str]) -> list[str]:
    told: list[str] = []
    for name in names:
        again = sum(other.partition(" (")[0] == name for other in told)
        told.append(f"{name} ({again + 1})" if again else name)
    return told


def _named(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """`table` with its name in every row, which is its data set too where none is given."""
    named = table.assign(
        table=pd.Series(name, index=table.index, dtype="string"),
        dataset=table["dataset"].fillna(name),
    )
    named.attrs = dict(table.attrs)
    return named


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if len(parts) == 1:
        return parts[0]
    sets = [set(part["dataset"].unique()) for part in parts]
    if sum(map(len, sets)) == len(set().union(*sets)):
        return combine(parts)
    renamed = [_by_table(part) for part in parts]
    whole = pd.concat(renamed, ignore_index=True, sort=False)
    table = check_table(whole, source="the tables together")
    table.attrs["notes"] = [
        str(note) for part in parts for note in part.attrs.get("notes", [])
    ]
    return table


def _by_table(table: pd.DataFrame) -> pd.DataFrame:
    """A copy whose images are named after their table, and keep their own name as well."""
    front = table["table"] + ":"
    renamed = table.assign(own_id=table["image_id"], image_id=front + table["image_id"])
    if "duplicate_of" in table:
        renamed["duplicate_of"] = front + table["duplicate_of"].astype("string")
    return renamed


def _side(table: pd.DataFrame, by: str | None) -> pd.Series[Any]:
    if by is not None:
        if by not in table:
            raise ColumnError(
                f"There is no column {by} to divide the images by. There are "
                f"{some([str(name) for name in table], at_most=12)}."
            )
        return table[by].astype("string")
    for name in PART_COLUMNS:
        if name in table and table[name].dropna().unique().size > 1:
            return table[name].astype("string")
    return pd.Series(pd.NA, index=table.index, dtype="string")
