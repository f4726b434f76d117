"""Columns of a lesion table prepared for the figures: words, ages, classes, data sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from lentigo.figures.style import MELANOMA, MISSING, NEUTRAL, OTHER_LESION, SERIES

UNKNOWN = "missing"
"""Name of the bar of missing values."""

YEARS = 5
"""Width of an age bar in years. Archives round ages to 5; narrower bars leave gaps."""

TITLES = {
    "sex": "Sex",
    "age": "Age",
    "site": "Anatomical site",
    "diagnosis": "Diagnosis",
    "skin_type": "Skin type (Fitzpatrick)",
    "modality": "Modality",
    "melanoma": "Melanoma",
    "malignant": "Malignant",
    "patient_id": "Patient",
    "lesion_id": "Lesion",
    "width": "Image size",
    "path": "Image file",
}
"""Column → its name in a figure."""

NOT_MELANOMA = "not melanoma"
"""Name of the other class; it includes carcinomas, so it is not called benign."""

FIXED_COLORS = {
    "benign": OTHER_LESION,
    NOT_MELANOMA: OTHER_LESION,
    "melanoma": MELANOMA,
    UNKNOWN: MISSING,
}
"""Values that have the same colour in every figure."""

_ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV", 5: "V", 6: "VI"}


def titled_column(name: str) -> str:
    """Return the name of a column for a figure, such as "Anatomical site" for `site`."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def known(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column of `table`, or missing values if the table does not have it."""
    if column in table:
        return table[column]
    return pd.Series(pd.NA, index=table.index, dtype="string", name=column)


def words(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column as words to count; an age is the first year of its 5-year bar."""
    if column == "age":
        return bands(table).astype("Int64").astype("string")
    if column == "melanoma":
        return classes(table)
    if column == "skin_type":
        return known(table, column).map(_ROMAN).astype("string")
    return known(table, column).astype("string")


def ages(table: pd.DataFrame) -> pd.Series[Any]:
    """Return ages in years as floats, NaN where missing."""
    return pd.to_numeric(known(table, "age"), errors="coerce").astype("float64")


def units(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the independent unit of each image: its patient, else its group, else its
    lesion, else the image itself.
    """
    found = pd.Series([f"image {n}" for n in range(len(table))], index=table.index)
    for name in ("lesion_id", "group_id", "patient_id"):
        ids = known(table, name).astype("string")
        found = (name + " " + ids).fillna(found)
    return found


def bands(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the first year of each image's age bar: 45 stands for 45 to 49 years."""
    return ages(table) // YEARS * YEARS


def on_grid(table: pd.DataFrame) -> bool:
    """Tell whether all known ages are multiples of five years, as archives round them."""
    return bool((ages(table).dropna() % YEARS == 0).all())


def flags(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column as True, False or missing."""
    return known(table, column).astype("boolean")


def classes(table: pd.DataFrame) -> pd.Series[Any]:
    """Return each image's class in words: "melanoma", "not melanoma", or missing."""
    melanoma = flags(table, "melanoma")
    return melanoma.map({True: "melanoma", False: NOT_MELANOMA}).astype("string")


def by_class(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return class → its images, for classes that occur, melanoma last.

    Images without a label are in no class.
    """
    named = classes(table)
    return {
        name: table[(named == name).fillna(False)]
        for name in (NOT_MELANOMA, "melanoma")
        if (named == name).any()
    }


def by_dataset(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return data set → its images, in the order in which the table first names them.

    A data set with the name of a class is renamed, such as "benign (data set)".
    """
    names = known(table, "dataset").astype("string").fillna("no data set named")
    names = names.replace({word: f"{word} (data set)" for word in FIXED_COLORS})
    return {str(name): table[names == name] for name in names.unique()}


def color_of(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each group: fixed ones for classes, `SERIES` for data sets.

    A single group that is no class has the colour `NEUTRAL`.
    """
    if len(names) == 1 and names[0] not in FIXED_COLORS:
        return {names[0]: NEUTRAL}
    fixed = FIXED_COLORS
    free = [name for name in names if name not in fixed]
    return {name: fixed[name] for name in names if name in fixed} | {
        name: SERIES[place % len(SERIES)] for place, name in enumerate(free)
    }


MOST_ROWS = 12
"""Largest number of rows in a figure; the rarest values share one (the CSV has all)."""


def sharing(values: Sequence[str], *, most: int = MOST_ROWS) -> dict[str, str]:
    """Return value → name of its row; `values` are sorted, the most frequent first.

    The rarest share one row, such as "48 others", so that there are `most` rows. The row
    of missing values is not among `values`.
    """
    if len(values) <= most:
        return {value: value for value in values}
    rest = f"{len(values) - most + 1:,} others"
    return {value: value if n < most - 1 else rest for n, value in enumerate(values)}


def in_order(column: str, values: Iterable[str], counts: pd.Series[Any]) -> list[str]:
    """Return the distinct values in the order of their bars.

    Ages and skin types are sorted by number, sex and class by name, and all others by
    `counts`, the most frequent first.
    """
    there = sorted(set(values))
    if column == "age":
        return sorted(there, key=int)
    if column == "skin_type":
        return [roman for roman in _ROMAN.values() if roman in there]
    if column in {"sex", "melanoma"}:
        return there
    return sorted(there, key=lambda value: (-int(counts.get(value, 0)), value))
