"""Read the distinct values of a column once each, instead of every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd


def each_value(
    column: pd.Series[Any], read: Callable[[pd.Series[Any]], pd.Series[Any]]
) -> pd.Series[Any]:
    """Return what `read` makes of `column`, (N,), asking it only for each distinct value.

    `read` takes the distinct values that are not missing, numbered from 0, and returns as
    many answers. The answer to a missing value is missing, so `read` should return a type
    that knows missing values ("string", "boolean") or objects. A label column of 400,000
    rows has two values: reading these takes a thousandth of the time.
    """
    codes, values = pd.factorize(column)
    each = read(pd.Series(values, name=column.name))
    found: pd.Series[Any] = each.reindex(codes).set_axis(column.index)
    found.name = column.name
    return found
