"""What several readers need: find the tables and image files of an archive on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.columns import SUFFIX, missing_column
from lentigo.datasets.vocabulary import plain, unmapped
from lentigo.errors import DatasetNotFoundError, counted, some, unknown_name
from lentigo.imaging.decode import IMAGE_SUFFIXES
from lentigo.tables import check_table, read_any_table


def check_folder(root: Path, *, archive: str) -> Path:
    """`root` as an absolute path, or `DatasetNotFoundError` if it is no folder."""
    root = Path(root).absolute()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise DatasetNotFoundError(f"{root} {what}; give the folder that holds {archive}.")
    return root


def find_file(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of `names` that is a file in `folder`, whatever its case."""
    there = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def need_file(folder: Path, names: Sequence[str], *, archive: str) -> Path:
    """`find_file`, or a `DatasetNotFoundError` that says what was looked for and seen."""
    found = find_file(folder, names)
    if found is None:
        seen = sorted(path.name for path in folder.iterdir())
        raise DatasetNotFoundError(
            f"{folder} does not look like {archive}: there is no {' or '.join(names)} in "
            f"it. It holds {some(seen) if seen else 'nothing'}."
        )
    return found


def find_below(folder: Path, names: Sequence[str]) -> Path | None:
    """`find_file` in `folder`, else in the folders below it, the nearest first."""
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
    return None


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


def read_columns(path: Path, needed: Iterable[str] = ()) -> pd.DataFrame:
    """A CSV file with every column as text; `ColumnError` names the first one missing."""
    table = read_any_table(path, text=True)
    table.columns = table.columns.str.strip()
    for name in needed:
        if name not in table:
            raise missing_column(name, table.columns, source=str(path))
    return table


def read_ages(column: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    """Ages in years, and a sentence on the words that are no number.

    `unknown` and empty cells are missing and need no sentence.
    """
    words = plain(column)
    ages = pd.to_numeric(words, errors="coerce").astype("float64")
    return ages, unmapped(column[ages.isna() & words.notna()], name="age")


def image_files(folder: Path) -> list[Path]:
    """Every image file in `folder` and below, in a fixed order, without hidden ones."""
    been: set[str] = set()
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        # A link may lead back to a folder above it.
        if (real := os.path.realpath(place)) in been:
            folders.clear()
            continue
        been.add(real)
        folders[:] = sorted(
            name for name in folders if not name.startswith((".", "__MACOSX"))
        )
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES]


class ImageFiles:
    """Every image file under a folder, found once, looked up by path, name or stem.

    Where several files would do, one in a folder of `prefer` wins; where that does not
    decide it either, the first by path does, and `notes` tells.
    """

    def __init__(self, folder: Path, *, prefer: Sequence[str] = ()) -> None:
        self.folder = folder
        self._prefer = [place.lower() for place in prefer]
        self._by_name: dict[str, list[Path]] = {}
        for path in sorted(
            image_files(folder), key=lambda path: (self._rank(path), str(path))
        ):
            inside = path.relative_to(folder).as_posix().lower()
            for key in dict.fromkeys((inside, path.name.lower(), path.stem.lower())):
                self._by_name.setdefault(key, []).append(path)
        self._several: dict[str, list[Path]] = {}

    def find(self, name: object) -> str | None:
        """The file called `name` (a path, a file name or a stem), or None."""
        whole = str(name).replace("\\", "/").strip().lower().removeprefix("./")
        last = whole.rpartition("/")[2]
        for key in (whole, last, SUFFIX.sub("", last)):
            if found := self._by_name.get(key):
                if len(found) > 1 and self._rank(found[0]) == self._rank(found[1]):
                    self._several[str(name)] = found
                return str(found[0])
        return None

    def paths(self, names: pd.Series[Any]) -> pd.Series[Any]:
        """The path of each name, missing where there is no such file."""
        return names.map(self.find, na_action="ignore").astype("string")

    def notes(self, table: pd.DataFrame) -> list[str]:
        """Sentences on the images of `table` that have no file, or several."""
        notes = []
        lost = table.loc[table["path"].isna(), "image_id"].tolist()
        if lost and len(lost) == len(table):
            notes = [
                f"No image file was found under {self.folder}: the table stands alone."
            ]
        elif lost:
            notes = [
                f"{len(lost):,} of {counted(len(table), 'image')} without a file: "
                f"{some(lost)}."
            ]
        for name, paths in list(self._several.items())[:1]:
            notes.append(
                f"{len(self._several):,} images have several files; the first by path is "
                f"used ({name}: {paths[0]}, not {paths[1]})."
            )
        return notes

    def _rank(self, path: Path) -> int:
        place = path.parent.relative_to(self.folder).as_posix().lower()
        return self._prefer.index(place) if place in self._prefer else len(self._prefer)


def finish(table: pd.DataFrame, *, source: str, notes: Iterable[str]) -> pd.DataFrame:
    """`table` checked as a lesion table, with `notes` in its attrs."""
    checked = check_table(table, source=source)
    checked.attrs["notes"] = list(notes)
    return checked
