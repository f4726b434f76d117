"""The columns of a matched table that hold the diagnoses of a challenge, by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.reading.classes import class_of
from lentigo.datasets.reading.diagnoses import DIAGNOSES, lineage
from lentigo.errors import ColumnError
from lentigo.evaluation.discrimination import BoolArray
from lentigo.evaluation.joining import LABEL, OF_TRUTH
from lentigo.evaluation.true_diagnoses import NO_DIAGNOSIS, diagnosis_words
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.words import counted, some, verb


def diagnosis_named(category: str) -> str:
    """Return lentigo's word for a category of a challenge: "nevus" for `NV`."""
    found = DIAGNOSES.find(category)
    return category if found is None else found.name


def column_of(table: pd.DataFrame, category: str, *, of_truth: bool) -> str | None:
    """Return the column of the predictions, or of the truth, that holds `category`.

    That is the column of this name in any case, else the only one whose name means the
    diagnosis: `probability_nevus`, as `predict` writes it, for `NV`.
    """
    end = OF_TRUTH if of_truth else ""
    mine = [c for c in map(str, table) if c.endswith(OF_TRUTH) == of_truth]
    names = {column: column.removesuffix(end) for column in mine}
    for column, name in names.items():
        if name.casefold() == category.casefold():
            return column
    wished = diagnosis_named(category)
    meant = [
        column
        for column, name in names.items()
        if (found := DIAGNOSES.find(_plain(name))) is not None and found.name == wished
    ]
    return meant[0] if len(meant) == 1 else None


def _plain(name: str) -> str:
    return name.casefold().removeprefix(DIAGNOSIS_COLUMNS).removeprefix("p_")


def from_words(
    table: pd.DataFrame, category: str, categories: Sequence[str]
) -> BoolArray | None:
    """Tell from the truth's column of diagnoses which of N images are `category`: (N,).

    A seborrheic keratosis is a benign keratosis, but not the other way round. None where
    the truth has no such column.

    Raises `ColumnError` where a diagnosis leaves it open: it is missing, or wider than a
    category.
    """
    words = diagnosis_words(table)
    if words is None:
        return None
    names = [diagnosis_named(each) for each in categories]
    wished = diagnosis_named(category)
    open_ = (words == NO_DIAGNOSIS) | words.map(lambda word: _is_wider(word, names))
    open_ &= ~table[LABEL].to_numpy(bool)
    if count := int(open_.sum()):
        raise ColumnError(
            f"The truth has no column {category}, which this challenge asks for, and the "
            f"diagnosis of {counted(count, 'image')} {verb(count, 'leaves', 'leave')} it "
            f"open: {some(_counted(words[open_]))}."
        )
    places = [
        class_of(word, bool(label), names)
        for word, label in zip(words, table[LABEL], strict=True)
    ]
    return np.array(places, dtype=np.intp) == np.intp(names.index(wished))


def _is_wider(word: object, names: Sequence[str]) -> bool:
    """Tell whether some of `names` is a kind of `word`, and `word` of none of them."""
    if any(above in names for above in lineage(str(word))):
        return False
    return any(str(word) in lineage(each) for each in names)


def _counted(words: pd.Series[Any]) -> list[str]:
    return [f"{word} ({count:,})" for word, count in words.value_counts().items()]
