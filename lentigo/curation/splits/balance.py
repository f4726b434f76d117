"""Counts by group of the variables that a split should balance, and how even a split is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import BALANCED, check_balance
from lentigo.errors import ColumnError
from lentigo.words import some

_FIRST = 100.0
"""Weight of melanomas and of non-melanomas: among 6,500 images of a fold one melanoma too
many costs as much as 50 images too many of one site."""
_SIZE = 10.0
"""Weight of the number of images."""

_AGES = (0, 30, 45, 60, 75, np.inf)
"""Limits of the age bands in years; a band includes its lower limit."""


def classes_of(table: pd.DataFrame, variable: str) -> pd.Series[Any]:
    """Return the class of each image in one variable; unknown is a class of its own.

    Ages are put in bands. Raises `ColumnError` if the table has no such column.
    """
    if variable not in table:
        raise ColumnError(
            f"The table has no column {variable} to balance. It has "
            f"{some(list(table), at_most=8)}."
        )
    column = table[variable]
    if variable == "age":
        column = pd.cut(column.astype("float64"), list(_AGES), right=False).astype("string")
    return column.astype("string").fillna("unknown")


def group_counts(
    table: pd.DataFrame, balance: Sequence[str] = BALANCED
) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Count the images of each class in each group; return the counts and class weights.

    The frame has one row per group, sorted by group id. Its first columns are `melanomas`,
    `others` (labelled not melanoma) and `images`; then one per class of the variables in
    `balance`. Raises `ColumnError` if a row has no group or a column is missing.
    """
    if table["group_id"].isna().any():
        raise ColumnError("Some rows have no group_id; fill it with assign_groups first.")
    melanoma = table["melanoma"]
    columns = {
        "melanomas": melanoma.eq(True).fillna(False).astype(int),
        "others": melanoma.eq(False).fillna(False).astype(int),
        "images": pd.Series(1, index=table.index),
    }
    weights = [_FIRST, _FIRST, _SIZE]
    for variable in check_balance(balance)[1:]:
        known = classes_of(table, variable)
        for name in sorted(known.unique()):
            columns[f"{variable} {name}"] = (known == name).astype(int)
            weights.append(1.0)
    codes, names = pd.factorize(table["group_id"], sort=True)
    counts = np.column_stack(list(columns.values()))
    summed = np.zeros((len(names), len(columns)), dtype=np.int64)
    np.add.at(summed, codes, counts)
    index = pd.Index(names, name="group_id")
    return pd.DataFrame(summed, index=index, columns=list(columns)), np.asarray(weights)


def unevenness(table: pd.DataFrame, part: pd.Series[Any], variable: str) -> float:
    """Return the largest distance of a class's share in a part from its share in the whole.

    0.01 means, for example, that 51 % of one part's images show the torso, but 50 % of all.
    For the variable "melanoma" only labelled images count. NaN if there is no image.
    """
    known = part.notna()
    if variable == "melanoma":
        known &= table["melanoma"].notna()
    classes = classes_of(table[known], variable)
    if len(classes) == 0:
        return float("nan")
    whole = classes.value_counts(normalize=True)
    shares = pd.crosstab(part[known], classes, normalize="index")
    return float((shares - whole).abs().to_numpy().max())
