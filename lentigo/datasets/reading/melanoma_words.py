"""Find melanomas in the cells of a column: as a whole word, or mentioned in a sentence."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pandas as pd

from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.known_words import NOT_MELANOMA, YES_NO
from lentigo.datasets.reading.melanoma_denied import TUMOUR, not_denied
from lentigo.datasets.reading.spelling import spellings
from lentigo.table_files.each_value import each_value
from lentigo.table_files.not_known import plain

_LONGEST, _SHORT = 200, 4
"""Letters of the longest cell that is looked up, and of words that have no common part."""

_PARTS = (
    "lanom", "lentig", "c43", "d03", "2c30", "2e63", "hutchinson", "dubreuilh", "hautkrebs",
    "mm", "黑", "恶", "惡", "/2", "/3",
)  # fmt: skip
"""One of these is in every word for melanoma that is longer than `_SHORT`."""

_MENTIONED = re.compile(
    rf"{TUMOUR}|黑色?素瘤|恶黑|恶性雀斑|lentigo mali\w*|schwarzer hautkrebs|dubreuilh|"
    r"hutchinson|\b(?:mel|ssm|lmm|alm|n?mm|mis|breslow|c43(?:\.\d+)?|d03(?:\.\d+)?|"
    r"2c30(?:\.\w)?|2e63|87[2-8]\d/[23]|"
    r"clark[ -](?:level |stufe |nivel )?(?:[1-5]|i{1,3}|iv|v))\b"
)


def whole_words(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells of `column` are a word for melanoma, and nothing else.

    The words are those of the vocabulary of diagnoses, in any spelling.
    """
    if not _may_hold(column):
        return pd.Series(False, index=column.index)
    return _told(column, _is_melanoma)


def mentions(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells of `column` are no known word, and mention a melanoma.

    "Melanoma in situ, Breslow 0.3 mm" does, "no evidence of melanoma" does not. An earlier
    melanoma, or that of a relative, does: it may be this lesion's.
    """
    found = _told(column, _mentions)
    if found.any():
        found[found] = unknown_diagnoses(column[found])
    return found


def unknown_diagnoses(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell which cells of `column` hold a word that is no known diagnosis.

    Words for "not known" and for "not melanoma" are understood. "Other" is not.
    """
    known = each_value(plain(column, keep_other=True), _is_diagnosis)
    return ~known.fillna(True).astype(bool)


def answers_only(column: pd.Series[Any]) -> bool:
    """Tell whether the cells of `column` are numbers, dates, or yes and no."""
    words = plain(column).dropna()
    rest = words[pd.to_numeric(words, errors="coerce").isna() & YES_NO.of(words).isna()]
    return bool(rest.str.fullmatch(r"[\d.,/: -]+").all())


def share_of_diagnoses(column: pd.Series[Any]) -> float:
    """Return which share of the filled cells of `column` are known diagnoses; 0 if none."""
    filled = plain(column).notna()
    known = filled & ~unknown_diagnoses(column)
    return float(known.sum() / filled.sum()) if filled.any() else 0.0


def _told(column: pd.Series[Any], tell: Any) -> pd.Series[bool]:
    def read(each: pd.Series[Any]) -> pd.Series[Any]:
        return pd.Series([tell(str(word)) for word in each], dtype="boolean")

    return each_value(column.astype("string"), read).fillna(False).astype(bool)


def _may_hold(column: pd.Series[Any]) -> bool:
    """Tell, in little time, whether a cell of a long column may be a word for melanoma."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return False
    text = _compared("\n".join(map(str, column.dropna().unique())))
    digits = text
    for letter in "\n.,-+e":
        digits = digits.replace(letter, "")
    if not digits or digits.isdigit():
        return False
    return any(part in text for part in _PARTS) or any(
        _is_short(word) for word in text.split("\n")
    )


def _compared(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def _is_short(text: str) -> bool:
    """Tell whether `text` is a short word for melanoma, or begins with one ("SSM pT1a")."""
    begins = _BEGINS.match(text)
    return begins is not None and begins[1] in _SHORT_WORDS


def _is_melanoma(word: str) -> bool:
    if len(word) > _LONGEST:
        return False
    text = _compared(word).strip(" _\t")
    if not _is_short(text) and not any(part in text for part in _PARTS):
        return False
    if text[:2].isascii() and text[:2] not in _STARTS:
        return False  # spares looking up long texts, which takes 50 times as long
    found = DIAGNOSES.find(word)
    return found is not None and found.melanoma is True


_SHORT_WORDS = frozenset(
    word for word, found in DIAGNOSES.items() if found.melanoma and len(word) <= _SHORT
)

_BEGINS = re.compile(r"[\s_(]*(\w+)")

_STARTS = frozenset(
    way[:2]
    for word, found in DIAGNOSES.items()
    if found.melanoma
    for way in spellings(word)
)


def _mentions(word: str) -> bool:
    return bool(_MENTIONED.search(not_denied(word)))


def _is_diagnosis(words: pd.Series[Any]) -> pd.Series[Any]:
    found = [
        DIAGNOSES.find(word) is not None or NOT_MELANOMA.find(word) is not None
        for word in words
    ]
    return pd.Series(found, dtype="boolean")
