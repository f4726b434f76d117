"""A table of patients beside one of images: age, sex and skin type, joined by patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lentigo.datasets.reading.ages import births_beside
from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import choose_columns
from lentigo.datasets.reading.fields import describe
from lentigo.datasets.reading.files import read_columns
from lentigo.datasets.reading.look_alikes import spelled_alike
from lentigo.errors import ColumnError, DatasetError
from lentigo.table_files.cells import as_ids
from lentigo.table_files.not_known import known_ids
from lentigo.table_files.noted import NotedTable
from lentigo.words import counted, some, verb

if TYPE_CHECKING:
    from pandas.api.typing import DataFrameGroupBy

FIELDS = ("age", "sex", "skin_type")
"""Columns of a table of patients that are copied to all images of the patient."""


@dataclass
class _Asked:
    """The table of patients that the tables of a command are joined with."""

    path: Path
    tables: int
    """Number of tables that the command reads."""
    left: int = 0
    """Number of tables so far in which none of these patients is."""


_ASKED: ContextVar[_Asked | None] = ContextVar("_ASKED", default=None)


@contextmanager
def joined_with(path: Path, *, tables: int = 1) -> Iterator[None]:
    """Join every table that is read in the `with` block with the patients in `path`.

    If there are several `tables`, one of them has to name these patients; notes tell which
    do not.
    """
    token = _ASKED.set(_Asked(path, tables))
    try:
        yield
    finally:
        _ASKED.reset(token)


def is_joined() -> bool:
    """Tell whether tables are joined with one of patients (`joined_with`)."""
    return _ASKED.get() is not None


def with_asked_patients(
    read: NotedTable, *, columns: Mapping[str, str] | None = None
) -> NotedTable:
    """Return the table `read`, joined with the patients of `joined_with`, if it is in use.

    Raises what `with_patients` raises; with several tables only if none can be joined.
    """
    asked = _ASKED.get()
    if asked is None:
        return read
    people, notes = _read(asked.path, columns or {})
    refusal = _cannot_join(read.table, people, asked.path)
    if refusal is None:
        return _joined(read, people, notes, asked.path)
    asked.left += 1
    if asked.left == asked.tables:
        raise refusal
    names = some(read.table["dataset"].dropna().unique().tolist())
    note = f"{asked.path.name} has none of the patients of {names or 'one table'}."
    return read.holding(read.table, note)


def with_patients(
    read: NotedTable, path: Path, *, columns: Mapping[str, str] | None = None
) -> NotedTable:
    """Return the table `read` with age, sex and skin type of its patients from `path`.

    Patients are matched by `patient_id`. A value in the table of images is kept, and
    contradictions are counted in notes, as are images whose patient is not in `path` and
    patients without an image. `columns` maps columns of a lesion table to columns of the
    file, where these exist.

    Raises `ColumnError` where a table names no patients or two rows of a patient differ,
    and `DatasetError` where no patient is in both tables.
    """
    people, notes = _read(path, columns or {})
    if (refusal := _cannot_join(read.table, people, path)) is not None:
        raise refusal
    return _joined(read, people, notes, path)


def _cannot_join(
    table: pd.DataFrame, people: pd.DataFrame, path: Path
) -> DatasetError | None:
    """Return the error for a table none of whose patients is in `path`, else None."""
    images = table["patient_id"].dropna()
    if images.empty:
        return ColumnError(
            f"The images name no patient, so {path} cannot be joined; say which column "
            "does with --column patient_id=…."
        )
    if images.isin(people.index.tolist()).any():
        return None
    return DatasetError(
        f"No patient of the images is in {path.name}: the images name "
        f"{some(images.unique().tolist())}; {path.name} names "
        f"{some(sorted(people.index))}. Say which column names the patients with --column "
        "patient_id=…."
    )


def _joined(
    read: NotedTable, people: pd.DataFrame, notes: list[str], path: Path
) -> NotedTable:
    table = read.table
    there = table["patient_id"].isin(people.index.tolist())
    notes = [*notes, *_matched(table["patient_id"], people, path)]
    found = people.reindex(table["patient_id"]).set_axis(table.index)
    filled = table.copy()
    for name in people:
        own, theirs = table[name], found[name].astype(table[name].dtype)
        filled[name] = own.fillna(theirs)
        count = int((theirs.notna() & own.isna()).sum())
        notes.append(f"{name} of {counted(count, 'image')} comes from {path.name}.")
        if differ := int(((own != theirs) & own.notna() & theirs.notna()).sum()):
            notes.append(
                f"{path.name} contradicts the {name} of {counted(differ, 'image')}; what "
                "stands beside the image is believed."
            )
    both = pd.Series([*table["patient_id"].dropna(), *people.index], dtype="string")
    if not there.all():
        notes += spelled_alike(both, name="patient_id")
    return read.holding(filled, *notes)


def _read(path: Path, columns: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the data of each patient, by id, and notes on words that are not known."""
    with as_ids(columns.get("patient_id")):
        source = read_columns(path)
    given = {ours: theirs for ours, theirs in columns.items() if theirs in source}
    chosen = choose_columns(source.columns, given=given, source=str(path))
    # In a table of patients a column `id` holds the ids of the patients.
    plain = next((str(name) for name in source if str(name).strip().lower() == "id"), None)
    patient = chosen.get("patient_id") or plain
    if patient is None:
        raise ColumnError(
            f"{path} has no column that looks like the number of a patient. It has "
            f"{some(list(source), at_most=8)}; call one of them patient_id."
        )
    births = births_beside({key(name): str(name) for name in source})
    fields = {name: chosen[name] for name in FIELDS if name in chosen}
    if not fields:
        raise ColumnError(
            f"{path} has no column for age, sex or skin type. It has "
            f"{some(list(source), at_most=8)}; call them so.{' '.join(['', *births])}"
        )
    rows, notes = describe(source, fields)
    rows.insert(0, "patient", known_ids(source[patient]))
    listed = ", ".join(f"{ours} from {theirs}" for ours, theirs in fields.items())
    notes = [f"{path.name}: patient_id from {patient}, {listed}.", *notes]
    if "age" not in fields:
        notes += births
    if nameless := int(rows["patient"].isna().sum()):
        notes.append(
            f"{counted(nameless, 'row')} of {path.name} without a patient left out."
        )
    people = rows[rows["patient"].notna()].groupby("patient", sort=False)
    _check_once(people, path)
    return people.first(), notes  # of each column the first value that is known


