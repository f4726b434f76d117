"""Read a table of readings: readers' ratings and calls of images, long or wide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import (
    COLUMN_NAMES,
    guess_columns,
    image_names,
    missing_column,
)
from lentigo.datasets.reading.label_columns import read_labels
from lentigo.errors import ColumnError, ConfigError, DatasetError, unknown_name
from lentigo.evaluation.joining import Source
from lentigo.table_files.not_known import known_ids, plain
from lentigo.tables import read_any_table
from lentigo.words import counted, some, verb

OF_READERS: Mapping[str, tuple[str, ...]] = {
    "reader": ("reader", "reader_id", "rater", "rater_id", "observer", "physician",
               "doctor", "dermatologist", "user_id", "annotator", "befunder", "arzt"),
    "rating": ("rating", "score", "confidence", "probability", "likelihood", "suspicion"),
    "call": ("call", "decision", "answer", "reading", "prediction", "melanoma", "diagnosis",
             "management", "benign_malignant", "dx"),
    "condition": ("condition", "arm", "setting", "modality", "aid", "phase", "session"),
}  # fmt: skip
"""Known column names of a table with one row a reading; the first found is taken."""

ONE_CONDITION = ""
"""The name of the condition where a table has no column for it."""


@dataclass(frozen=True)
class Readings:
    """The readings of all readers, one row a reading."""

    table: pd.DataFrame
    """Columns `condition`, `reader`, `image_id` (text), `rating` (float, NaN where there is
    no rating) and `call` (float: 1 melanoma, 0 not, NaN where there is no call)."""
    notes: tuple[str, ...]


def read_readings(
    table: pd.DataFrame,
    *,
    name: str,
    columns: Mapping[str, str] | None = None,
    call_from: float | None = None,
) -> Readings:
    """Return the readings of a table with one row a reading, or one column a reader.

    With a column `reader` (or `rater`, `observer` …) a row is one reading: an image, and a
    `rating`, a `call`, or both; `condition` (`arm`, `session` …) distinguishes readings,
    such as with and without an aid. Without a column `reader`, each column that does not
    describe the image, patient or lesion holds the readings of one reader. Numbers other
    than only 0 and 1 are ratings: the higher, the likelier melanoma. All other values are
    calls: 0 and 1, yes and no, diagnoses. Where there is no call, a rating of `call_from`
    or more counts as a call of melanoma, a lower one as a call of no melanoma. `name` is
    what the table is called in messages.

    Raises `ColumnError` when a column is missing, a reading comes twice or a rating is no
    number, `UnknownWordsError` when a call is not understood, and `ConfigError` when
    `call_from` is given but there is no rating.
    """
    given = dict(columns or {})
    found = _columns(table, given, name)
    apart = _of_the_images(table, found, given) if "reader" in found else []
    long = _long(table, found) if "reader" in found else _wide(table, found, given, name)
    values, notes = _values(long, name)
    rows = pd.DataFrame(
        {
            "condition": _text(long["condition"], ONE_CONDITION),
            "reader": _text(long["reader"], pd.NA),
            "image_id": long["image_id"],
            **values,
        }
    )
    _check(rows, name)
    if call_from is not None:
        rows = _called(rows, call_from, name)
    said = rows[["rating", "call"]].notna().any(axis=1)
    if not said.all():
        notes.append(f"{counted(int((~said).sum()), 'reading')} without a value left out.")
    shape = (_shape(found, rows), *apart)
    return Readings(rows[said].reset_index(drop=True), (*shape, *notes))


def _columns(table: pd.DataFrame, given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return `image_id`, `reader`, `rating`, `call`, `condition` → column of `table`.

    Those in `given` are taken, the others guessed; only `image_id` is always in the result.

    Raises `ColumnError` if a given column is missing, or no column names the images; `name`
    names the table in it.
    """
    for ours, theirs in given.items():
        if ours in {"image_id", *OF_READERS} and theirs not in table:
            raise missing_column(theirs, map(str, table), source=name)
    names = {key(column): column for column in reversed(list(map(str, table)))}
    found = {
        ours: names[key(fits)]
        for ours, candidates in OF_READERS.items()
        if (fits := next((each for each in candidates if key(each) in names), None))
    }
    left = (column for column in map(str, table) if column not in found.values())
    image = guess_columns(left).get("image_id")
    if image is not None:
        found["image_id"] = image
    found |= {k: v for k, v in given.items() if k in {"image_id", *OF_READERS}}
    if "image_id" not in found:
        raise ColumnError(
            f"{name} has no column that names the images. It has "
            f"{some(list(table), at_most=8)}; say which it is with --column image_id=…."
        )
    return found


