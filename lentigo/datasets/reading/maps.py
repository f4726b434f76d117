"""Read the maps by which a user says what unknown words of a table mean."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import COLUMN_NAMES, key
from lentigo.datasets.reading.known_words import (
    ALL_WORDS,
    LABELS,
    MODALITY_WORDS,
    SEX_WORDS,
    SITE_WORDS,
    SKIN_WORDS,
)
from lentigo.datasets.reading.spelling import Words, fold
from lentigo.errors import ConfigError
from lentigo.table_files.cells import NOTHING
from lentigo.table_files.door import read_cells
from lentigo.visible import shortened
from lentigo.words import some

_LETTERS = 60
"""Letters of a word in a message."""

MapSource = str | Path | Mapping[str, Any] | Sequence[str | Path]
"""`'diagnosis:Melanom=melanoma,NZN=nevus'`, the path of a CSV, a mapping, or several."""

MISSING_WORDS = frozenset({"missing", "unknown"})
"""Meanings that turn a word into a missing value."""

ABOUT_LABELS = ("diagnosis", "melanoma", "malignant")
"""Columns of a lesion table for which a map without a column counts."""

_WORDS: Mapping[str, Words[Any]] = {
    "sex": SEX_WORDS,
    "site": SITE_WORDS,
    "skin_type": Words(SKIN_WORDS),
    "modality": Words(MODALITY_WORDS),
}


def read_map(given: MapSource) -> dict[tuple[str, str], str]:
    """Return the map `given` as (column, word) → lentigo's word, both in plain spelling.

    Of several maps, the last one counts for a word that is in more than one.

    Raises `ConfigError` where `given` is neither of the form COLUMN:WORD=MEANING nor a
    table of words, for a meaning that lentigo does not know or that is none for the column,
    and where one map gives a word two meanings.
    """
    if isinstance(given, Mapping):
        rows = list(_of_mapping(given))
    elif isinstance(given, (str, Path)):
        is_file = isinstance(given, Path) or "=" not in given
        rows = _of_file(Path(given)) if is_file else _of_text(str(given))
    else:
        return {place: word for one in given for place, word in read_map(one).items()}
    found: dict[tuple[str, str], str] = {}
    for column, word, meaning in rows:
        _check_meaning(meaning, word)
        check_fits(meaning, word, _ours(column))
        place = key(column), fold(word)
        if fold(found.setdefault(place, meaning)) != fold(meaning):
            raise ConfigError(
                f"--map says both {short(found[place])!r} and {short(meaning)!r} for "
                f"{short(word)!r}; keep one of them."
            )
    return found


def _ours(column: str) -> str:
    """Return the column of a lesion table that `column` of a map stands for.

    Without a name it is a label; "" if that is not known.
    """
    if not column:
        return "melanoma"
    names = ((ours, {ours, *theirs}) for ours, theirs in COLUMN_NAMES.items())
    return next((ours for ours, all_ in names if key(column) in map(key, all_)), "")


def _of_mapping(given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from ((str(name), str(word), str(ours)) for word, ours in value.items())
        else:
            yield "", str(name), str(value)


def _of_text(text: str) -> list[tuple[str, str, str]]:
    front, _, _ = text.partition("=")
    column, colon, _ = front.partition(":")
    pairs = next(csv.reader([text[len(column) + 1 :] if colon else text]))
    rows = []
    for pair in pairs:
        word, equals, meaning = (part.strip() for part in pair.rpartition("="))
        if not (word and equals and meaning):
            raise ConfigError(
                f"--map {text!r}: {pair!r} is not of the form WORD=MEANING; write "
                "COLUMN:WORD=MEANING,WORD=MEANING (diagnosis:Melanom=melanoma) or give a "
                "table of words."
            )
        rows.append((column.strip() if colon else "", word, meaning))
    return rows


def _of_file(path: Path) -> list[tuple[str, str, str]]:
    """Return the rows of a table of words whose meaning is filled in.

    A word may be NA or None, which other tables write where a value is missing.
    """
    table = read_cells(path).astype("string")
    table.columns = [str(name).strip().lower() for name in table.columns]
    if "word" not in table or "meaning" not in table:
        if len(table.columns) not in {2, 3}:
            raise ConfigError(
                f"{path} is no table of words: it needs the columns word and meaning, and "
                f"may have column. It has {some(list(table.columns), at_most=8)}."
            )
        table = _headless(table)
    columns = table["column"] if "column" in table else pd.Series("", index=table.index)
    rows = zip(columns.fillna(""), table["word"], table["meaning"], strict=True)
    filled = [
        (str(column), str(word), str(meaning).strip())
        for column, word, meaning in rows
        if pd.notna(word) and pd.notna(meaning) and str(meaning).strip() not in NOTHING
    ]
    if not filled:
        raise ConfigError(
            f"{path} maps no word: its column meaning is empty. Fill it in, with melanoma, "
            "nevus, benign, missing …"
        )
    return filled


def _headless(table: pd.DataFrame) -> pd.DataFrame:
    """Name the two or three columns of a table without header: (column,) word, meaning."""
    names = ["column", "word", "meaning"][-len(table.columns) :]
    first = pd.DataFrame([list(table.columns)], columns=names, dtype="string")
    return pd.concat([first, table.set_axis(names, axis=1)], ignore_index=True)


def _check_meaning(meaning: str, word: str) -> None:
    if not is_missing(meaning) and ALL_WORDS.find(meaning) is None:
        known = ["melanoma", "nevus", "benign", "malignant", "yes", "no", "missing"]
        raise ConfigError(
            f"--map says that {short(word)!r} means {short(meaning)!r}, which is "
            f"no word of ours. Such are {some(known, at_most=7)}, and all that stand in "
            "docs/vocabulary.md."
        )


def check_fits(meaning: str, word: str, ours: str) -> None:
    """Raise `ConfigError` for a meaning that is no word for the column `ours`.

    `ours` is the name of a column in a lesion table. In a label a single letter is refused,
    too: f may be female, and is also short for false.
    """
    if is_missing(meaning):
        return
    if ours in _WORDS:
        fits = _WORDS[ours].find(meaning) is not None
    else:
        letter = len(meaning) == 1 and meaning.isascii() and meaning.isalpha()
        fits = ours not in ABOUT_LABELS or (LABELS.find(meaning) is not None and not letter)
    if not fits:
        words = ["melanoma", "nevus", "benign", "yes", "no"]
        known = sorted(set(_WORDS[ours].values())) if ours in _WORDS else words
        raise ConfigError(
            f"--map says that {short(word)!r} means {short(meaning)!r}, which is no word "
            f"for {ours}. Such are {some([*known, 'missing'], at_most=7)}."
        )


def is_missing(meaning: str) -> bool:
    """Tell whether a meaning turns a word into a missing value."""
    return fold(meaning) in MISSING_WORDS


def short(word: object) -> str:
    """Return a word shortened for a message."""
    return shortened(str(word), at_most=_LETTERS)
