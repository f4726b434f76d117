"""Map unknown words of a table as the user tells, and decide about the others.

An unknown word in a label column is an error: a melanoma may be among these images, and
would be lost in silence. The user may map such words, or go on without the labels of these
images.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.known_words import ALL_WORDS, YES_NO
from lentigo.datasets.reading.spelling import fold, without_accents
from lentigo.errors import ConfigError, UnknownWordsError, unknown_name
from lentigo.output import TABLE, check_file
from lentigo.tables import read_any_table, write_table
from lentigo.visible import shortened
from lentigo.words import counted, some, verb

MapSource = str | Path | Mapping[str, Any] | Sequence[str | Path]
"""`'diagnosis:Melanom=melanoma,NZN=nevus'`, the path of a CSV, a mapping, or several."""

MISSING_WORDS = frozenset({"missing", "unknown"})
"""Meanings that turn a word into a missing value."""

_EITHER = ("melanoma", "diagnosis")
_SHOWN, _LETTERS = 10, 60


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The settings by which words of tables are interpreted."""

    meanings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(column, word) → lentigo's word; an empty column stands for every column."""
    unknown: str = "refuse"
    """Treatment of unknown words in a label: `refuse` raises an error, `missing` goes on
    without the label."""
    write_map: Path | None = None
    """File into which unknown words are written, to be completed by the user."""


_NOW: ContextVar[Reading] = ContextVar("reading", default=Reading())  # noqa: B039 (frozen)


@contextmanager
def understood(
    map: MapSource | None = None,
    *,
    unknown: str | None = None,
    write_map: Path | None = None,
) -> Iterator[None]:
    """Interpret the words of every table read in the `with` block by these settings.

    The arguments are the fields of `Reading`; `map` is added to its meanings. One that is
    None keeps the setting from outside the block.

    Raises `ConfigError` for a map that cannot be read or a meaning that lentigo does not
    know, and `UnknownNameError` for another value of `unknown`.
    """
    if unknown not in {None, "refuse", "missing"}:
        raise unknown_name("way with unknown words", str(unknown), ["refuse", "missing"])
    if write_map is not None:
        check_file(write_map, TABLE)
    before = _NOW.get()
    now = Reading(
        meanings={**before.meanings, **(read_map(map) if map else {})},
        unknown=unknown or before.unknown,
        write_map=write_map or before.write_map,
    )
    token = _NOW.set(now)
    try:
        yield
    finally:
        _NOW.reset(token)


def read_map(given: MapSource) -> dict[tuple[str, str], str]:
    """Return the map `given` as (column, word) → lentigo's word, both in plain spelling.

    Of several maps, the last one counts for a word that is in more than one.

    Raises `ConfigError` where `given` is neither of the form COLUMN:WORD=MEANING nor a
    table of words, and for a meaning that lentigo does not know.
    """
    if isinstance(given, Mapping):
        rows = list(_of_mapping(given))
    elif isinstance(given, (str, Path)):
        is_file = isinstance(given, Path) or "=" not in given
        rows = _of_file(Path(given)) if is_file else _of_text(str(given))
    else:
        return {key: word for one in given for key, word in read_map(one).items()}
    found = {}
    for column, word, meaning in rows:
        _check_meaning(meaning, word)
        found[_key(column), fold(word)] = meaning
    return found


def translated(column: pd.Series[Any], *, name: str) -> pd.Series[Any]:
    """Return `column` with the words that the user maps replaced by lentigo's, or missing.

    `name` is the column's name in a lesion table. The map may use this name, the column's
    own name, or none.
    """
    meanings = _NOW.get().meanings
    if not meanings:
        return column
    words = column.astype("string")
    # The diagnosis may be the label, too: a map for either column counts for both.
    names = (str(column.name), name, *(_EITHER if name in _EITHER else ()))
    found = {
        word: meaning
        for word in words.dropna().unique()
        if (meaning := _mapped(meanings, word, names)) is not None
    }
    if name in _EITHER:
        found = {word: _as_label(meaning) for word, meaning in found.items()}
    gone = words.isin([word for word, meaning in found.items() if _is_missing(meaning)])
    return words.replace(found).mask(gone)


