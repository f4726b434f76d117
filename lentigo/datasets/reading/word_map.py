"""Map unknown words of a table as the user tells, and decide about the others.

An unknown word in a label column is an error: a melanoma may be among these images, and
would be lost in silence. The user may map such words, or go on without the labels of these
images.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.diagnoses import DIAGNOSES, lineage
from lentigo.datasets.reading.known_words import LABEL_WORDS, MALIGNANT, YES_NO
from lentigo.datasets.reading.maps import (
    ABOUT_LABELS,
    MapSource,
    check_fits,
    is_missing,
    read_map,
    short,
)
from lentigo.datasets.reading.spelling import fold
from lentigo.errors import ConfigError, UnknownWordsError, unknown_name
from lentigo.output import TABLE, check_file
from lentigo.progress import log
from lentigo.table_files.cells import NOTHING
from lentigo.tables import write_table
from lentigo.words import counted, some, verb

_EITHER = ("melanoma", "diagnosis")
_SHOWN, _LETTERS = 10, 60


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The settings by which words of tables are interpreted."""

    meanings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(column, word) → lentigo's word; an empty column stands for every label."""
    unknown: str = "refuse"
    """Treatment of unknown words in a label: `refuse` raises an error, `missing` goes on
    without the label."""
    write_map: Path | None = None
    """File into which unknown words are written, to be completed by the user."""
    used: set[tuple[str, str]] = field(default_factory=set)
    """The meanings whose word was found in a table."""


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
        used=before.used if before.meanings else set(),
    )
    token = _NOW.set(now)
    try:
        yield
        _warn_of_unused(now, before)
    finally:
        _NOW.reset(token)


def _warn_of_unused(now: Reading, before: Reading) -> None:
    """Warn of words that were mapped for this block, and that no table holds."""
    own = [place for place in now.meanings if place not in before.meanings]
    unused = [place for place in own if place not in now.used]
    if unused:
        words = [f"{place[0]}:{place[1]}".lstrip(":") for place in unused]
        log.warning(
            "--map: no table that was read holds %s; is it spelled as there?", some(words)
        )


def names_nothing() -> frozenset[str]:
    """Return the words, in plain spelling, that mean "no value" and yet are mapped."""
    nothing = {fold(word) for word in NOTHING}
    return frozenset(word for _, word in _NOW.get().meanings if word in nothing)


def translated(column: pd.Series[Any], *, name: str) -> pd.Series[Any]:
    """Return `column` with the words that the user maps replaced by lentigo's, or missing.

    `name` is the column's name in a lesion table. The map may use this name, the column's
    own name or, for a label, none. Raises `ConfigError` for a meaning that is no word for
    this column, and where a word has two meanings.
    """
    reading = _NOW.get()
    if not reading.meanings:
        return column
    words = column.astype("string")
    # The diagnosis may be the label, too: a map for either column counts for both.
    names = (str(column.name), name, *(_EITHER if name in _EITHER else ()))
    found = {}
    for word in words.dropna().unique():
        places = _mapped(reading.meanings, word, names, ours=name)
        if places:
            reading.used.update(places)
            found[word] = reading.meanings[places[0]]
            check_fits(found[word], word, name)
    if name in _EITHER:
        found = {word: _as_label(meaning) for word, meaning in found.items()}
    gone = words.isin([word for word, meaning in found.items() if is_missing(meaning)])
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
    words = [f"{short(word)!r} ({count:,})" for word, count in counts.items()]
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
        f"{_elsewhere(reading, counts.index, name)}"
    )


def _elsewhere(reading: Reading, words: Iterable[str], name: str) -> str:
    """Return a sentence on words that the map has for another column than `name`."""
    there = {fold(word) for word in words}
    columns = dict.fromkeys(of for of, word in reading.meanings if of and word in there)
    if not columns:
        return ""
    return f" --map has such words for the column {some(list(columns))}, not for {name}."


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


def _as_label(meaning: str) -> str:
    """Return yes as melanoma and no as "not melanoma", which are clear in any column."""
    answer = YES_NO.find(meaning)
    return meaning if answer is None else "melanoma" if answer else "not melanoma"


def _melanoma(meaning: str) -> bool | None:
    """Return what a meaning says of melanoma; None if it leaves that open."""
    return None if is_missing(meaning) else LABEL_WORDS.find(meaning)


def _apart(one: str, other: str) -> bool:
    """Tell whether two meanings of a label name diagnoses of which only one can be right.

    So do nevus and basal cell carcinoma, and benign and basal cell carcinoma; two kinds of
    melanoma, a diagnosis and what it is a kind of, or "not melanoma" and nevus, do not.
    """
    named = [DIAGNOSES.find(each) for each in (one, other)]
    bad = {each.malignant if each else MALIGNANT.find(word)
           for each, word in zip(named, (one, other), strict=True)} - {None}  # fmt: skip
    first, second = named
    if len(bad) > 1 or not (first and second) or first.melanoma:
        return len(bad) > 1
    one, other = first.name, second.name
    return one not in lineage(other) and other not in lineage(one)


def _mapped(
    meanings: Mapping[tuple[str, str], str],
    word: str,
    columns: tuple[str, ...],
    *,
    ours: str,
) -> list[tuple[str, str]]:
    """Return the places of a word of one of `columns` in the map, the nearest first.

    `ours` is the column's name in a lesion table. A map without a column counts for labels
    alone: M may be melanoma there, and male in another column. Raises `ConfigError` where
    the places give the word two meanings; those for label and diagnosis may be two words
    (yes and melanoma) that say the same of melanoma and do not exclude each other.
    """
    places = [(key(column), fold(word)) for column in columns]
    places += [("", fold(word))] if ours in ABOUT_LABELS else []
    found = [place for place in dict.fromkeys(places) if place in meanings]
    tell: Callable[[str], object] = _melanoma if ours in _EITHER else fold
    said = {tell(meanings[place]): place for place in found}
    differ = list(said.values())
    if len(said) == 1 and ours in _EITHER:
        first = meanings[found[0]]
        differ = found[:1] + [each for each in found if _apart(first, meanings[each])][:1]
    if len(differ) > 1:
        there = [f"{meanings[at]!r} ({at[0] or 'any label'})" for at in differ]
        raise ConfigError(
            f"--map gives {short(word)!r} several meanings: {some(there)}; the columns "
            "melanoma and diagnosis must say the same. Keep one meaning."
        )
    return found


def _write(counts: pd.Series[Any], path: Path | None, *, name: str) -> str:
    """Write the unknown words to `path` for the user to complete; return a remark on this.

    Nothing is written if `path` is None or exists already.
    """
    if path is None:
        return " (--write-map words.csv writes one to fill in)"
    if path.exists():
        return f" ({path} is there already and was left alone)"
    # With the mark of UTF-8 in front, without which Excel garbles ä and é.
    mark = "\ufeff" if path.suffix.lower() == ".csv" else ""
    rows = {
        f"{mark}column": name,
        "word": counts.index,
        "count": counts.to_numpy(),
        "meaning": "",
    }
    write_table(pd.DataFrame(rows), path)
    return f" ({path} was written: fill in its column meaning)"
