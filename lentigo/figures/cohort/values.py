"""The columns of a lesion table as the figures count them: words, ages, classes, sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from lentigo.figures.style import MELANOMA, MISSING, NEUTRAL, OTHER_LESION, SERIES

UNKNOWN = "missing"
"""The bar of what is not known."""

YEARS = 5
"""Width of an age bar. Archives round ages to five years; narrower bars leave gaps."""

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
"""What a column is called in a figure."""

NOT_MELANOMA = "not melanoma"
"""The class beside melanoma; carcinomas are in it, so it is not called benign."""

FIXED_COLORS = {
    "benign": OTHER_LESION,
    NOT_MELANOMA: OTHER_LESION,
    "melanoma": MELANOMA,
    UNKNOWN: MISSING,
}
"""Words that have one colour in every figure."""

_ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV", 5: "V", 6: "VI"}


def titled_column(name: str) -> str:
    """The name of a column as a person writes it."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def known(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column of `table`; all missing where the table does not have it."""
    if column in table:
        return table[column]
    return pd.Series(pd.NA, index=table.index, dtype="string", name=column)


def words(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column as words to count; ages as the first year of their 5-year bar."""
    if column == "age":
        return bands(table).astype("Int64").astype("string")
    if column == "melanoma":
        return classes(table)
    if column == "skin_type":
        return known(table, column).map(_ROMAN).astype("string")
    return known(table, column).astype("string")


def ages(table: pd.DataFrame) -> pd.Series[Any]:
    """Ages in years as floats, NaN where missing."""
    return pd.to_numeric(known(table, "age"), errors="coerce").astype("float64")


def units(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the independent unit of each image: its patient, else its group or lesion,
    else the image itself.
    """
    found = pd.Series([f"image {n}" for n in range(len(table))], index=table.index)
    for name in ("lesion_id", "group_id", "patient_id"):
        ids = known(table, name).astype("string")
        found = (name + " " + ids).fillna(found)
    return found


def bands(table: pd.DataFrame) -> pd.Series[Any]:
    """The first year of each image's age bar: 45 stands for 45 to 49 years."""
    return ages(table) // YEARS * YEARS


def on_grid(table: pd.DataFrame) -> bool:
    """Whether all ages are multiples of five years, as archives round them."""
    return bool((ages(table).dropna() % YEARS == 0).all())


def flags(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A yes-or-no column, nullable."""
    return known(table, column).astype("boolean")


def classes(table: pd.DataFrame) -> pd.Series[Any]:
    """Each image's class in words: "melanoma" or "not melanoma"."""
    melanoma = flags(table, "melanoma")
    return melanoma.map({True: "melanoma", False: NOT_MELANOMA}).astype("string")


def by_class(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The images of each class that occurs, melanoma last; unlabelled ones are in none."""
    named = classes(table)
    return {
        name: table[(named == name).fillna(False)]
        for name in (NOT_MELANOMA, "melanoma")
        if (named == name).any()
    }


def by_dataset(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The images of each data set, in the order of the table.

    A set that is called as a class is named apart from it: "benign (data set)".
    """
    names = known(table, "dataset").astype("string").fillna("no data set named")
    names = names.replace({word: f"{word} (data set)" for word in FIXED_COLORS})
    return {str(name): table[names == name] for name in names.unique()}


def color_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each group: the classes have theirs, data sets come in `SERIES`."""
    if len(names) == 1 and names[0] not in FIXED_COLORS:
        return {names[0]: NEUTRAL}
    fixed = FIXED_COLORS
    free = [name for name in names if name not in fixed]
    return {name: fixed[name] for name in names if name in fixed} | {
        name: SERIES[place % len(SERIES)] for place, name in enumerate(free)
    }


MOST_ROWS = 12
"""Values with a row of their own; rarer ones share one, and the CSV beside has them all."""


def sharing(values: Sequence[str], *, most: int = MOST_ROWS) -> dict[str, str]:
    """Map each of `values`, the most frequent first, to the name of its row.

    The rarest share one row, "48 others", so that there are `most` rows. Missing is no
    value here: it keeps its row.
    """
    if len(values) <= most:
        return {value: value for value in values}
    rest = f"{len(values) - most + 1:,} others"
    return {value: value if n < most - 1 else rest for n, value in enumerate(values)}


def in_order(column: str, values: Iterable[str], counts: pd.Series[Any]) -> list[str]:
    """Values in the order of their bars: ages and types by number, others by frequency."""
    there = sorted(set(values))
    if column == "age":
        return sorted(there, key=int)
    if column == "skin_type":
        return [roman for roman in _ROMAN.values() if roman in there]
    if column in {"sex", "melanoma"}:
        return there
    return sorted(there, key=lambda value: (-int(counts.get(value, 0)), value))
