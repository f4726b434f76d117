"""The true diagnosis of each image, if the truth table has more than melanoma or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.reading.columns import guess_columns
from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.own_words import column_in_our_words
from lentigo.evaluation.joining import LABEL, OF_TRUTH
from lentigo.table_files.not_known import plain

NO_DIAGNOSIS = "not known"
NONE_OF_THESE = "none of the named"
"""The diagnosis of images that have 0 in all diagnosis columns, as nevi in ISIC 2017."""


def true_diagnoses(table: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the diagnosis of each row, in lentigo's vocabulary where it has the word.

    `table` comes from `match`. The diagnosis is read from a column of words, else from
    columns of 0 and 1, one a diagnosis. None where the truth has neither.
    """
    found = diagnosis_words(table)
    return _of_one_hot(table, _of_truth(table)) if found is None else found


def diagnosis_words(table: pd.DataFrame) -> pd.Series[Any] | None:
    """Return the truth's column of diagnoses, in words of lentigo where these exist.

    A row without a diagnosis has `NO_DIAGNOSIS`. None where there is no such column.
    """
    columns = _of_truth(table)
    word = guess_columns(columns).get("diagnosis")
    if word is None or not plain(table[columns[word]]).notna().any():
        return None
    found = column_in_our_words(table[columns[word]], "diagnosis")
    return found.astype("string").mask(plain(found).isna()).fillna(NO_DIAGNOSIS)


def _of_truth(table: pd.DataFrame) -> dict[str, str]:
    """Return name in the truth → column of the matched table, without the label."""
    return {
        str(column).removesuffix(OF_TRUTH): str(column)
        for column in table
        if str(column).endswith(OF_TRUTH) and column != LABEL
    }


def _of_one_hot(table: pd.DataFrame, columns: dict[str, str]) -> pd.Series[Any] | None:
    """Return for each row the diagnosis whose column is 1, else `NONE_OF_THESE`.

    The label serves as the column of melanoma if there is none. None where no column is
    named after a diagnosis, or a row has 1 in several columns.
    """
    hot = {name: column for name, column in columns.items() if is_one_hot(table[column])}
    named = {n: column for n, column in hot.items() if _meaning(n) is not None}
    if not named:
        return None
    whole = table[list(hot.values())].sum(axis=1)
    # A column such as UNK, no known diagnosis, counts as one if each row then has one 1.
    used = hot if (whole == 1).all() else named
    labels = [str(_meaning(name) or name) for name in used]
    values = table[list(used.values())].to_numpy(np.float64)
    if "melanoma" not in labels:
        labels, values = ["melanoma", *labels], np.column_stack([table[LABEL], values])
    if (values.sum(axis=1) > 1).any():
        return None
    found = np.array([*labels, NONE_OF_THESE], dtype=object)
    place = np.where(values.sum(axis=1) == 1, values.argmax(axis=1), len(labels))
    return pd.Series(found[place], index=table.index, dtype="string")


_NO_DIAGNOSES = {"benign", "malignant", "target", "label", "fold"}


def _meaning(name: str) -> str | None:
    """Return the diagnosis that a column is named after; None if it is no diagnosis."""
    found = None if name.strip().lower() in _NO_DIAGNOSES else DIAGNOSES.find(name)
    return None if found is None else found.name


def is_one_hot(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers, all of them 0 or 1."""
    return pd.api.types.is_numeric_dtype(column.dtype) and bool(column.isin([0, 1]).all())
