"""Tables with a column of 0 and 1 for each class, one of which names the melanomas."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import ABOUT_MELANOMA, header, key
from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.known_words import YES_NO
from lentigo.table_files.not_known import plain
from lentigo.words import counted, some, verb


def unclear_classes(source: pd.DataFrame, column: str | None) -> list[str]:
    """Return sentences on rows of which the columns of classes name none, or two.

    `column` is the column of the label, such as MEL; the classes beside it are at least two
    columns that are called as diagnoses (NV, BCC) and hold yes and no. What the label says
    is kept: these rows may be of a class without a column, or mistakes.
    """
    if column is None or key(header(column)) not in ABOUT_MELANOMA:
        return []
    others = {
        str(name): answers
        for name in source
        if name != column
        and (meaning := DIAGNOSES.find(str(name))) is not None
        and not meaning.melanoma  # a kind of it is no other class
        and (answers := _answers(source[name])) is not None
    }
    label = _answers(source[column])
    if len(others) < 2 or label is None:
        return []
    named = pd.DataFrame(others).eq(True).fillna(False).any(axis=1)
    said = []
    if count := int((label.eq(False).fillna(False) & ~named).sum()):
        said.append(
            f"{counted(count, 'image')} {verb(count, 'is', 'are')} of no class: 0 in "
            f"{column} and in {some(list(others))}. By {column} "
            f"{verb(count, 'it is', 'they are')} not melanoma; for no label, leave the "
            f"cell of {column} empty."
        )
    if count := int((label.eq(True).fillna(False) & named).sum()):
        said.append(
            f"{counted(count, 'image')} {verb(count, 'is', 'are')} melanoma by {column}, "
            f"and of another class, too ({some(list(others))})."
        )
    return said


def _answers(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return yes or no for each cell; None if a cell says something else, or none does."""
    words = plain(column)
    answers = YES_NO.of(words).astype("boolean")
    whole = answers.notna() | words.isna()
    return answers if whole.all() and answers.notna().any() else None
