"""Match the columns of any table to those of a lesion table, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import COLUMN_NAMES as COLUMN_NAMES
from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.column_remarks import with_remark
from lentigo.datasets.reading.label_columns import read_labels
from lentigo.errors import ColumnError, unknown_name
from lentigo.table_files.each_value import repeated_names
from lentigo.tables import LESION_COLUMNS, read_any_table
from lentigo.words import listed, some, verb

_SUFFIX = (
    r"(?i)\.(jpe?g|jpe|jfif|png|tiff?|bmp|webp|avif|p[bgnp]m|gif|hei[cf]|hif|dcm|dicom)$"
)
SUFFIX = re.compile(_SUFFIX)
"""Endings of image files, which tables may append to the names of images."""

_OF_URL = (
    rf"(?i)^([a-z][a-z0-9+.-]*://.*{_SUFFIX.removeprefix('(?i)').removesuffix('$')})[?#].*$"
)
"""An address of an image file, and what is asked of its server behind it: a signature."""

_BARE = "[0-9A-Za-z_-]+"
"""Names in which there is nothing to take away: no folder, no ending, no point."""


def guess_columns(names: Iterable[str]) -> dict[str, str]:
    """Return for each column of a lesion table which column of another table it matches.

    `names` are the columns of the other table. Case, spaces, accents and underscores do not
    matter. A column without a match is left out; one name may serve twice (`diagnosis` is
    the label, too, if no other column is). A remark in brackets (`Alter (Jahre)`) counts
    only where no column has a name without one.
    """
    names = list(names)
    known = _by_key(names)
    found = {}
    for ours, candidates in COLUMN_NAMES.items():
        exact = next((known[key(name)] for name in candidates if key(name) in known), None)
        if theirs := exact or with_remark(ours, names):
            found[ours] = theirs
    return found


def choose_columns(
    names: Iterable[str], *, given: Mapping[str, str] | None = None, source: str
) -> dict[str, str]:
    """Return the columns of `guess_columns`, replaced by those `given` (ours → theirs).

    Without a column for the label it is read from the diagnosis, else from malignant.

    Raises `UnknownNameError` for a column that the lesion table does not have and
    `ColumnError`, with the nearest names, for one that `source` does not have.
    """
    names = list(names)
    chosen = guess_columns(names)
    for ours, theirs in (given or {}).items():
        if ours not in COLUMN_NAMES:
            raise unknown_name("column to assign", ours, COLUMN_NAMES)
        if theirs not in names:
            raise missing_column(theirs, names, source=source)
        chosen[ours] = theirs
    for ours in ("diagnosis", "malignant"):
        if ours in chosen:
            chosen.setdefault("melanoma", chosen[ours])
    return chosen


def missing_column(name: str, names: Iterable[str], *, source: str) -> ColumnError:
    """Return the error for a column `name` that `source` lacks, with the nearest names."""
    names = list(names)
    folded = {str(other).lower(): str(other) for other in names}
    near = [folded[word] for word in get_close_matches(name.lower(), folded, n=3)]
    there = f"It has {some(names, at_most=8)}."
    hint = f"Did you mean {' or '.join(near)}?" if near else there
    return ColumnError(f"{source} has no column {name}. {hint}")


def image_names(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return names of images without folder and ending ("a/ISIC_1.jpg" becomes "ISIC_1").

    A whole number with a decimal point, as spreadsheets and pandas write it in a column
    with empty cells, loses the point (100.0 becomes 100). The folders, and the point, are
    kept where two images would otherwise get the same name.
    """
    given = column.astype("string")
    if given.str.fullmatch(_BARE).fillna(True).all():  # spares seven passes over all names
        return given
    whole = given.str.strip().str.replace("\\", "/", regex=False)
    whole = whole.str.replace(_OF_URL, r"\1", regex=True)
    # As text, because pandas applies a compiled pattern to each name by itself.
    without = whole.str.replace(_SUFFIX, "", regex=True)
    # Only names with a folder: making 400,000 paths takes seconds.
    there = without.fillna("").astype("string")
    inside = there.str.contains("/", regex=False).astype(bool) | (there == ".").astype(bool)
    short = without.mask(inside, without[inside].map(lambda name: PurePosixPath(name).name))
    short = without_point(short.astype("string"))
    alike = short.duplicated(keep=False) & short.notna()
    return short.mask(alike, without)


def without_query(name: str) -> str:
    """Return the address of an image without what follows it: `https://a/1.jpg?key=2`."""
    return re.sub(_OF_URL, r"\1", name)


def looks_like_images(column: pd.Series[Any]) -> bool:
    """Tell whether most filled cells of a column are names of image files."""
    words = column.dropna().astype("string").str.strip()
    there = words.str.contains(rf"{_SUFFIX}|{_OF_URL}", regex=True)
    return len(words) > 0 and bool(there.mean() >= 0.8)


