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
from lentigo.datasets.reading.spelling import fold
from lentigo.datasets.reading.vocabulary import is_understood
from lentigo.datasets.reading.word_map import names_nothing, refuse_words
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, unknown_name
from lentigo.table_files.door import read_cells
from lentigo.table_files.letters import as_utf8
from lentigo.table_files.opened import read_bytes
from lentigo.tables import NotedTable, check_table, read_any_table
from lentigo.words import counted, some, verb


def check_folder(root: Path, *, archive: str) -> Path:
    """Return `root` as an absolute path.

    Raise `DatasetNotFoundError` if it is no folder.
    """
    root = Path(root).absolute()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DatasetNotFoundError(
            f"{root} {what}; give the folder, or the zip, that holds {archive}."
        )
    return root


def find_file(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of `names` that is a file in `folder`, in any case, or None."""
    there = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def need_file(folder: Path, names: Sequence[str], *, archive: str) -> Path:
    """Return the file of `find_file`, also from a zip in `folder`.

    Raises `DatasetNotFoundError` where there is none; the message tells what the folder
    holds.
    """
    found = find_file(folder, names) or zipped.table_inside(_zips(folder), names)
    if found is None:
        seen = sorted(path.name for path in folder.iterdir())
        raise DatasetNotFoundError(
            f"{folder} does not look like {archive}: there is no {' or '.join(names)} in "
            f"it. It holds {some(seen) if seen else 'nothing'}."
        )
    return found


def find_below(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the file of `find_file` in `folder` or the nearest folder below it, or None.

    If no folder has it, it is searched in the zips in `folder`.
    """
    wanted, levels = [name.lower() for name in names], [folder]
    while levels:
        below: list[Path] = []
        for place in levels:
            # For speed with 400,000 images: scandir already knows which entries are files.
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
    """Return the tables of the requested parts that exist, in `root` or below, by part.

    `tables` maps each part to the names that its table may have. Raises
    `DatasetNotFoundError` where none exists.
    """
    parts = choose_parts(part, list(tables), archive=archive)
    found = {name: find_below(root, tables[name]) for name in parts}
    there = {name: path for name, path in found.items() if path is not None}
    if not there:
        need_file(root, [tables[name][0] for name in parts], archive=archive)
    return there


def choose_parts(part: str, known: Sequence[str], *, archive: str) -> list[str]:
    """Return the parts of an archive to read: the one named, or all `known` for `all`.

    Raises `UnknownNameError` for any other name.
    """
    if part not in {"all", *known}:
        raise unknown_name(f"part of {archive}", part, ["all", *known])
    return list(known) if part == "all" else [part]


def read_columns(
    path: Path, needed: Iterable[str] = (), *, headed: bool = True
) -> pd.DataFrame:
    """Return a CSV file with every column as text.

    Raises `ColumnError` for the first of `needed` that is missing and, if the file is
    `headed`, `DatasetError` where no row follows the header: half a download must not look
    like a part that does not exist.
    """
    table = _with_mapped(read_any_table(path, text=True), path)
    table.columns = table.columns.str.strip()
    for name in needed:
        if name not in table:
            raise missing_column(name, table.columns, source=str(path))
    if headed and table.empty:
        raise DatasetError(
            f"{path} has no rows: there is not one below its header line. Is the file "
            "complete?"
        )
    return table


def _with_mapped(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return `table` with words such as NA and None where the user says what they mean."""
    words = names_nothing()
    if not words:
        return table
    raw, kept = read_cells(path), {}
    for name, column in table.items():
        if isinstance(column.dtype, pd.StringDtype):
            mapped = raw[name].map(fold, na_action="ignore").isin(words)
            kept[str(name)] = column.fillna(raw[name].where(mapped))
    return table.assign(**kept)


def once_each(table: pd.DataFrame, name: str, *, where: Path | str) -> pd.DataFrame:
    """Return the rows of `table` without those that say the same again.

    Raises `ColumnError` where two rows with the same value in the column `name` differ:
    taking the last of them would lose what the other says. `where` names the table.
    """
    rows = table.drop_duplicates()
    again = rows[name].duplicated() & rows[name].notna()
    twice = rows.loc[again, name].unique().tolist()
    if twice:
        raise ColumnError(
            f"{where} has several rows for {counted(len(twice), 'value')} of {name}, and "
            f"they differ: {some(twice)}. Keep the right one of each."
        )
    return rows[~rows[name].duplicated()]


def read_text(path: Path) -> str:
    """Return the text of a file, in any encoding that `as_utf8` recognises."""
    return as_utf8(read_bytes(path), path)[0].decode()


def finish(table: pd.DataFrame, *, source: str, notes: Iterable[str]) -> NotedTable:
    """Check `table` as a lesion table, and return it with the `notes` on its reading.

    Raises `ColumnError` where an image is named twice or a value is out of range, and
    `UnknownWordsError` where the only source of an image's label is an unknown diagnosis.
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
