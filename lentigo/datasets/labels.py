"""Read a yes-or-no label, melanoma or not, from whatever a table writes for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from lentigo.datasets.vocabulary import (
    BENIGN_WORDS,
    DIAGNOSES,
    MALIGNANT_WORDS,
    NO_WORDS,
    YES_WORDS,
    plain,
    unmapped,
)
from lentigo.errors import ColumnError, some

LABEL_WORDS: Mapping[str, bool] = MappingProxyType(
    {
        word: meaning.melanoma
        for word, meaning in DIAGNOSES.items()
        if meaning.melanoma is not None
    }
    | dict.fromkeys(YES_WORDS | MALIGNANT_WORDS, True)
    | dict.fromkeys(NO_WORDS | BENIGN_WORDS, False)
)
"""What a word in a label column says: is it melanoma?"""


def read_label(column: pd.Series[Any], *, source: str) -> tuple[pd.Series[Any], list[str]]:
    """Melanoma or not, a nullable boolean an image, and sentences on what was assumed.

    Understood are 0/1, true/false, yes/no, benign/malignant (in a label column malignant
    is taken to be melanoma, and said so) and the words for diagnoses. Empty cells and
    `unknown` are missing; so are words that we do not have, which are then named.

    Raises `ColumnError` where numbers other than 0 and 1 stand, or no word is understood.
    """
    words = plain(column)
    numbers = pd.to_numeric(words, errors="coerce").astype("float64")
    label = words.map(LABEL_WORDS).astype("boolean")
    label = label.mask(numbers == 0, False).mask(numbers == 1, True)
    _refuse_other_numbers(numbers, name=str(column.name), source=source)
    strange = column[label.isna() & words.notna()]
    if words.notna().any() and label.isna().all():
        raise ColumnError(
            f"{source}: the label column {column.name} holds no word that we understand "
            f"({some(strange.unique().tolist())}); 0 and 1, benign and malignant, or "
            "diagnoses such as nevus and melanoma are understood."
        )
    notes = unmapped(strange, name="melanoma")
    if words.isin(MALIGNANT_WORDS).any():
        notes.append(f"'malignant' in the column {column.name} is taken to mean melanoma.")
    return label, notes


def _refuse_other_numbers(numbers: pd.Series[Any], *, name: str, source: str) -> None:
    other = numbers[numbers.notna() & ~numbers.isin([0, 1])].unique()
    if other.size:
        raise ColumnError(
            f"{source}: the label column {name} should hold 0 and 1, but holds "
            f"{some([f'{value:g}' for value in sorted(other)])} as well; say which column "
            "holds the label."
        )
