"""Variables that a split should balance, counted by group; and how even a split is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import BALANCED, check_balance
from lentigo.errors import ColumnError
from lentigo.words import some

_FIRST = 100.0
"""Weight of melanomas and of other lesions: among 6,500 images of a fold one melanoma too
many costs as much as 50 images too many of one site."""
_SIZE = 10.0
"""Weight of the number of images."""

_AGES = (0, 30, 45, 60, 75, np.inf)
"""Bands of age in years, each from its limit on."""


def classes_of(table: pd.DataFrame, variable: str) -> pd.Series[Any]:
    """The class of each image in one variable; ages in bands, and unknown a class too."""
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
    """One row a group, by name: how many images of each class it has; and their weights.

    The first columns are `melanomas`, `others` and `images`. Raises `ColumnError` where a
    row has no group.
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
    """Return how far the share of a class of `variable` in a part is from the whole's.

    0.01 means that, say, 51 % of one part's images are of the torso where 50 % of all are.
    Of melanoma only the labelled images count. Undefined (NaN) without an image.
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