_OF_AN_IMAGE = frozenset({"melanoma", "diagnosis", "benignmalignant", "dx"})
"""Names of columns that may hold either the readers' calls or the true diagnosis."""


def _of_the_images(
    table: pd.DataFrame, found: dict[str, str], given: Mapping[str, str]
) -> list[str]:
    """Remove from `found` a column of calls that holds the true diagnosis; return notes.

    If there are ratings too, a diagnosis column that is the same for all readers of each
    image is taken for the true diagnosis, unless `given` names it as the column of calls.
    """
    call = found.get("call", "")
    guessed = "call" not in given and key(call) in _OF_AN_IMAGE
    if not guessed or "rating" not in found or found["rating"] == call:
        return []
    said = table[call].astype("string").groupby(table[found["image_id"]])
    if said.size().max() < 2 or said.nunique(dropna=False).max() > 1:
        return []
    del found["call"]
    return [
        f"The column {call} is the same for all readers of each image, so it is not taken "
        f"for their calls; if it holds them, say so: --column call={call}."
    ]


def _long(table: pd.DataFrame, found: Mapping[str, str]) -> pd.DataFrame:
    nothing = pd.Series(pd.NA, index=table.index, dtype="object")
    columns = {
        ours: table[found[ours]] if ours in found else nothing for ours in OF_READERS
    }
    both = found.get("rating") == found.get("call")
    if both:
        columns["call"] = nothing
    # `_images` looks at distinct names, since an image has a row for each reading.
    return pd.DataFrame({**columns, "image_id": _images(table[found["image_id"]])})


def _wide(
    table: pd.DataFrame, found: Mapping[str, str], given: Mapping[str, str], name: str
) -> pd.DataFrame:
    known = {key(each) for names in COLUMN_NAMES.values() for each in names}
    known |= {key(each) for each in ("width", "height", "sha256", "dataset", "fold")}
    known |= {key(each) for each in ("group_id", *given.values(), found["image_id"])}
    readers = [column for column in map(str, table) if key(column) not in known]
    if not readers:
        raise ColumnError(
            f"{name} has no column of readers: give a row a reading, with columns reader, "
            f"image_id and rating or call, or a column a reader. It has "
            f"{some(list(table), at_most=8)}."
        )
    image = _images(table[found["image_id"]])
    _check_named(image, "the image", name)
    parts = [
        pd.DataFrame({"image_id": image, "reader": reader, "rating": table[reader]})
        for reader in readers
    ]
    whole = pd.concat(parts, ignore_index=True)
    nothing = pd.Series(pd.NA, index=whole.index, dtype="object")
    return whole.assign(call=nothing, condition=nothing)


def _images(column: pd.Series[Any]) -> pd.Series[Any]:
    distinct = pd.Series(column.dropna().unique())
    names = dict(zip(distinct, image_names(distinct), strict=True))
    return column.map(names).astype("string")


def _text(column: pd.Series[Any], otherwise: Any) -> pd.Series[Any]:
    return known_ids(column).fillna(otherwise)


