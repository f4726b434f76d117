"""Words and columns of a table that have no place in a lesion table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import guess_columns
from lentigo.datasets.reading.fields import describe
from lentigo.table_files.cells import to_numbers
from lentigo.table_files.not_known import plain
from lentigo.tables import LESION_COLUMNS, SITE_DETAIL

KEPT = ("sex", "site")
"""Columns of a lesion table that may keep an unknown word of the original table."""
DESCRIBED = ("sex", "site", "age", "skin_type", "modality", "diagnosis")
"""Columns of a lesion table for which archives use words of their own."""


def own_words(table: pd.DataFrame, source: pd.DataFrame, chosen: Mapping[str, str]) -> None:
    """Fill missing sexes and sites of `table` with the words in `source`, in place.

    `chosen` maps columns of a lesion table to columns of `source`; both have the same
    index.
    """
    for name in KEPT:
        if name in chosen and name in table:
            given = source[chosen[name]]
            word = given.astype("string").str.strip().mask(plain(given).isna())
            table[name] = table[name].astype("string").fillna(word)


def in_our_words(
    source: pd.DataFrame, chosen: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the columns of `source` that match one of `DESCRIBED`, in lentigo's words.

    An unknown sex, site or diagnosis keeps its word; in other columns an unknown word
    becomes missing. Finer sites are beside theirs, as `map_sites` has them. `chosen` maps
    columns of a lesion table to columns of `source`; by default they are guessed by name.
    """
    known = guess_columns(map(str, source)) if chosen is None else chosen
    named = {name: known.get(name, name) for name in DESCRIBED}
    there = {ours: theirs for ours, theirs in named.items() if theirs in source}
    described, _ = describe(source, there)
    own_words(described, source, there)
    return described[[name for name in (*there, SITE_DETAIL) if name in described]]


def column_in_our_words(column: pd.Series[Any], ours: str) -> pd.Series[Any]:
    """Return a column in lentigo's words for the column `ours`: "Rücken" in site is torso.

    An unknown word is kept. The whole column is returned unchanged where `ours` is not one
    of `DESCRIBED`, or where an age is not a number.
    """
    if ours not in DESCRIBED:
        return column
    described, _ = describe(column.to_frame(ours), {ours: ours})
    values = described[ours]
    known = plain(column)
    if ours == "age":
        numbers = to_numbers(known)
        return column if (numbers.isna() & known.notna()).any() else values
    word = column.astype("string").str.strip()
    # "other" is not in the vocabulary, but it is an answer: a third sex, another site.
    nothing = known.isna() & word.str.casefold().ne("other")
    return values.astype("string").fillna(word.mask(nothing))


def described_by(
    source: pd.DataFrame, chosen: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return `source` with its columns in lentigo's words, under lentigo's names.

    `chosen` is that of `in_our_words`. A lesion table is returned unchanged.
    """
    if set(LESION_COLUMNS) <= set(source):
        return source
    return source.assign(**in_our_words(source, chosen))


def with_all_columns(table: pd.DataFrame, source: pd.DataFrame) -> pd.DataFrame:
    """Return a lesion table with the further columns of `source`, from which it was read.

    A column of the lesion table in which all values are missing is replaced by that of
    `source`.
    """
    ours = {name for name in LESION_COLUMNS if table[name].notna().any()}
    further = {str(name): source[name] for name in source if name not in ours}
    return table.assign(**further)