def _check_once(people: DataFrameGroupBy[Any, Any], path: Path) -> None:
    """Raise `ColumnError` where two rows of a patient hold different values.

    A missing value differs from none: one row may complete another.
    """
    differs = people.nunique().gt(1).any(axis=1)
    if twice := differs[differs].index.tolist():
        raise ColumnError(
            f"{path} says different things of {counted(len(twice), 'patient')}: "
            f"{some(twice)}. Keep one row of each."
        )


def _matched(ids: pd.Series[Any], people: pd.DataFrame, path: Path) -> list[str]:
    images = ids.dropna()
    known = set(people.index)
    lost = [name for name in images.unique().tolist() if name not in known]
    unused = sorted(known - set(images))
    notes = []
    if lost:
        count = int(images.isin(lost).sum())
        notes.append(
            f"{counted(len(lost), 'patient')} with {counted(count, 'image')} not in "
            f"{path.name}: {some(lost)}."
        )
    if unused:
        has = verb(len(unused), "has", "have")
        notes.append(
            f"{counted(len(unused), 'patient')} of {path.name} {has} no image here: "
            f"{some(unused)}."
        )
    if gone := int(ids.isna().sum()):
        notes.append(f"{counted(gone, 'image')} without a patient, so nothing was joined.")
    return notes
