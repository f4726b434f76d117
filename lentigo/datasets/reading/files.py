"""Functions that several readers share: find and read the files of an archive on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from lentigo.datasets.reading import zipped
from lentigo.datasets.reading.ages import read_ages as read_ages
from lentigo.datasets.reading.columns import missing_column
from lentigo.datasets.reading.image_files import ImageFiles as ImageFiles
from lentigo.datasets.reading.image_files import image_files as image_files
from lentigo.datasets.reading.vocabulary import is_understood
from lentigo.datasets.reading.word_map import refuse_words
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, unknown_name
from lentigo.table_files.letters import as_utf8
from lentigo.table_files.opened import read_bytes
from lentigo.tables import NotedTable, check_table, read_any_table
from lentigo.words import counted, some, verb


def check_folder(root: Path, *, archive: str) -> Path:
    """`root` as an absolute path, or `DatasetNotFoundError` if it is no folder."""
    root = Path(root).absolute()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DatasetNotFoundError(
            f"{root} {what}; give the folder, or the zip, that holds {archive}."
        )
    return root


def find_file(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of `names` that is a file in `folder`, whatever its case."""
    there = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def need_file(folder: Path, names: Sequence[str], *, archive: str) -> Path:
    """`find_file`, or a `DatasetNotFoundError` that says what was looked for and seen."""
    found = find_file(folder, names) or zipped.table_inside(_zips(folder), names)
    if found is None:
        seen = sorted(path.name for path in folder.iterdir())
        raise DatasetNotFoundError(
            f"{folder} does not look like {archive}: there is no {' or '.join(names)} in "
            f"it. It holds {some(seen) if seen else 'nothing'}."
        )
    return found


def find_below(folder: Path, names: Sequence[str]) -> Path | None:
    """`find_file` in `folder`, else in the folders below it, the nearest first.

    Where it is in none of them, it is looked for in the zips in `folder`.
    """
    wanted, levels = [name.lower() for name in names], [folder]
    while levels:
        below: list[Path] = []
        for place in levels:
            # An archive may hold 400,000 images: what scandir knows need not be asked.
            with os.scandir(place) as entries:
                there = sorted(entries, key=lambda entry: entry.name)
            files = {entry.name.lower(): entry.path for entry in there if entry.is_file()}
            if found := next((files[name] for name in wanted if name in files), None):
                return Path(found)
            below += [
                Path(entry.path)
                for entry in there
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            ]
        levels = below
    return zipped.table_inside(_zips(folder), names)


def _zips(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if zipped.is_zip(path))


def present_parts(
    root: Path, part: str, tables: Mapping[str, Sequence[str]], *, archive: str
) -> dict[str, Path]:
    """The table of each part that was asked for and is there, in `root` or below.

    `tables` says which names the table of a part may have. Raises
    `DatasetNotFoundError` where there is none.
    """
    parts = choose_parts(part, list(tables), archive=archive)
    found = {name: find_below(root, tables[name]) for name in parts}
    there = {name: path for name, path in found.items() if path is not None}
    if not there:
        need_file(root, [tables[name][0] for name in parts], archive=archive)
    return there


def choose_parts(part: str, known: Sequence[str], *, archive: str) -> list[str]:
    """The parts of an archive to read: one by name, or every one for `all`."""
    if part not in {"all", *known}:
        raise unknown_name(f"part of {archive}", part, ["all", *known])
    return list(known) if part == "all" else [part]


def read_columns(
    path: Path, needed: Iterable[str] = (), *, headed: bool = True
) -> pd.DataFrame:
    """A CSV file with every column as text; `ColumnError` names the first one missing.

    Unless the file has no header (`headed`), one without a row below it is refused: half a
    download must not pass for a part that is not there.
    """
    table = read_any_table(path, text=True)
    table.columns = table.columns.str.strip()
    for name in needed:
        if name not in table:
            raise missing_column(name, table.columns, source=str(path))
    if headed and table.empty:
        raise DatasetError(
            f"{path} holds no image: there is not one row below its header. Is its "
            "download complete?"
        )
    return table


def read_text(path: Path) -> str:
    """The text of a file, in whatever encoding the door for tables can tell."""
    return as_utf8(read_bytes(path), path)[0].decode()


def finish(table: pd.DataFrame, *, source: str, notes: Iterable[str]) -> NotedTable:
    """`table` checked as a lesion table, with the `notes` on its reading.

    Raises `ColumnError` where an image comes twice, or a value is out of range, and
    `UnknownWordsError` where the label of an image hangs on a diagnosis that is not
    understood.
    """
    again = table["image_id"].duplicated() & table["image_id"].notna()
    if again.any():
        count, names = int(again.sum()), table.loc[again, "image_id"].unique().tolist()
        raise ColumnError(
            f"{source} names each image once, but {counted(count, 'image')} "
            f"{verb(count, 'stands', 'stand')} there again: {some(names)}. Keep one row of "
            "each."
        )
    checked = check_table(table, source=source, of_others=True)
    open_words = checked["melanoma"].isna() & ~is_understood(checked["diagnosis"])
    refuse_words(checked.loc[open_words, "diagnosis"], name="diagnosis", source=source)
    return NotedTable(checked, tuple(notes))
