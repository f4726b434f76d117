"""Counts of the images of a table that are melanoma, are not, or have no label or file."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.datasets.reading.diagnoses import DIAGNOSES, Diagnosis
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.tables import NotedTable
from lentigo.words import counted, some

LEADS_ABOVE = 0.02
"""Share of images without a label or a file above which the sentence on them comes
first."""


def label_counts(table: pd.DataFrame) -> dict[str, int]:
    """Count images, melanomas, other lesions, and rows without a label or a file.

    `melanoma by diagnosis` counts the images without a label whose diagnosis is melanoma,
    and `open by diagnosis` those whose diagnosis may be melanoma or not.
    """
    label = table["melanoma"].astype("boolean")
    bare = table.loc[label.isna(), "diagnosis"]
    said = map_diagnoses(bare)[0]["melanoma"] if len(bare) else label[:0]
    return {
        "images": len(table),
        "melanoma": int(label.sum()),
        "not melanoma": int((~label).sum()),
        "without a label": int(label.isna().sum()),
        "without a file": int(table["path"].isna().sum()),
        "melanoma by diagnosis": int(said.sum()),
        "open by diagnosis": len(open_diagnoses(table)),
    }


def open_diagnoses(table: pd.DataFrame) -> pd.Series[Any]:
    """Return diagnoses of rows without a label that may be melanoma or not (MELTUMP)."""
    bare = table.loc[table["melanoma"].isna(), "diagnosis"].dropna()
    found = DIAGNOSES.of(bare)
    return bare[[isinstance(each, Diagnosis) and each.melanoma is None for each in found]]


def label_sentence(table: pd.DataFrame) -> str:
    """Return a sentence on how many images are melanoma, are not, have no label or file."""
    counts = label_counts(table)
    parts = [
        f"{counts[name]:,} {name}"
        for name in ("melanoma", "not melanoma", "without a label", "without a file")
    ]
    sentence = f"{counted(counts['images'], 'image')}: {', '.join(parts)}"
    if lost := counts["melanoma by diagnosis"]:
        sentence += f"; {lost:,} of those without a label are melanoma by diagnosis"
    left = open_diagnoses(table)
    if len(left):
        names = [f"{name} ({count:,})" for name, count in left.value_counts().items()]
        sentence += (
            f"; {len(left):,} of those without a label may be melanoma or none by "
            f"diagnosis: {some(names)}"
        )
    return f"{sentence}."


def much_is_left_out(table: pd.DataFrame) -> bool:
    """Tell whether more images than `LEADS_ABOVE`, as a share, lack a label or a file."""
    out = table["melanoma"].isna() | table["path"].isna()
    return bool(out.mean() > LEADS_ABOVE) if len(table) else False


def with_sentence(read: NotedTable) -> list[str]:
    """Return the notes and the sentence on labels: first if many are missing, else last."""
    sentence = label_sentence(read.table)
    first = much_is_left_out(read.table)
    return [sentence, *read.notes] if first else [*read.notes, sentence]
