"""Tell of melanomas that stand in a sentence of a column without a role, as a remark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import header, is_about_others
from lentigo.datasets.reading.melanoma_denied import TUMOUR, of_this_lesion
from lentigo.datasets.reading.melanoma_words import whole_words
from lentigo.visible import shortened
from lentigo.words import counted, some

_PARTS = re.compile(
    r"lanom|ssm|lmm|alm|nmm|lentigo mal|dubreuilh|hautkrebs|breslow|c43|d03|素瘤|恶黑",
    re.IGNORECASE,
)
"""One of these is in every cell that tells of a melanoma, but for MM in capitals."""
_CAPITALS = re.compile(r"(?<!\d )(?<!\d)\bMM\b")
_TOLD = re.compile(
    rf"{TUMOUR}|\b(?:ssm|lmm|alm|nmm|lentigo malig\w*|dubreuilh|schwarzer hautkrebs|"
    r"breslow\D{0,12}\d|c43(?:\.\d+)?|d03(?:\.\d+)?)\b|黑色?素瘤|恶黑|\bmm\b"
)


def tells_of_melanoma(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells of `column` speak, in a sentence, of a melanoma of this lesion.

    A suspicion counts ("V.a. malignes Melanom"). What is denied, past or said of a relative
    does not, nor does a cell that is a word for melanoma and nothing else.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pd.Series(False, index=column.index)

    text = column.astype("string")
    telling = [word for word in text.dropna().unique() if _tells(str(word))]
    told = pd.Series(False, index=column.index)
    if telling:  # else the rows need not be read, and of most columns none tells
        told = text.isin(telling)
        told[told] = ~whole_words(column[told])
    return told


def _tells(text: str) -> bool:
    if not _PARTS.search(text) and not _CAPITALS.search(text):
        decomposed = not text.isascii() and _PARTS.search(of_this_lesion(text))
        if not decomposed:
            return False
    plain = of_this_lesion(text)
    if not _CAPITALS.search(text):
        plain = re.sub(r"\bmm\b", " ", plain)
    return bool(_TOLD.search(plain))


def told_in_sentences(
    source: pd.DataFrame, label: pd.Series[Any], names: list[Any], *, column: str | None
) -> Iterator[str]:
    """Yield a note for each column of `names` that tells of melanomas the label lacks.

    `label` is read from `column` of the table `source`; None where nothing holds a label.
    A column called family history or the like, or the answer of a reader, is passed over,
    and so is one that speaks of melanoma in every row: it describes the collection. No
    label is taken from a sentence.
    """
    for name in names:
        if is_about_others(header(name)):
            continue
        told = tells_of_melanoma(source[name])
        if not told.any() or (told.all() and len(label.dropna().unique()) > 1):
            continue
        none = told & label.eq(False).fillna(False).astype(bool)
        if parts := list(_parts(source[name], told & label.isna(), none, column)):
            yield (
                f"The column {name} tells of melanoma in a sentence for "
                f"{', and for '.join(parts)}. No label is read from sentences: look at "
                "these rows, and correct the label where one is a melanoma."
            )


def _parts(
    words: pd.Series[Any],
    without: pd.Series[bool],
    none: pd.Series[bool],
    column: str | None,
) -> Iterator[str]:
    if count := int(none.sum()):
        yield f"{counted(count, 'image')} that {column} calls none ({_quoted(words[none])})"
    if count := int(without.sum()):
        yield f"{counted(count, 'image')} without a label ({_quoted(words[without])})"


def _quoted(words: pd.Series[Any]) -> str:
    texts = words.astype("string").str.strip().unique()
    return some([f"{shortened(str(word), at_most=60)!r}" for word in texts])
