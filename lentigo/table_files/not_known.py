"""Words by which a table says that a value is unknown, and ids without these words."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.table_files.each_value import each_value

_ENGLISH = (
    "", "-", "?", "na", "n/a", "n.a.", "nan", "none", "null", "unknown", "unk", "missing",
    "other", "not specified", "not reported", "not known", "undetermined", "indeterminate",
)  # fmt: skip
# Common usage in each language, with and without accents.
_GERMAN = (
    "unbekannt", "nicht bekannt", "keine angabe", "keine angaben", "k.a.", "k. a.",
    "k.a", "unklar", "fehlt",
)  # fmt: skip
_SPANISH = (
    "desconocido", "desconocida", "no conocido", "sin datos", "no consta",
)  # fmt: skip
_FRENCH = (
    "inconnu", "inconnue", "non renseigné", "non renseigne", "non précisé", "non precise",
)  # fmt: skip
_ITALIAN = (
    "sconosciuto", "sconosciuta", "non noto", "non specificato", "ignoto",
)  # fmt: skip
_PORTUGUESE = (
    "desconhecido", "desconhecida", "não informado", "nao informado", "ignorado",
)  # fmt: skip
_CHINESE = (
    "未知", "不详", "不明", "未提供",
)  # fmt: skip

_SHA256 = r"[0-9a-fA-F]{64}"
NOT_KNOWN = frozenset(
    word
    for words in (_ENGLISH, _GERMAN, _SPANISH, _FRENCH, _ITALIAN, _PORTUGUESE, _CHINESE)
    for word in words
)
"""Words by which a table says that a value is unknown."""


OTHER = "other"
"""A word that says nothing of a sex or site, but in a label tells classes apart."""


def plain(column: pd.Series[Any], *, keep_other: bool = False) -> pd.Series[Any]:
    """Return the words of `column` in lower case, trimmed, with `_` as space.

    Words in `NOT_KNOWN` become missing values. With `keep_other` the word "other" stays, as
    it must in a label: beside melanoma it is no missing value, and no word that says what
    it holds.
    """
    nothing = NOT_KNOWN - {OTHER} if keep_other else NOT_KNOWN
    return each_value(column.astype("string"), lambda each: _plain(each, nothing))


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
    unknown[wordy] = plain(each[wordy]).isna()
    return each.mask(unknown).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def hashes(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return SHA-256 digests in lower case.

    Cells that hold anything else become missing.
    """
    words = column.astype("string").str.strip()
    right = words.str.fullmatch(_SHA256).fillna(False).astype(bool)
    return words.str.lower().where(right)
