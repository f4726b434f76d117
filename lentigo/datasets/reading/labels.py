"""Read a label, melanoma or not, in whatever words a table has for it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import ABOUT_MELANOMA, MALIGNANT_KEYS, key
from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.known_words import LABEL_WORDS, MALIGNANT, YES_NO
from lentigo.datasets.reading.vocabulary import is_understood, unmapped
from lentigo.datasets.reading.word_map import refuse_words, translated
from lentigo.errors import ColumnError
from lentigo.table_files.each_value import each_value
from lentigo.table_files.not_known import plain
from lentigo.words import some


def read_label(
    column: pd.Series[Any],
    *,
    source: str,
    name: str = "melanoma",
    diagnoses: bool = False,
) -> tuple[pd.Series[Any], list[str]]:
    """Return melanoma or not for each image (nullable boolean), and sentences on guesses.

    Known are 0/1, true/false, yes/no, benign/malignant (malignant is taken to mean
    melanoma, and a sentence tells so) and the words for diagnoses, in several languages and
    as mapped by the user. Empty cells and `unknown` are missing. `name` is the column of
    the lesion table that the label is for. `diagnoses` tells that the column holds
    diagnoses, too. Beside words for melanoma, a bare yes or malignant may be another
    cancer, and beside diagnoses a bare yes or no answers an unknown question: these words
    are not understood.

    Raises `UnknownWordsError` for other words or numbers, unless the user goes on without
    them (`word_map`), and `ColumnError` where no word at all gives a label.
    """
    given, column = column, translated(column, name=name)
    label = each_value(column, _label)
    unclear = unclear_answers(given, column, diagnoses=diagnoses) & (name == "melanoma")
    unclear |= unclear_signs(given, column)
    label = label.mask(unclear)
    # A known diagnosis may leave melanoma open: then there is no label, and no error.
    understood = each_value(column, lambda each: is_understood(each).astype("boolean"))
    strange = column[(label.isna() & ~understood.fillna(True).astype(bool)) | unclear]
    other = _numbers(plain(strange)).notna().any()
    hint = f" If the label stands elsewhere: --column {name}=…." if other else ""
    refuse_words(strange, name=str(column.name), source=source, hint=hint)
    if label.isna().all() and (words := plain(column)).notna().any():
        raise ColumnError(
            f"{source}: the label column {column.name} holds no word that says whether it "
            f"is melanoma ({some(column[words.notna()].unique().tolist())}); 0 and 1, "
            "benign and malignant, or diagnoses such as nevus and melanoma do."
        )
    notes = unmapped(strange, name=name)
    asks = key(str(column.name)) in MALIGNANT_KEYS and label.eq(True).any()
    if name == "melanoma" and (asks or says_malignant(column).any()):
        word = "'malignant'" if says_malignant(column).any() else "Yes"
        notes.append(
            f"{word} in the column {column.name} is taken to mean melanoma; a basal "
            "or squamous cell carcinoma among these images would count as one."
        )
    return label, notes


def unclear_answers(
    given: pd.Series[Any], column: pd.Series[Any], *, diagnoses: bool = False
) -> pd.Series[bool]:
    """Tell which cells answer yes or no, or malignant, where diagnoses stand beside them.

    `given` is the column before the user's words were translated, `column` the same after
    it. Beside a diagnosis of melanoma, yes and malignant are unclear, but not yes in a
    column called melanoma; with `diagnoses`, in a column of diagnoses, so are yes and no
    beside any of them.
    """
    words = plain(column, keep_other=True)
    found = DIAGNOSES.of(plain(given, keep_other=True))
    melanoma = any(each.melanoma for each in found.dropna().unique())
    none = pd.Series(False, index=column.index)
    if not melanoma and not (diagnoses and found.notna().any()):
        return none
    answer = YES_NO.of(words).astype("boolean").mask(_numbers(words).eq(1), True)
    answer = answer.mask(_numbers(words).eq(0), False)
    asks = key(given.name) in ABOUT_MELANOMA
    unclear = answer.notna() if diagnoses else answer.eq(True).fillna(False) & (not asks)
    if melanoma:
        unclear = unclear | MALIGNANT.of(words).eq(True).fillna(False)
    return unclear.astype(bool) & DIAGNOSES.of(words).isna()


def unclear_signs(given: pd.Series[Any], column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells of `column` hold the sign -, if `given` holds +.

    `given` is the column before the user's words were translated. Without a + the sign
    means that a cell is empty; beside it, it may mean no.
    """
    signs = pd.Series(given.dropna().unique()).astype("string").str.strip()
    if not signs.isin(["+", "\uff0b"]).any():
        return pd.Series(False, index=column.index)
    return column.astype("string").str.strip().eq("-").fillna(False).astype(bool)


def _label(each: pd.Series[Any]) -> pd.Series[Any]:
    """Return melanoma or not for each word; missing for one that does not say it."""
    words = plain(each)
    numbers = _numbers(words)
    label = LABEL_WORDS.of(words).astype("boolean")
    return label.mask(numbers == 0, False).mask(numbers == 1, True)


def _numbers(words: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_numeric(words, errors="coerce").astype("float64")


def says_malignant(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell whether each word means malignant without naming a diagnosis."""

    def says(each: pd.Series[Any]) -> pd.Series[Any]:
        return MALIGNANT.of(plain(each)).eq(True).fillna(False).astype("boolean")

    words = translated(column, name="melanoma")
    return each_value(words, says).fillna(False).astype(bool)
