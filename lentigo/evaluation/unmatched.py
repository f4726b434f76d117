"""Images that are in one of two tables alone, and names that differ by a trifle."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.words import counted, some

_OTHER_NAMES = (
    "Give the truth of these images, or say which column names them with --column "
    "image_id=…."
)


def unmatched_names(
    guesses: pd.DataFrame, labels: pd.DataFrame, *, both: int
) -> tuple[dict[str, int], list[str]]:
    """Count the images that are in only one of the two tables; `both` are in either.

    Returns reason → number, and a sentence for each table that has such images.

    Raises `DatasetError` where no image is in both tables.
    """
    if not both:
        raise DatasetError(
            "No image is in both tables: the predictions name "
            f"{some(guesses['image_id'].tolist(), at_most=2)}; the truth names "
            f"{some(labels['image_id'].tolist(), at_most=2)}."
            f" {nearly_alike(guesses['image_id'], labels['image_id']) or _OTHER_NAMES}"
        )
    counts, notes, apart = {}, [], []
    row, prediction = "a row in the truth", "a prediction"
    for table, other, lacking, text in (
        (guesses, labels, row, "predictions are left out, having no row in the truth"),
        (
            labels,
            guesses,
            prediction,
            "rows of the truth are left out, having no prediction",
        ),
    ):
        if both == len(table):  # each image is once in a table
            continue
        # A set, because `isin` of pandas takes four seconds for 400,000 texts.
        there = set(other["image_id"])
        lost = [name for name in table["image_id"] if name not in there]
        counts[f"without {lacking}"] = len(lost)
        apart.append(lost)
        notes.append(f"{len(lost):,} of {len(table):,} {text}: {some(lost)}.")
    if len(apart) == 2 and (hint := nearly_alike(*apart)):
        notes.append(hint)
    return counts, notes


def nearly_alike(own: Iterable[str], others: Iterable[str]) -> str:
    """Return a hint if names differ in case, marks or leading zeros alone; else empty.

    A spreadsheet makes 1 of 00001. Such names are not matched: they may be of two images.
    """
    theirs = {_bare(name): name for name in others}
    pairs = [(name, theirs[bare]) for name in own if (bare := _bare(name)) in theirs]
    if not pairs:
        return ""
    first, second = pairs[0]
    return (
        f"{counted(len(pairs), 'name')} would be in both tables if letter case, marks and "
        f"leading zeros did not count (such as {first} and {second}): write them alike."
    )


def _bare(name: str) -> str:
    """Return `name` in lower case, without marks, and without zeros before a number."""
    letters = re.sub(r"[\W_]+", "", name.casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", letters)