def refuse_words(left: pd.Series[Any], *, name: str, source: str, hint: str = "") -> None:
    """Raise `UnknownWordsError` for the unknown words `left`, with their counts and advice.

    Nothing is raised if there are none, or if the user goes on without them. If asked for,
    the words are first written to a file.
    """
    reading = _NOW.get()
    if left.empty:
        return
    counts = left.astype("string").str.strip().value_counts()
    written = _write(counts, reading.write_map, name=name)
    if reading.unknown == "missing":
        return
    words = [f"{_short(word)!r} ({count:,})" for word, count in counts.items()]
    numbers = pd.to_numeric(left, errors="coerce").astype("float64")
    between = numbers.between(0, 1, inclusive="neither").mean() > 0.5
    if between and len(counts) > 2:  # fewer may be a mistyped 0 or 1
        raise UnknownWordsError(
            f"{source}: the column {name} holds numbers between 0 and 1 ({some(words)}), "
            "which look like probabilities, not labels. Give the table of the labels here "
            "(predictions and truth may have changed places), or name the column of the "
            f"label: --column melanoma=…. {_without(len(left))}"
        )
    there = f"{counted(len(counts), 'word')} of the column {name}"
    raise UnknownWordsError(
        f"{source}: {there} {verb(len(counts), 'is', 'are')} not understood, and a "
        f"melanoma may be behind each: {some(words, at_most=_SHOWN)}. Say what they mean, "
        f"{_option(list(counts.index), name)} a table, --map words.csv{written}. "
        f"{_without(int(counts.sum()))}{hint}"
    )


def _without(number: int) -> str:
    return f"Or go on without the label of {counted(number, 'image')}: --unknown missing."


def _option(words: Sequence[str], name: str) -> str:
    """Return the option that maps two of the words, ready to be copied into a shell."""
    fit = [word for word in words if len(word) <= _LETTERS and word.isprintable()][:2]
    if not fit:
        return "with"
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"{word}=MEANING" for word in fit])
    # A name with : or = would be misread; an empty name stands for every column.
    column = name if not set(name) & set(":=") else ""
    option = f"{column}:{text.getvalue()}".replace("'", "'\"'\"'")
    return f"with --map '{option}' (such as melanoma, nevus, benign, no, missing) or with"


def _of_mapping(given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from ((str(key), str(word), str(ours)) for word, ours in value.items())
        else:
            yield "", str(key), str(value)


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
    """Return the rows of a table of words whose meaning is filled in."""
    table = read_any_table(path, text=True)
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
    return [
        (str(column), str(word), str(meaning).strip())
        for column, word, meaning in rows
        if pd.notna(word) and pd.notna(meaning) and str(meaning).strip()
    ]


def _headless(table: pd.DataFrame) -> pd.DataFrame:
    """Name the two or three columns of a table without header: (column,) word, meaning."""
    names = ["column", "word", "meaning"][-len(table.columns) :]
    first = pd.DataFrame([list(table.columns)], columns=names, dtype="string")
    return pd.concat([first, table.set_axis(names, axis=1)], ignore_index=True)


def _check_meaning(meaning: str, word: str) -> None:
    if not _is_missing(meaning) and ALL_WORDS.find(meaning) is None:
        known = ["melanoma", "nevus", "benign", "malignant", "yes", "no", "missing"]
        raise ConfigError(
            f"--map says that {_short(word)!r} means {_short(meaning)!r}, which is "
            f"no word of ours. Such are {some(known, at_most=7)}, and all that stand in "
            "docs/vocabulary.md."
        )


def _as_label(meaning: str) -> str:
    """Return yes as melanoma and no as "not melanoma", which are clear in any column."""
    answer = YES_NO.find(meaning)
    return meaning if answer is None else "melanoma" if answer else "not melanoma"


def _mapped(
    meanings: Mapping[tuple[str, str], str], word: str, columns: tuple[str, ...]
) -> str | None:
    for column in (*map(_key, columns), ""):
        if (column, fold(word)) in meanings:
            return meanings[column, fold(word)]
    return None


def _is_missing(meaning: str) -> bool:
    return fold(meaning) in MISSING_WORDS


def _write(counts: pd.Series[Any], path: Path | None, *, name: str) -> str:
    """Write the unknown words to `path` for the user to complete; return a remark on this.

    Nothing is written if `path` is None or exists already.
    """
    if path is None:
        return " (--write-map words.csv writes one to fill in)"
    if path.exists():
        return f" ({path} is there already and was left alone)"
    rows = {"column": name, "word": counts.index, "count": counts.to_numpy(), "meaning": ""}
    write_table(pd.DataFrame(rows), path)
    return f" ({path} was written: fill in its column meaning)"


def _short(word: object) -> str:
    return shortened(str(word), at_most=_LETTERS)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", without_accents(fold(name)))