def several_images(name: str) -> list[str]:
    """Return the image files that a cell names if it names several, else []."""
    parts = [each.strip(" \t\"'[]()") for each in re.split(r"[;,|\n\r\t]+|\s+", name)]
    parts = [each for each in parts if each]
    return parts if len(parts) > 1 and all(map(SUFFIX.search, parts)) else []


def without_point(names: pd.Series[Any]) -> pd.Series[Any]:
    """Return the names with 100.0 replaced by 100, and so on for all whole numbers."""
    return names.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def read_truth(
    source: Path | str | pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
) -> tuple[pd.DataFrame, str]:
    """Return the true label of each image, from any table with image names and labels.

    Returns the table with `image_id` (text, without folder and file ending) and `melanoma`
    (nullable boolean) in front of its other columns, and a sentence that names the columns
    used. Labels are yes or no in any form, words for diagnoses, or one-hot columns with
    `MEL`, which are kept (`read_labels`). `columns` names columns of the table:
    `{"melanoma": "biopsy"}`; `name` is the name of the table in messages.

    Raises `ColumnError` where an image name or a label column is missing or not understood,
    an image is named twice, or two columns of one name differ in the images' names.
    """
    where = name or ("the truth" if isinstance(source, pd.DataFrame) else str(source))
    table = source if isinstance(source, pd.DataFrame) else read_any_table(Path(source))
    if table.empty:
        raise ColumnError(f"{where} has no rows: there is nothing to judge by.")
    chosen = choose_columns(table.columns, given=columns, source=where)
    for ours in ("image_id", "melanoma"):
        if ours not in chosen:
            raise _not_guessed(ours, table.columns, source=where)
    if "image_id" not in (columns or {}):
        check_only_one(table, "image_id", chosen["image_id"], source=where)
    # In a lesion table the label was decided when the table was made.
    named = "melanoma" in (columns or {}) or set(LESION_COLUMNS) <= set(table)
    labels = read_labels(
        table,
        chosen,
        where=where,
        named=named,
        named_diagnosis="diagnosis" in (columns or {}),
    )
    label = labels.table["melanoma"]
    names = image_names(table[chosen["image_id"]])
    others = table.drop(columns=["image_id", "melanoma"], errors="ignore")
    truth = pd.concat(
        [names.rename("image_id"), label.rename("melanoma"), others], axis=1
    ).reset_index(drop=True)
    _check_names(truth["image_id"], source=where)
    sentence = (
        f"{where}: images are named by the column {chosen['image_id']}, and melanoma is "
        f"read from {labels.column} ({int(label.sum()):,} of "
        f"{int(label.count()):,})."
    )
    return truth, " ".join([sentence, *labels.notes])


def check_only_one(table: pd.DataFrame, ours: str, chosen: str, *, source: str) -> None:
    """Raise `ColumnError` if other columns called like `chosen` hold something else.

    An empty one holds nothing, and an image is the same with an ending. A later one of the
    same name in a file has been called `chosen`.1 by its reader.
    """
    alike = re.compile(rf"{re.escape(chosen.strip())}(\.\d+)?", re.IGNORECASE)
    others = [n for n in table if n != chosen and alike.fullmatch(str(n).strip())]
    plain = image_names if ours == "image_id" else pd.Series.copy
    differ = [
        str(name)
        for name in others
        if table[name].notna().any()
        and not are_same(plain(table[name]), plain(table[chosen]))
    ]
    if differ:
        raise ColumnError(
            f"{source} has several columns called {chosen}, which differ; the later "
            f"{verb(len(differ), 'one is', 'ones are')} {listed(differ)} here. Say which "
            f"is meant: --column {ours}={chosen} or --column {ours}={differ[0]}."
        )


def are_same(one: pd.Series[Any], other: pd.Series[Any]) -> bool:
    """Tell whether two columns hold the same, as numbers or as text."""
    if all(map(pd.api.types.is_numeric_dtype, (one, other))):
        one, other = one.astype("Float64"), other.astype("Float64")
    return one.astype("string").equals(other.astype("string"))


def _not_guessed(name: str, names: Iterable[str], *, source: str) -> ColumnError:
    what = {"image_id": "the name of an image", "melanoma": "the label"}[name]
    return ColumnError(
        f"{source} has no column that looks like {what}. It has "
        f"{some(list(names), at_most=8)}; call one of them {name}, or say which it is with "
        f"--column {name}=…."
    )


def _check_names(names: pd.Series[Any], *, source: str) -> None:
    if names.isna().any():
        rows = (names.index[names.isna()] + 2).tolist()
        raise ColumnError(f"{source} does not name the image in line {some(rows)}.")
    if twice := repeated_names(names):
        raise ColumnError(
            f"{source} names some images twice: {some(twice)}. Keep one row each."
        )


def _by_key(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(key(name), name)
    return found
