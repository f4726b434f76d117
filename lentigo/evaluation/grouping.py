"""Group the images for intervals: by a given column, else by patient, else by lesion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from lentigo.curation.groups import assign_groups
from lentigo.datasets.reading.columns import guess_columns
from lentigo.errors import ColumnError, DatasetError
from lentigo.evaluation.joining import OF_TRUTH, Matched
from lentigo.evaluation.measured import AS_MEASURED
from lentigo.table_files.not_known import known_ids
from lentigo.tables import check_table
from lentigo.words import counted, some, verb


@dataclass(frozen=True)
class Groups:
    """The groups of images that are taken as independent and resampled as a whole."""

    group: pd.Series[Any]
    """The name of the group of each image; none is missing."""
    unit: str
    """The unit of a group: "patient", "lesion", "group", "image", or a column name."""
    note: str
    """A sentence that says what the groups are and where they come from."""


def grouped(matched: Matched, group: str | None) -> Groups:
    """Find the group of each image, from the column `group` of either table.

    If `group` is None the groups are `group_id` where either table has it, else patients
    and lesions as `lentigo.curation.assign_groups` joins them: an image without a patient
    is grouped by its lesion, or is a group of its own. Without any of these columns every
    image is a group of its own.

    Raises:
        ColumnError: neither table has the column `group`.
        DatasetError: some images have no value in the column `group` (or `group_id`).
    """
    table = matched.table
    if group is not None:
        return _by_column(table, column_of(table, group, purpose="group by"))
    for name in ("group_id", "group_id" + OF_TRUTH):
        # A lesion table always has the column, though it may be empty.
        if name in table and table[name].notna().any():
            return _by_column(table, name)
    return _by_patient(table)


def column_of(table: pd.DataFrame, name: str, *, purpose: str) -> str:
    """Return the name that the column `name` has in the matched `table`.

    It is `name` if the predictions have the column, or `name` with the suffix `OF_TRUTH` if
    only the truth has it. Raises `ColumnError` when neither has it; `purpose`, such as
    "group by", completes the message.
    """
    found = next((n for n in (name, name + OF_TRUTH) if n in table), None)
    if found is not None:
        return found
    names = sorted({str(column).removesuffix(OF_TRUTH) for column in table})
    near = get_close_matches(name, names, n=3) or names
    raise ColumnError(
        f"Neither table has a column {name} to {purpose}; there is {some(near)}."
    )


def column_for(table: pd.DataFrame, name: str, *, purpose: str) -> str:
    """Return the name in the matched `table` of the column `name`, or of its synonym.

    As `column_of`, but where neither predictions nor truth have `name` itself, a column
    that an archive calls differently is recognised (`guess_columns`). Raises `ColumnError`
    when there is none; `purpose` as in `column_of`.
    """
    for ending in ("", OF_TRUTH):
        if name + ending in table:
            return name + ending
    for ending in ("", OF_TRUTH):
        columns = [c for c in map(str, table) if c.endswith(OF_TRUTH) == bool(ending)]
        plain = {c.removesuffix(OF_TRUTH): c for c in columns}
        if (theirs := guess_columns(plain).get(name)) is not None:
            return plain[theirs]
    return column_of(table, name, purpose=purpose)


def in_words(column: str) -> str:
    """Write a column with the table that it comes from: "localization of the truth"."""
    if column.endswith(AS_MEASURED):
        return f"{column.removesuffix(AS_MEASURED)} as measured"
    return f"{column.removesuffix(OF_TRUTH)} of the {_where(column)}"


def _by_column(table: pd.DataFrame, column: str) -> Groups:
    plain = column.removesuffix(OF_TRUTH)
    known = known_ids(table[column])
    lacking = table.loc[known.isna(), "image_id"].tolist()
    if lacking:
        raise DatasetError(
            f"{counted(len(lacking), 'image')} without {plain} cannot be resampled by it: "
            f"{some(lacking)}. Fill it in, or choose another column as the group (--group)."
        )
    note = f"Intervals take whole groups, by {plain} of the {_where(column)}."
    return Groups(known, _UNITS.get(plain, plain), note)


_UNITS = {"group_id": "group", "patient_id": "patient", "lesion_id": "lesion"}


def _where(column: str) -> str:
    return "truth" if column.endswith(OF_TRUTH) else "predictions"


def _by_patient(table: pd.DataFrame) -> Groups:
    ids = {name: _ids(table, name) for name in ("patient_id", "lesion_id", "dataset")}
    known = {name: values for name, (values, _) in ids.items() if values.notna().any()}
    units = [name for name in ("patient_id", "lesion_id") if name in known]
    if not units:
        return Groups(
            table["image_id"],
            "image",
            "Neither table names patients or lesions, so each image counts as independent.",
        )
    plain = check_table(
        pd.DataFrame({"image_id": table["image_id"], **known}), source="the matched images"
    )
    found = assign_groups(plain)["group_id"]
    said = " and ".join(f"{ids[name][1]}" for name in units)
    unit = _unit(known)
    note = f"Intervals take whole {unit}s, by {said}."
    alone = int(pd.concat([known[name] for name in units], axis=1).isna().all(axis=1).sum())
    if alone:
        note += (
            f" {counted(alone, 'image')} without any {verb(alone, 'counts', 'count')} as "
            "independent."
        )
    return Groups(found, unit, note)


def _unit(known: Mapping[str, pd.Series[Any]]) -> str:
    """Return what each group is: "patient" or "lesion", or "group" where they are mixed."""
    for name in ("patient_id", "lesion_id"):
        if name in known:
            return _UNITS[name] if known[name].notna().all() else "group"
    return "image"


def _ids(table: pd.DataFrame, name: str) -> tuple[pd.Series[Any], str]:
    """Return each image's id `name`, such as its patient, and its column in words.

    It is that of the truth or, where the truth has none for an image, of the predictions.
    """
    found = pd.Series(pd.NA, index=table.index, dtype="string")
    said = []
    for ending in (OF_TRUTH, ""):
        columns = [c for c in map(str, table) if c.endswith(OF_TRUTH) == bool(ending)]
        plain = {c.removesuffix(OF_TRUTH): c for c in columns}
        theirs = guess_columns(plain).get(name) or ("dataset" if name in plain else None)
        if theirs is None:
            continue
        ids = known_ids(table[plain[theirs]])
        if (ids.notna() & found.isna()).any():
            said.append(f"{theirs} of the {_where(plain[theirs])}")
        found = found.fillna(ids)
    return found, " and ".join(said)
