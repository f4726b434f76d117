"""Find contradictions between the label columns of a table, and raise an error for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

import pandas as pd

from lentigo.datasets.reading.diagnoses import lineage
from lentigo.datasets.reading.label_siblings import other_answers, other_diagnoses
from lentigo.errors import ColumnError
from lentigo.visible import shortened
from lentigo.words import counted, verb

_SHOWN, _LETTERS = 3, 40


@dataclass(frozen=True)
class Conflict:
    """Two columns of a table, and the rows in which they contradict each other."""

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
    """Raise `ColumnError` for the first conflict: the number of rows, three rows, advice.

    `where` names the table in the message; `image` is the column with the names of the
    images. In `advice`, {first} and {other} are replaced by the names of the two columns.
    Nothing is raised without a conflict.
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
    """Yield each pair of columns that is compared, and the rows that contradict each other.

    The rows are all False for a pair without a contradiction. The label column is compared
    with the diagnosis, with further columns of diagnoses or of labels and with the column
    malignant, and this one also with the diagnosis. `chosen` maps columns of a lesion table
    to columns of `source`; it must have melanoma. `label` is the content of the label
    column (if `malignancy`, it tells malignant or benign instead of melanoma or not),
    `said` that of the diagnosis, and `own` that of the column malignant. "Malignant"
    contradicts neither a cancer that is not melanoma nor a diagnosis that is neither
    benign nor malignant (actinic keratosis).
    """
    taken, diagnosis = chosen["melanoma"], chosen.get("diagnosis")
    if diagnosis is not None and diagnosis != taken:
        differs = _sure(label.ne(said["melanoma"]))
        yield Conflict(taken, diagnosis, _against(label, said) if malignancy else differs)
    yield from _of_diagnoses(source, chosen, label, said, malignancy=malignancy)
    yield from _of_answers(source, chosen, label, said)
    malignant = chosen.get("malignant")
    if malignant is None or malignant == taken:
        return
    yield Conflict(taken, malignant, _sure(label.eq(True) & own.eq(False)))
    if diagnosis is not None and diagnosis != taken:
        yield Conflict(malignant, diagnosis, _against(own, said))


def _of_diagnoses(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    label: pd.Series[Any],
    said: pd.DataFrame,
    *,
    malignancy: bool,
) -> Iterator[Conflict]:
    """Yield the conflicts of further columns of diagnoses; see `column_conflicts`."""
    taken, diagnosis = chosen["melanoma"], chosen.get("diagnosis")
    for name, theirs in other_diagnoses(source, chosen):
        differs = _against(label, theirs) if malignancy else label.ne(theirs["melanoma"])
        yield Conflict(taken, name, _sure(differs))
        if diagnosis is not None and diagnosis != taken:
            open_label = label.isna() | malignancy
            against = said["melanoma"].ne(theirs["melanoma"]) & open_label
            yield Conflict(diagnosis, name, _sure(against))


def _of_answers(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    label: pd.Series[Any],
    said: pd.DataFrame,
) -> Iterator[Conflict]:
    """Yield the conflicts of further label columns; see `column_conflicts`.

    Where the label is missing, they are compared with each other and with the diagnosis.
    """
    taken, diagnosis = chosen["melanoma"], chosen.get("diagnosis")
    cancer = _sure(said["malignant"].eq(True) & said["melanoma"].eq(False))
    known, known_from = label, taken
    for name, answer in other_answers(source, taken):
        yield Conflict(taken, name, _sure(answer.ne(label) & ~cancer))
        rest = label.isna() & ~cancer
        if known_from != taken:
            yield Conflict(known_from, name, _sure(answer.ne(known) & rest))
        if diagnosis is not None and diagnosis != taken:
            yield Conflict(name, diagnosis, _sure(answer.ne(said["melanoma"]) & rest))
        known, known_from = answer, name


def _against(answer: pd.Series[Any], said: pd.DataFrame) -> pd.Series[bool]:
    """Tell for which rows an answer, malignant or not, contradicts the diagnosis.

    `said` holds the diagnosis, and melanoma and malignant as it implies them.
    """
    melanoma, malignant = said["melanoma"], said["malignant"]
    open_names = {name for name in said["diagnosis"].dropna().unique() if _is_open(name)}
    benign = malignant.eq(False) & ~said["diagnosis"].isin(open_names)
    return _sure((answer.eq(False) & melanoma.eq(True)) | (answer.eq(True) & benign))


def _is_open(diagnosis: str) -> bool:
    """Tell whether a diagnosis is neither benign nor malignant, as actinic keratosis."""
    return any(name.startswith("indeterminate") for name in lineage(diagnosis))


def _sure(rows: pd.Series[Any]) -> pd.Series[bool]:
    return rows.fillna(False).astype(bool)
