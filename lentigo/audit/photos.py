"""Folders of photographs without a table: no label, patient or lesion is known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets import guess_format
from lentigo.datasets.any_table import read_format
from lentigo.datasets.archives.folder import image_names_below
from lentigo.datasets.reading.chosen import choose
from lentigo.datasets.reading.image_files import image_files, other_pictures
from lentigo.errors import (
    ColumnError,
    DatasetError,
    DatasetNotFoundError,
    UnknownWordsError,
)
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES
from lentigo.tables import NotedTable, check_table
from lentigo.words import counted


def read_folder(path: Path) -> NotedTable:
    """Read an archive, or a folder of photographs without a table, as a lesion table.

    `path` is a folder or a zip. Photographs are named after their files and have no label,
    also in subfolders if no name of a subfolder is known as melanoma.

    Raises `DatasetNotFoundError` if there is neither a table nor an image, `DatasetError`
    if there is a CSV but no known archive, and the exceptions of the readers.
    """
    if not path.is_dir():
        return read_format(guess_format(path), path)
    try:
        name = guess_format(path)
    except DatasetError:
        if any(path.glob("*.csv")):
            raise
        return _photographs(path)
    if name != "folder":
        return read_format(name, path)
    if any(each.suffix.lower() in IMAGE_SUFFIXES for each in path.iterdir()):
        return _photographs(path)  # beside their folders, so these are no classes
    try:
        return read_format(name, path)
    except UnknownWordsError:
        raise  # these are classes, of which some are not understood
    except (ColumnError, DatasetNotFoundError):
        return _photographs(path)


def _photographs(root: Path) -> NotedTable:
    files = image_files(root)
    if not files:
        raise DatasetNotFoundError(
            f"{root} holds no table and no image. Give a table (CSV or Parquet), the "
            "folder of an archive, or a folder of images."
        )
    rows = {"image_id": image_names_below(root, files), "path": list(map(str, files))}
    table = check_table(pd.DataFrame(rows).assign(dataset=root.name), source=str(root))
    note = (
        f"{root} holds no table that we know: {counted(len(table), 'image')} without a "
        "label, a patient or a lesion, called by the names of their files."
    )
    read = NotedTable(table, (note, *other_pictures(root)))
    return choose(read, source=str(root))
