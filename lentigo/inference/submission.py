"""Predictions in the table format that a challenge asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lentigo.errors import ColumnError, DatasetError
from lentigo.tables import read_any_table
from lentigo.words import counted, some


@dataclass(frozen=True)
class Sample:
    """The sample submission of a challenge: its image ids in order, and its two columns."""

    path: Path
    """The file of the sample submission, for messages."""
    id_column: str
    """Name of the column of image ids."""
    target_column: str
    """Name of the column of probabilities, to be filled in."""
    id_first: bool
    """Whether the column of image ids is the first of the two."""
    ids: tuple[str, ...]
    """The image ids, in the order of the rows."""


def read_sample(path: Path) -> Sample:
    """Read a sample submission: one column of ids, and one to be filled with probabilities.

    Raises `ColumnError` unless there are two columns and each row has an id,
    `DatasetError` for an id that occurs twice or a table without rows, and what
    `read_any_table` raises.
    """
    table = read_any_table(path, text=True)
    names = [str(name) for name in table]
    if len(names) != 2:
        raise ColumnError(
            f"{path} has {counted(len(names), 'column')} ({some(names, at_most=8)}); a "
            "sample submission has two, the ids and the target."
        )
    if table.empty:
        raise DatasetError(f"{path} has no rows, so it asks for no image.")
    numbers = [pd.to_numeric(table[name], errors="coerce").notna().all() for name in names]
    # Where both are numbers, ids stand first, as in every challenge.
    place = 1 if numbers[0] and not numbers[1] else 0
    ids = table[names[place]]
    if ids.isna().any():
        raise ColumnError(f"{path}: {counted(int(ids.isna().sum()), 'row')} without an id.")
    if twice := ids[ids.duplicated()].unique().tolist():
        raise DatasetError(
            f"{path} names {_examples(twice)} twice; each image is asked once."
        )
    return Sample(path, names[place], names[1 - place], place == 0, tuple(ids.astype(str)))


def check_ids(ids: Sequence[str], sample: Sample) -> None:
    """Raise `DatasetError` unless `ids` has each id of the sample once, and no other."""
    asked, given = pd.Index(sample.ids), pd.Index([str(name) for name in ids])
    problems = {
        "the sample asks for {} that the input lacks": asked.difference(given),
        "the input holds {} that the sample does not know": given.difference(asked),
        "the input holds {} twice": given[given.duplicated()].unique(),
    }
    told = [text.format(_examples(list(odd))) for text, odd in problems.items() if len(odd)]
    if told:
        raise DatasetError(
            f"No submission like {sample.path}: {'; '.join(told)}. Give as inputs the "
            "files of the sample, called after its ids, or a table with these ids."
        )


def submission_table(
    predictions: pd.DataFrame, sample: Sample | None = None
) -> pd.DataFrame:
    """Return predictions as SIIM-ISIC 2020 takes them: `image_name`, `target` in 0–1.

    With a `sample`, the names and order of the columns and the order of the ids are those
    of the sample.

    Raises `DatasetError` if an image has no probability, or if the ids are not those of the
    sample.
    """
    if sample is not None:
        check_ids(predictions["image_id"].tolist(), sample)
    without = predictions.loc[predictions["probability"].isna(), "image_id"].tolist()
    if without:
        raise DatasetError(
            f"{counted(len(without), 'image')} without a probability ({some(without)}), "
            "and a submission may have no gap. Mend or remove these files and predict "
            "again, into another --out."
        )
    if sample is None:
        return pd.DataFrame(
            {"image_name": predictions["image_id"], "target": predictions["probability"]}
        )
    found = predictions.set_index(predictions["image_id"].astype(str))["probability"]
    table = pd.DataFrame(
        {
            sample.id_column: list(sample.ids),
            sample.target_column: found.loc[list(sample.ids)].to_numpy(),
        }
    )
    return table if sample.id_first else table[[sample.target_column, sample.id_column]]


def _examples(names: list[str]) -> str:
    return f"{counted(len(names), 'image')} ({some(names)})"
