"""The columns that images are divided by: by name, two combined, all known, or measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from lentigo.datasets.reading.own_words import DESCRIBED
from lentigo.errors import ColumnError
from lentigo.evaluation.grouping import column_for
from lentigo.evaluation.joining import OF_TRUTH
from lentigo.evaluation.measured import ALL, AS_MEASURED, MEASURED
from lentigo.evaluation.parts import DATASET
from lentigo.evaluation.subgroups import CROSS

KNOWN = "known"
"""A name for all columns of `DESCRIBED`, and the archive, that have several values."""


def columns_to_divide(
    table: pd.DataFrame, asked: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Return each name of `asked`, with the column or two columns that it stands for.

    Raises `ColumnError` when a column is not there.
    """
    found: dict[str, list[str]] = {}
    for by in asked:
        if by == ALL and ALL + OF_TRUTH not in table and ALL not in table:
            found |= {name: [name + AS_MEASURED] for name in MEASURED}
        elif by == KNOWN and KNOWN not in table and KNOWN + OF_TRUTH not in table:
            found |= {name: [column] for name, column in _known(table)}
        elif by.count(CROSS) == 1 and by not in table and by + OF_TRUTH not in table:
            found[by] = [_column_for(table, name) for name in by.split(CROSS)]
        else:
            found[by] = [_column_for(table, by)]
    return list(found.items())


def _column_for(table: pd.DataFrame, name: str) -> str:
    """Return the column `name` of either table, or the one measured in the images."""
    measured = name + AS_MEASURED
    there = name in table or name + OF_TRUTH in table
    if measured in table and not there:
        return measured
    return column_for(table, name, purpose="divide by")


def _known(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for name in (*DESCRIBED, DATASET):
        try:
            column = column_for(table, name, purpose="divide by")
        except ColumnError:
            continue
        if len(table[column].dropna().unique()) > 1:
            yield name, column
