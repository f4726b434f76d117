"""Translate the words of an archive into lentigo's; an unknown word is never guessed.

Words for "not known" (`unknown`, `N/A`, an empty cell …) are missing values. Any other word
that is not in `known_words` becomes missing, too, and is listed with its count in the notes
of the table; in a label, `word_map` raises an error for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lentigo.datasets.reading.diagnoses import DIAGNOSES as DIAGNOSES
from lentigo.datasets.reading.known_words import LABEL_WORDS, SITE_WORDS
from lentigo.datasets.reading.look_alikes import spelled_alike as spelled_alike
from lentigo.datasets.reading.spelling import Words, fold, joined
from lentigo.datasets.reading.word_map import translated
from lentigo.table_files.each_value import each_value
from lentigo.table_files.not_known import plain
from lentigo.tables import SITE_DETAIL
from lentigo.visible import shortened
from lentigo.words import some


def map_words(
    column: pd.Series[Any], words: Mapping[str, str], *, name: str
) -> tuple[pd.Series[Any], list[str]]:
    """Return `column` in lentigo's words, and a sentence on the unknown words, if any."""
    column = translated(column, name=name)
    given = plain(column)
    vocabulary = words if isinstance(words, Words) else Words(words)
    if name == "sex":
        vocabulary = _without_doubt(vocabulary, given)
    mapped = vocabulary.of(given).astype("string")
    left = mapped.isna() & given.notna()
    notes = unmapped(column[left], name=name)
    if name == "sex" and notes and given[left].str.fullmatch(r"\d+(\.0+)?").all():
        notes.append(
            "What a number means for the sex is not guessed: say it, such as --map "
            "'sex:1=male,2=female'."
        )
    return mapped, notes


def map_sites(column: pd.Series[Any]) -> tuple[pd.DataFrame, list[str]]:
    """Return the column site, `SITE_DETAIL` beside it, and a sentence on unknown words.

    The detail is the archive's own word in plain spelling (`back` where the site is torso),
    only for words of the vocabulary, so that it holds no free text of a clinic. It is left
    out where no site has two words: then it tells nothing that the site does not.
    """
    sites, notes = map_words(column, SITE_WORDS, name="site")
    words = each_value(plain(translated(column, name="site")), _folded).where(sites.notna())
    table = pd.DataFrame({"site": sites})
    if words.groupby(sites).nunique().gt(1).any():
        table[SITE_DETAIL] = words.astype("string")
    return table, notes


def _folded(words: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series([fold(str(word)) for word in words], dtype="string")


_SPANISH = frozenset({"hombre", "hombres", "mujer", "mujeres", "varón", "varon", "hembra"})


def _without_doubt(words: Words[str], given: pd.Series[Any]) -> Words[str]:
    """Return `words` for a column of sexes, in which `h` may be homme, hombre or homem.

    Beside an f, h is male. Beside m alone, the m may be mujer, so neither h nor m is read;
    nor are they beside a v without f, which may be varón or vrouw. Beside Spanish words
    without f, an m may be mujer, too.
    """
    there = {word.rstrip(" .,;") for word in given.dropna().unique()}
    if "f" not in there and there & _SPANISH:
        words = _without(words, {"m"})
    if "v" in there and "f" not in there:
        return _without(words, {"h", "m"})
    if "h" not in there:
        return words
    if "f" in there or "m" not in there:
        return joined([words, {"h": "male"}])
    return _without(words, {"h", "m"})


def _without(words: Words[str], letters: set[str]) -> Words[str]:
    left = {w: sex for w, sex in words.items() if w.rstrip(".") not in letters}
    return Words(left)


def map_diagnoses(column: pd.Series[Any]) -> tuple[pd.DataFrame, list[str]]:
    """Return columns diagnosis, melanoma and malignant for words; notes on unknown words.

    An unknown diagnosis keeps its word; melanoma and malignant are then missing.
    """
    column = translated(column, name="diagnosis")
    given = plain(column)
    table = pd.DataFrame(
        {
            "diagnosis": _each(given, "name", "string"),
            "melanoma": _each(given, "melanoma", "boolean"),
            "malignant": _each(given, "malignant", "boolean"),
        }
    )
    strange = table["diagnosis"].isna() & given.notna()
    table["diagnosis"] = table["diagnosis"].fillna(
        column.astype("string").str.strip().where(strange)
    )
    return table, unmapped(column[strange], name="diagnosis")


def _each(words: pd.Series[Any], field: str, dtype: str) -> pd.Series[Any]:
    """Return a field of the diagnosis that each word names; missing for other words."""

    def of(each: pd.Series[Any]) -> pd.Series[Any]:
        found = map(DIAGNOSES.find, each)
        values = [pd.NA if one is None else getattr(one, field) for one in found]
        return pd.Series(values, dtype=dtype)

    return each_value(words, of)


def is_understood(column: pd.Series[Any]) -> pd.Series[bool]:
    """Tell whether each word of `column` is missing, or a known diagnosis or label.

    "Other" is neither.
    """
    known = each_value(plain(column, keep_other=True), _is_word)
    return known.fillna(True).astype(bool)


def _is_word(each: pd.Series[Any]) -> pd.Series[Any]:
    found = [
        DIAGNOSES.find(word) is not None or LABEL_WORDS.find(word) is not None
        for word in each
    ]
    return pd.Series(found, dtype="boolean")


_OPEN = ", and melanoma stays open,"


def without_open(notes: Sequence[str]) -> list[str]:
    """Return notes of `map_diagnoses` without the claim that melanoma stays open.

    So they are true where another column than the diagnosis tells melanoma of all rows.
    """
    return [note.replace(_OPEN, "") for note in notes]


def unmapped(left: pd.Series[Any], *, name: str) -> list[str]:
    """Return one sentence on the unknown words `left`, most frequent first.

    [] without any.
    """
    if left.empty:
        return []
    counts = left.astype("string").str.strip().value_counts()
    words = [
        f"{shortened(str(word), at_most=80)!r} ({count:,})"
        for word, count in counts.items()
    ]
    what = (
        f"diagnosis keeps the archive's own word{_OPEN}"
        if name == "diagnosis"
        else f"{name} is missing"
    )
    return [f"{what} where the word is not in our vocabulary: {some(words, at_most=8)}."]
