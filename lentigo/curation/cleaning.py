"""Filled and encoded copies of columns, beside the originals that stay as measured."""

from __future__ import annotations

import math

import pandas as pd

from lentigo.tables import SEXES, SITES, NotedTable
from lentigo.words import counted

UNKNOWN = "unknown"
"""The word for a missing sex or site in the filled columns."""


def clean(table: pd.DataFrame, *, reference: pd.DataFrame | None = None) -> NotedTable:
    """Return `table` with filled copies of age, sex and site beside the originals.

    New columns: `age_filled` (a missing age becomes the median), `sex_filled` and
    `site_filled` (missing becomes "unknown"), `age_missing`, `sex_missing` and
    `site_missing` (true where a value was filled), and `age_normalised`, the filled age in
    standard deviations from the mean of the known ages. Median, mean and standard deviation
    come from `reference`, by default from `table` itself. The original columns keep their
    gaps. The notes count the filled values.

    If no age is known at all, `age_filled` and `age_normalised` stay missing. If all known
    ages are equal, `age_normalised` is the filled age minus that age: 0 for the ages of
    `reference`.
    """
    known = (table if reference is None else reference)["age"].dropna()
    median, mean, deviation = known.median(), known.mean(), known.std(ddof=0)
    if len(known) == 0:
        median = mean = math.nan
    filled = table.copy()
    for name in ("age", "sex", "site"):
        filled[f"{name}_missing"] = table[name].isna()
    filled["age_filled"] = table["age"].fillna(median)
    filled["sex_filled"] = table["sex"].fillna(UNKNOWN)
    filled["site_filled"] = table["site"].fillna(UNKNOWN)
    # All ages alike leave a deviation of 0; a division by it would be no number.
    filled["age_normalised"] = (filled["age_filled"] - mean) / (deviation or 1.0)
    return NotedTable(filled, tuple(_filled_notes(table, median)))


def _filled_notes(table: pd.DataFrame, median: float) -> list[str]:
    notes = []
    if count := int(table["age"].isna().sum()):
        what = (
            f"the median, {median:g} years" if median == median else "unknown, as all are"
        )
        images = counted(count, "image")
        notes.append(f"age was missing for {images}; age_filled is {what}.")
    for name in ("sex", "site"):
        if count := int(table[name].isna().sum()):
            images = counted(count, "image")
            notes.append(f"{name} was missing for {images}; {name}_filled is unknown.")
    return notes


def encode(table: pd.DataFrame) -> NotedTable:
    """Return `table` with numeric codes beside its words, for programs that need numbers.

    New columns: `sex_code` and `site_code` number the allowed words of the lesion table,
    `diagnosis_code` the diagnoses that occur, in alphabetical order, and `melanoma_code` is
    0 or 1. Missing values stay missing. The filled columns (`sex_filled`, `site_filled`)
    get codes, too, if they exist; "unknown" has the highest. The notes list the codes with
    the number of images of each.
    """
    encoded = table.copy()
    notes = []
    for name, words in _words(table).items():
        numbers = {word: number for number, word in enumerate(words)}
        encoded[f"{name}_code"] = table[name].map(numbers).astype("Int64")
        counts = table[name].value_counts()
        said = [
            f"{number} {word} ({int(counts.get(word, 0)):,})"
            for word, number in numbers.items()
        ]
        missing = int(table[name].isna().sum())
        notes.append(f"{name}_code: {', '.join([*said, f'missing ({missing:,})'])}.")
    encoded["melanoma_code"] = table["melanoma"].astype("Int64")
    return NotedTable(encoded, tuple(notes))


def _words(table: pd.DataFrame) -> dict[str, list[str]]:
    """The words of each column that gets a code, in the order of their numbers."""
    words = {"sex": list(SEXES), "site": list(SITES)}
    filled = {f"{name}_filled": [*known, UNKNOWN] for name, known in words.items()}
    words |= {name: known for name, known in filled.items() if name in table}
    return words | {"diagnosis": sorted(table["diagnosis"].dropna().unique())}
