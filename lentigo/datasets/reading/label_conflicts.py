"""Refuse a table whose own columns say different things of what is a melanoma."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

import pandas as pd

from lentigo.datasets.reading.diagnoses import lineage
from lentigo.datasets.reading.known_words import LABEL_WORDS
from lentigo.datasets.reading.spelling import fold, without_accents
from lentigo.datasets.reading.vocabulary import is_understood
from lentigo.datasets.reading.word_map import translated
from lentigo.errors import ColumnError
from lentigo.table_files.not_known import plain
from lentigo.visible import shortened
from lentigo.words import counted, verb

SAME_QUESTION = ("melanoma", "target", "label", "is_melanoma", "mel")
"""Names of columns that ask whether it is melanoma; several may stand in one table."""

_SHOWN, _LETTERS = 3, 40


@dataclass(frozen=True)
class Conflict:
    """Two columns of a table that cannot both be right for some of its rows."""

    first: str
    other: str
    rows: pd.Series[bool]


def refuse_conflicts(
    source: pd.DataFrame,
    conflicts: Iterator[Conflict],
    *,
    where: str,
    image: str | None,
    advice: str = "",
) -> None:
    """Raise `ColumnError` for the first conflict: how many rows, three of them, what to do.

    `image` is the column that names the images. In `advice` stand {first} and {other} for
    the names of the two columns.
    """
    found = next((each for each in conflicts if each.rows.any()), None)
    if found is None:
        return
    count = int(found.rows.sum())
    settle = f", or {advice}" if advice else ""
    raise ColumnError(
        f"{where}: the columns {found.first} and {found.other} contradict each other for "
        f"{counted(count, 'image')}, and a melanoma may be behind "
        f"{verb(count, 'it', 'each')}: {_examples(source, found, image)}. Correct the table"
        f"{settle.format(first=quote(found.first), other=quote(found.other))}."
    )


def _examples(source: pd.DataFrame, found: Conflict, image: str | None) -> str:
    rows = source[found.rows.to_numpy(dtype=bool)]
    shown = []
    for number, row in list(rows.iterrows())[:_SHOWN]:
        name = str(row[image]) if image and pd.notna(row[image]) else f"row {number}"
        words = " beside ".join(
            f"{column} {shortened(str(row[column]), at_most=_LETTERS)!r}"
            for column in (found.first, found.other)
        )
        shown.append(f"{shortened(name, at_most=_LETTERS)} ({words})")
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return f"{', '.join(shown)}{more}"


def column_conflicts(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    *,
    label: pd.Series[Any],
    said: pd.DataFrame,
    own: pd.Series[Any],
    malignancy: bool,
) -> Iterator[Conflict]:
    """Yield what contradicts what in `source`, of which `chosen` names the columns.

    `label` is what the column for melanoma says (`malignancy`: that it says malignant and
    not melanoma), `said` what the diagnosis says, and `own` what the column on malignancy
    says. A cancer of another kind that is called malignant contradicts nothing.
    """
    taken, diagnosis = chosen["melanoma"], chosen.get("diagnosis")
    if diagnosis is not None and diagnosis != taken:
        differs = _sure(label.ne(said["melanoma"]))
        yield Conflict(taken, diagnosis, _against(label, said) if malignancy else differs)
    for name, answer in other_answers(source, taken):
        cancer = said["malignant"].eq(True) & said["melanoma"].eq(False)
        differs = answer.ne(label) & ~cancer.fillna(False)
        yield Conflict(taken, name, _sure(differs))
    malignant = chosen.get("malignant")
    if malignant is None or malignant == taken:
        return
    yield Conflict(taken, malignant, _sure(label.eq(True) & own.eq(False)))
    if diagnosis is not None and diagnosis != taken:
        yield Conflict(malignant, diagnosis, _against(own, said))


def _against(answer: pd.Series[Any], said: pd.DataFrame) -> pd.Series[bool]:
    """The rows that are called malignant, or not, against what the diagnosis says."""
    melanoma, malignant = said["melanoma"], said["malignant"]
    open_names = {name for name in said["diagnosis"].dropna().unique() if _is_open(name)}
    benign = malignant.eq(False) & ~said["diagnosis"].isin(open_names)
    return _sure((answer.eq(False) & melanoma.eq(True)) | (answer.eq(True) & benign))


def _is_open(diagnosis: str) -> bool:
    """Tell whether a diagnosis lies between benign and malignant, as actinic keratosis."""
    return any(name.startswith("indeterminate") for name in lineage(diagnosis))


def other_answers(source: pd.DataFrame, taken: str) -> Iterator[tuple[str, pd.Series[Any]]]:
    """Yield the answers of other columns that ask what `taken` asks, where understood."""
    asking = {key(name) for name in SAME_QUESTION}
    for name in source.columns:
        same = _header(name) == _header(taken) or {key(name), key(taken)} <= asking
        if name == taken or not same:
            continue
        words = plain(translated(source[name], name="melanoma"))
        numbers = pd.to_numeric(words, errors="coerce")
        answer = LABEL_WORDS.of(words).astype("boolean")
        answer = answer.mask(numbers.eq(0).fillna(False), False)
        answer = answer.mask(numbers.eq(1).fillna(False), True)
        if (answer.notna() | is_understood(words)).all():
            yield str(name), answer


def _header(name: object) -> str:
    """Return what stands in the header line: of two columns `dx` the second is `dx.1`."""
    return re.sub(r"\.\d+$", "", str(name))


def key(name: object) -> str:
    """Spell the name of a column for comparing: lower-case letters and digits."""
    return re.sub(r"[\W_]", "", without_accents(fold(str(name))))


def _sure(rows: pd.Series[Any]) -> pd.Series[bool]:
    return rows.fillna(False).astype(bool)
