"""Settle what the columns melanoma, malignant and diagnosis of one table say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from lentigo.datasets.reading.label_siblings import filled_by_others, other_diagnoses
from lentigo.words import counted, some


@dataclass(frozen=True)
class Labels:
    """The labels of one table."""

    table: pd.DataFrame
    """The columns diagnosis, melanoma and malignant; its rows are those of the source."""
    column: str | None
    """The column from which melanoma was read; None where the table has only a
    diagnosis."""
    notes: list[str]
    """Sentences on what was guessed, and on labels that contradict each other."""


def settled_beside(
    label: pd.Series[Any],
    said: pd.DataFrame,
    chosen: Mapping[str, str],
    *,
    malignancy: bool,
) -> Labels:
    """Return the table of labels, the column they are read from, and notes.

    `label` is the content of the label column, `said` the diagnosis with melanoma and
    malignant as it implies them; `chosen` maps columns of a lesion table to columns of the
    source. With `malignancy` the label column means malignant.
    """
    taken, notes = chosen["melanoma"], list[str]()
    if chosen.get("diagnosis", taken) == taken:
        label = label.fillna(said["melanoma"])
    elif malignancy:
        label, notes = _by_diagnosis(label, said, chosen)
        taken = chosen["diagnosis"]
    else:
        label, notes = _beside_diagnosis(label, said, chosen)
    return Labels(said.assign(melanoma=label), taken, notes)


def with_others(settled: Labels, source: pd.DataFrame, chosen: Mapping[str, str]) -> Labels:
    """Fill labels that are still missing from further columns of the table."""
    label, notes = filled_by_others(
        settled.table["melanoma"], source, chosen, malignancy=False
    )
    table = settled.table.assign(melanoma=label)
    return replace(settled, table=table, notes=[*settled.notes, *notes])


def settled_by_diagnoses(
    label: pd.Series[Any],
    said: pd.DataFrame,
    source: pd.DataFrame,
    chosen: Mapping[str, str],
) -> Labels:
    """Return what `settled_beside` does for a label column that means malignant.

    What the diagnosis leaves open is first read from further columns of diagnoses.
    """
    whole, notes = filled_by_others(said["melanoma"], source, chosen, malignancy=True)
    words = said["diagnosis"]
    for _, theirs in other_diagnoses(source, chosen):
        words = words.fillna(theirs["diagnosis"])
    filled = said.assign(melanoma=whole, diagnosis=words)
    settled = settled_beside(label, filled, chosen, malignancy=True)
    table = said.assign(melanoma=settled.table["melanoma"])
    return replace(settled, table=table, notes=[*notes, *settled.notes])


def _by_diagnosis(
    label: pd.Series[Any], said: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.Series[Any], list[str]]:
    """Return melanoma or not as the diagnosis implies it, and notes on other images.

    Where the diagnosis leaves it open, and the label says benign, it is not melanoma. The
    arguments are those of `settled_beside`; the label column means malignant.
    """
    settled = said["melanoma"].mask(said["melanoma"].isna() & label.eq(False), False)
    name, diagnosis = chosen["melanoma"], chosen["diagnosis"]
    notes = [
        f"The column {name} says malignant, not melanoma, which is read from {diagnosis}."
    ]
    others = (label.eq(True) & settled.eq(False)).fillna(False)
    if count := int(others.sum()):
        notes.append(
            f"{counted(count, 'image')} that {name} calls malignant "
            f"{'is' if count == 1 else 'are'} no melanoma by the diagnosis "
            f"({_listed(said.loc[others, 'diagnosis'])})."
        )
    if count := int((label.eq(True) & settled.isna()).fillna(False).sum()):
        notes.append(
            f"{counted(count, 'image')} that {name} calls malignant without a diagnosis "
            f"that says whether it is melanoma: no label. --column melanoma={name} takes "
            "every malignant one for a melanoma."
        )
    return settled, notes


def _beside_diagnosis(
    label: pd.Series[Any], said: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.Series[Any], list[str]]:
    """Return the label, where missing as the diagnosis implies it, and notes.

    A note counts labels that contradict the diagnosis; these are kept. The arguments are
    those of `settled_beside`.
    """
    name, diagnosis = chosen["melanoma"], chosen["diagnosis"]
    filled = label.fillna(said["melanoma"])
    notes = []
    if count := int((label.isna() & filled.notna()).sum()):
        notes.append(
            f"The column {name} says nothing for {counted(count, 'image')} whose label is "
            f"read from {diagnosis}."
        )
    differs = differing(label, said["melanoma"])
    if count := int(differs.sum()):
        words = _listed(said.loc[differs, "diagnosis"])
        notes.append(
            f"The diagnosis contradicts the column {name} for {counted(count, 'image')} "
            f"({words}); {name} is used. --column melanoma={diagnosis} takes the diagnosis."
        )
    return filled, notes


def with_malignant(
    table: pd.DataFrame, own: pd.Series[Any]
) -> tuple[pd.DataFrame, list[str]]:
    """Fill in missing `malignant` from `own`, the table's column; also return notes.

    It is also true for each melanoma where both are missing. Notes count contradictions.
    """
    differs = differing(table["malignant"], own)
    malignant = table["malignant"].fillna(own)
    known = (malignant.isna() & table["melanoma"].eq(True)).fillna(False)
    notes = []
    if count := int(differs.sum()):
        notes.append(
            f"The table's own word on malignancy contradicts the diagnosis for "
            f"{counted(count, 'image')} ({_listed(table.loc[differs, 'diagnosis'])}); the "
            "diagnosis is believed."
        )
    filled = malignant.mask(known, True)
    if count := int((table["melanoma"].eq(True) & filled.eq(False)).fillna(False).sum()):
        notes.append(f"{counted(count, 'image')} called melanoma and not malignant.")
    return table.assign(malignant=filled), notes


def differing(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[bool]:
    """Tell in which rows two columns, (N,) each, say something and not the same."""
    return (one != other).fillna(False).astype(bool)


def _listed(words: pd.Series[Any]) -> str:
    counts = words.value_counts()
    return some([f"{word} ({count:,})" for word, count in counts.items()])
