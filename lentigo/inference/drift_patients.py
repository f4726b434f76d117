"""What tables tell of the patients of predictions, for drift."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.curation import assign_groups
from lentigo.datasets.any_table import asked_columns, is_our_file, read_any
from lentigo.datasets.reading.columns import choose_columns
from lentigo.datasets.reading.files import read_columns
from lentigo.datasets.reading.zipped import is_zip
from lentigo.tables import check_table

PATIENTS = ("age", "sex", "site", "skin_type", "dataset", "modality")
"""Columns of patients and images that are compared."""
_UNITS = ("patient_id", "lesion_id", "dataset", "group_id")


def patients_of(path: Path) -> tuple[pd.DataFrame, set[str]]:
    """Return what a table tells of patients, and those of `PATIENTS` that it holds."""
    table = read_any(path).table
    columns = [name for name in (*PATIENTS, *_UNITS, "path") if name in table]
    return table[["image_id", *dict.fromkeys(columns)]], _held(path, table)


def _held(path: Path, table: pd.DataFrame) -> set[str]:
    """Return the columns of `PATIENTS` that a table holds; a reader adds all the others.

    Of a table that lentigo did not write, `dataset` is its file's name unless it has such a
    column.
    """
    valued = {name for name in PATIENTS if name in table and table[name].notna().any()}
    if not path.is_file() or is_zip(path):
        return valued - {"dataset"}
    if is_our_file(path):
        return valued
    header = read_columns(path).columns
    chosen = choose_columns(header, given=asked_columns(), source=str(path))
    return (valued - {"dataset"}) | (set(PATIENTS) & {*chosen, *map(str, header)})


def joined(
    answers: pd.DataFrame,
    patients: pd.DataFrame,
    held: set[str],
    asked: dict[str, NDArray[np.bool_]],
) -> pd.DataFrame:
    """Add columns and missing values of `patients` to `answers`, matched by image id.

    In `asked` is noted for which images the columns `held` were asked for: those with a row
    in a table that holds them. A column that `answers` brings itself was asked for all.
    """
    ids = answers["image_id"].astype("string")
    known = patients.assign(image_id=patients["image_id"].astype("string")).set_index(
        "image_id"
    )
    there = ids.isin(known.index).to_numpy(bool)
    added = {}
    for column in map(str, known):
        theirs = ids.map(known[column])
        own = column in answers
        mine = answers[column] if own else pd.Series(pd.NA, answers.index)
        added[column] = mine.astype("object").where(mine.notna(), theirs)
        if column in asked or not own:
            before = asked.get(column, np.zeros(len(ids), dtype=bool))
            asked[column] = before | (there & (column in held))
    return answers.assign(**added)


def groups_of(table: pd.DataFrame) -> NDArray[np.object_]:
    """Return the group of each image; without one its patient, lesion or the image."""
    given = table["group_id"] if "group_id" in table else pd.Series(pd.NA, table.index)
    plain = check_table(
        table[["image_id", *(name for name in _UNITS[:3] if name in table)]],
        source="the predictions",
    )
    found = assign_groups(plain)["group_id"].set_axis(table.index)
    return given.astype("object").where(given.notna(), found).to_numpy()