def _values(long: pd.DataFrame, name: str) -> tuple[dict[str, pd.Series[Any]], list[str]]:
    """Return `rating` and `call` as numbers, and sentences on how words were understood.

    Raises `ColumnError` when a rating beside calls is no number.
    """
    rating, call = long["rating"], long["call"]
    numbers = pd.to_numeric(plain(rating), errors="coerce").astype("float64")
    if not _are_ratings(rating, numbers):
        strange = rating[plain(rating).notna() & numbers.isna()]
        if len(strange) and call.notna().any():
            said = some(list(map(str, strange.unique())))
            raise ColumnError(
                f"{name}: {counted(len(strange), 'rating')} "
                f"{verb(len(strange), 'is no number', 'are no numbers')}, such as {said}. "
                "Give numbers, or leave them empty."
            )
        call = call.where(call.notna(), rating)
        numbers = pd.Series(np.nan, index=long.index)
    notes: list[str] = []
    called = pd.Series(np.nan, index=long.index)
    if call.notna().any():
        columns = {"melanoma": "call", "diagnosis": "call"}
        source = pd.DataFrame({"call": call.astype("object")})
        labels = read_labels(source, columns, where=name, named=True)
        called = labels.table["melanoma"].astype("Float64").astype("float64")
        notes = list(labels.notes)
    return {"rating": numbers, "call": called}, notes


def _are_ratings(column: pd.Series[Any], numbers: pd.Series[Any]) -> bool:
    known = numbers.dropna().unique()
    all_numbers = bool((numbers.notna() == plain(column).notna()).all())
    return all_numbers and len(known) > 0 and not set(known) <= {0.0, 1.0}


def _called(rows: pd.DataFrame, call_from: float, name: str) -> pd.DataFrame:
    if rows["rating"].isna().all():
        raise ConfigError(
            f"{name} holds calls and no ratings, so --call-from {call_from:g} has nothing "
            "to divide; leave it out."
        )
    highest = rows["rating"].max()
    if call_from > highest:
        raise ConfigError(
            f"--call-from is {call_from:g}, but no rating of {name} is above {highest:g}: "
            "nobody would call melanoma. Give a rating that somebody gave."
        )
    by_rating = (rows["rating"] >= call_from).astype(float).where(rows["rating"].notna())
    return rows.assign(call=rows["call"].where(rows["call"].notna(), by_rating))


def _check(rows: pd.DataFrame, name: str) -> None:
    for column, what in (("reader", "the reader"), ("image_id", "the image")):
        _check_named(rows[column], what, name)
    twice = rows.duplicated(["condition", "reader", "image_id"])
    if twice.any():
        first = rows[twice].iloc[0]
        raise ColumnError(
            f"{name}: {counted(int(twice.sum()), 'reading')} "
            f"{verb(int(twice.sum()), 'comes', 'come')} twice, such as reader "
            f"{first['reader']} on {first['image_id']}. Keep one each; readings with and "
            "without an aid are told apart by a column condition."
        )


def _check_named(column: pd.Series[Any], what: str, name: str) -> None:
    if column.isna().any():
        lines = (np.flatnonzero(column.isna()) + 2).tolist()
        raise ColumnError(f"{name} does not name {what} in line {some(lines)}.")


def _shape(found: Mapping[str, str], rows: pd.DataFrame) -> str:
    readers, images = rows["reader"].nunique(), rows["image_id"].nunique()
    size = f"{counted(readers, 'reader')} of {counted(images, 'image')}"
    if "reader" not in found:
        return f"Read as one column a reader: {size}."
    taken = ", ".join(found[ours] for ours in OF_READERS if ours in found)
    return f"Read as one row a reading, from the columns {taken}: {size}."


def known_columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return `columns`; raise `UnknownNameError` for a key that is no known column."""
    known = ["image_id", "melanoma", "probability", *OF_READERS]
    given = dict(columns or {})
    if unknown := next((ours for ours in given if ours not in known), None):
        raise unknown_name("column to name", unknown, known)
    return given


def table_of(readers: Source) -> tuple[pd.DataFrame, str]:
    """Return the table of the readings, and its name in messages.

    Raises `DatasetError` for a table without rows.
    """
    if isinstance(readers, pd.DataFrame):
        table, name = readers, "the readers' table"
    else:
        table, name = read_any_table(readers), str(readers)
    if table.empty:
        raise DatasetError(f"{name} has no rows: nobody has read an image.")
    return table, name
