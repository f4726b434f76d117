"""Fill and encode, in columns of their own, so that measured and filled values differ."""

from __future__ import annotations

import math

import pandas as pd

from lentigo.tables import SEXES, SITES, NotedTable
from lentigo.words import counted

UNKNOWN = "unknown"
"""What a filled sex or site is called."""


def clean(table: pd.DataFrame, *, reference: pd.DataFrame | None = None) -> NotedTable:
    """`table` with filled copies of age, sex and site beside the originals.

    New columns: `age_filled` (a missing age is the median), `sex_filled` and
    `site_filled` (missing is "unknown"), `age_missing`, `sex_missing` and `site_missing`
    (true where something was filled), and `age_normalised`, the filled age in standard
    deviations from the mean of the known ages. Median, mean and deviation are those of
    `reference`, by default of `table` itself. The originals stay missing. What was filled
    is told in the notes.

    Where no age is known at all, `age_filled` and `age_normalised` stay missing; where all
    known ages are alike, `age_normalised` is 0.
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
    """`table` with numbers for its words beside them, for programs that take no words.

    New columns: `sex_code` and `site_code` number the words of the lesion table,
    `diagnosis_code` the diagnoses that are there in alphabetical order, and
    `melanoma_code` is 0 or 1. What is missing stays missing. In the codes of filled
    columns (`sex_filled_code`, `site_filled_code`) "unknown" has the number behind the
    last. Which number is which, and how many images have it, is told in the notes.
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
