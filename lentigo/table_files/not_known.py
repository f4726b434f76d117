"""Words by which a table says that a value is unknown, and ids without these words."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from lentigo.table_files.each_value import each_value

_ENGLISH = (
    "", "-", "?", "--", "---", ".", "..", "...", "…", "#null!", "na", "n/a", "n.a.", "nan",
    "none", "null", "unknown", "unk", "missing", "no data", "not available", "other",
    "not specified", "not reported", "not known", "undetermined", "indeterminate",
)  # fmt: skip
# Common usage in each language, with and without accents.
_GERMAN = (
    "unbekannt", "nicht bekannt", "keine angabe", "keine angaben", "k.a.", "k. a.",
    "k.a", "unklar", "fehlt", "nicht verfügbar", "keine daten",
)  # fmt: skip
_SPANISH = (
    "desconocido", "desconocida", "no conocido", "sin datos", "sin dato", "no consta",
    "no disponible",
)  # fmt: skip
_FRENCH = (
    "inconnu", "inconnue", "non renseigné", "non renseigne", "non précisé", "non precise",
    "non disponible",
)  # fmt: skip
_ITALIAN = (
    "sconosciuto", "sconosciuta", "non noto", "non specificato", "ignoto",
)  # fmt: skip
_PORTUGUESE = (
    "desconhecido", "desconhecida", "não informado", "nao informado", "ignorado",
    "não disponível", "nao disponivel", "sem dados",
)  # fmt: skip
_CHINESE = (
    "未知", "不详", "不明", "未提供", "暂无", "缺失",
)  # fmt: skip

_SHA256 = r"[0-9a-fA-F]{64}"
NOT_KNOWN = frozenset(
    word
    for words in (_ENGLISH, _GERMAN, _SPANISH, _FRENCH, _ITALIAN, _PORTUGUESE, _CHINESE)
    for word in words
)
"""Words by which a table says that a value is unknown."""


_NO_ID = frozenset(
    {"n.d.", "n/d", "n.d", "n.r.", "n.v.", "s/d", "s.d.", "tbd", "tba", "keine", "keiner",
     "kein", "nil", "ninguno", "ninguna", "aucun", "nessuno", "nenhum", "无", "没有", "xxx",
     "xxxx"}
)  # fmt: skip
"""Words that name no patient, though in a label they might say something."""
_NO_LETTER = re.compile(r"\W+")
_FAULT = re.compile(r"#[^\W\d]+[/0-9]*[!?]")
"""What a spreadsheet shows where a formula fails: #WERT!, #REF!, #NAME?, #DIV/0!."""
_MISSING_VALUES = frozenset(
    {"0", "-1", "-7", "-8", "-9", "-99", "-999", "-9999", "99", "999", "9999", "99999",
     "999999", "888", "8888", "777", "x", "xx", "test", "no", "nd", "nr", "sd"}
)  # fmt: skip
"""Ids that may stand for "not known" where several images have them, or be initials."""

OTHER = "other"
"""A word that says nothing of a sex or site, but in a label tells classes apart."""


def plain(column: pd.Series[Any], *, keep_other: bool = False) -> pd.Series[Any]:
    """Return the words of `column` in lower case, trimmed, with `_` as space.

    Words in `NOT_KNOWN` become missing values. With `keep_other` the word "other" stays, as
    it must in a label: beside melanoma it is no missing value, and no word that says what
    it holds.
    """
    nothing = NOT_KNOWN - {OTHER} if keep_other else NOT_KNOWN
    # Numbers are written once a value: of objects, 1 and True would count as one value.
    number = pd.api.types.is_numeric_dtype(column.dtype)
    return each_value(
        column if number else column.astype("string"),
        lambda each: _plain(each.astype("string"), nothing),
    )


def _plain(each: pd.Series[Any], nothing: frozenset[str] = NOT_KNOWN) -> pd.Series[Any]:
    words = each.str.normalize("NFKC").str.lower()
    words = words.str.replace(r"[\s_]+", " ", regex=True).str.strip()
    return words.mask(words.isin(nothing))


def known_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids of patients, lesions or groups as trimmed text; unknown ones are missing.

    Otherwise all patients called `unknown` would be one patient. A whole number that ends
    in `.0`, as spreadsheets write it in a column with empty cells, loses the ending: 7.0 is
    7. The rest of the column does not matter, so that an id is read in the same way in
    every file.
    """
    return each_value(column.astype("string").str.strip(), _known_ids).rename(None)


def _known_ids(each: pd.Series[Any]) -> pd.Series[Any]:
    # No word of NOT_KNOWN has a digit, and most ids have: reading words takes far longer.
    wordy = each.notna() & ~each.str.contains("[0-9]", regex=True).fillna(False)
    unknown = wordy.copy()
    words = plain(each[wordy])
    unknown[wordy] = words.isna() | words.isin(_NO_ID) | _match(words, _NO_LETTER)
    unknown |= each.str.startswith("#").fillna(False) & _match(each, _FAULT)
    return each.mask(unknown).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def _match(words: pd.Series[Any], pattern: re.Pattern[str]) -> pd.Series[bool]:
    return words.str.fullmatch(pattern).fillna(False).astype(bool)


def perhaps_missing(ids: pd.Series[Any]) -> dict[str, int]:
    """Return ids that several rows have and that often mean "not known", with the counts.

    Such are 0, 99, 999 and -9. Where only one row has it, it does no harm, and where the
    numbers around it are ids as well (998, 1000), it is one of them.
    """
    counts = ids.value_counts()
    there = set(map(str, counts.index))
    found = {}
    for word, count in zip(map(str, counts.index), counts.tolist(), strict=True):
        if count < 2 or word.lower() not in _MISSING_VALUES:
            continue
        if word.isdigit() and {str(int(word) - 1), str(int(word) + 1)} & there:
            continue
        found[word] = int(count)
    return found


def hashes(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return SHA-256 digests in lower case.

    Cells that hold anything else become missing.
    """
    words = column.astype("string").str.strip()
    right = words.str.fullmatch(_SHA256).fillna(False).astype(bool)
    return words.str.lower().where(right)
