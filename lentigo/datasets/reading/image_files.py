"""The image files of an archive, loose or packed, found once and looked up by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading import zipped
from lentigo.datasets.reading.columns import SUFFIX
from lentigo.errors import DatasetError
from lentigo.files import as_text
from lentigo.imaging.decoding import packed
from lentigo.imaging.search import (
    composed,
    files_below,
    is_image,
    is_litter,
    left_out,
    on_disk,
    unseen,
)
from lentigo.words import counted, some, verb


def image_files(folder: Path) -> list[Path]:
    """Every image file in `folder` and below, in a fixed order, without hidden ones.

    Of a folder that stands for a zip they are those in the zip.

    Raises `DatasetError` where a name is no text that a table could hold.
    """
    found = _images(folder, files_below(folder))
    strange = [name for path in found if (name := as_text(path)) != path]
    if strange:
        raise DatasetError(
            f"{as_text(folder)} holds {counted(len(strange), 'image file')} that no table "
            f"can name, for the name is not in UTF-8: {some(strange)}. Rename it."
        )
    return [Path(path) for path in found]


def other_pictures(folder: Path) -> list[str]:
    """Sentences on what is left out of the images in `folder`, if anything is."""
    files = _every(folder, files_below(folder))
    return left_out(files) + unseen(files)


def _images(folder: Path, files: Sequence[str]) -> list[str]:
    return [path for path in _every(folder, files) if is_image(path)]


def _every(folder: Path, files: Sequence[str]) -> list[str]:
    return [*files, *sorted(map(str, zipped.files_below(folder)))]


def _folder(path: str) -> str:
    """The name of the folder that a file lies in, in small letters."""
    return path.replace(os.sep, "/").lower().rpartition("/")[0].rpartition("/")[2]


_POINT = re.compile(r"(?<=\d)\.0+$")
"""What spreadsheets and pandas add to a whole number beside an empty cell."""


class ImageFiles:
    """Every image file under a folder, found once, looked up by path, name or stem.

    Those in zips and HDF5 files under the folder are found, too, and `folder` may itself be
    one of these. Where several files would do, one that is not packed wins, then one in a
    folder of `prefer` (a zip counts as a folder of its name); where that does not decide
    it either, the first by path does, and `notes` tells.
    """

    # Strings and numbers all through: 400,000 paths as objects would take thrice the time.
    def __init__(self, folder: Path, *, prefer: Sequence[str] = ()) -> None:
        self.folder = folder
        self._prefer = {place.lower(): rank for rank, place in enumerate(prefer)}
        self._places: dict[str, int] = {}
        self._broken: list[str] = []
        self._other: list[str] = []
        self._containers: dict[str, Path] = {}
        self._several: dict[str, tuple[str, str]] = {}
        self._elsewhere: dict[str, str] = {}
        self._files = sorted(self._found())
        self._first: dict[str, int] = {}
        self._second: dict[str, int] = {}
        self._index()

    def _found(self) -> Iterable[tuple[bool, int, str]]:
        """Whether it is packed, the rank of its folder, and its path, of each image."""
        loose = [str(self.folder)] if self.folder.is_file() else files_below(self.folder)
        self._other += left_out(_every(self.folder, loose))
        for path in _images(self.folder, loose):
            yield False, self._place(os.path.dirname(path)), path  # noqa: PTH120
        for path in loose:
            if path.lower().endswith(packed.SUFFIXES):
                yield from self._inside(Path(path))

    def _inside(self, container: Path) -> Iterable[tuple[bool, int, str]]:
        try:
            names = packed.members(container)
        except DatasetError as error:
            self._broken.append(str(error))
            return
        if container.suffix.lower() == ".zip":
            names = [name for name in names if not is_litter(name)]
            self._other += left_out(names)
            names = [name for name in names if is_image(name)]
        start, beside = f"{container}{os.sep}", f"{container.parent}{os.sep}"
        own = f"{container.with_suffix('')}{os.sep}"
        if names:
            self._containers[start] = container
        for name in names:
            inner = name.rpartition("/")[0]
            rank = min(self._place(beside + inner), self._place(own + inner))
            yield True, rank, start + name.replace("/", os.sep)

    def _place(self, folder: str) -> int:
        """The rank of `folder` among those of `prefer`, the first being 0."""
        if folder not in self._places:
            place = Path(folder)
            inside = place.is_relative_to(self.folder)
            name = place.relative_to(self.folder).as_posix().lower() if inside else ""
            self._places[folder] = self._prefer.get(name, len(self._prefer))
        return self._places[folder]

    def _index(self) -> None:
        """Each name of each file; the first wins, the second is known if as good."""
        cut = len(str(self.folder)) + 1
        for number, (is_packed, rank, path) in enumerate(self._files):
            inside = composed(path[cut:]).replace(os.sep, "/").lower()
            name = inside.rpartition("/")[2]
            for key in {inside, name, SUFFIX.sub("", name)}:
                first = self._first.setdefault(key, number)
                if first != number and self._files[first][:2] == (is_packed, rank):
                    self._second.setdefault(key, number)

    def find(self, name: object) -> str | None:
        """The file called `name` (a path, a file name or a stem), or None.

        A whole path that leads to a file is believed, wherever it lies; so is one with
        folders that leads there from where we are, if nothing here is called so.
        """
        given = Path(str(name).strip())
        if given.is_absolute():
            given = on_disk(given)
            if given.is_file() or packed.is_there(str(given)):
                return str(given)
        whole = composed(str(name)).replace("\\", "/").strip().lower().removeprefix("./")
        last = whole.rpartition("/")[2]
        for key in (whole, last, SUFFIX.sub("", last), _POINT.sub("", last)):
            if (first := self._first.get(key)) is not None:
                path = self._files[first][2]
                if (second := self._second.get(key)) is not None:
                    self._several[str(name)] = path, self._files[second][2]
                if key != whole and _folder(whole) not in {"", _folder(composed(path))}:
                    self._elsewhere[str(name)] = path
                return path
        with suppress(OSError, ValueError):
            if given.parent.name and given.is_file():
                return str(given.absolute())
        return None

    def paths(self, names: pd.Series[Any]) -> pd.Series[Any]:
        """The path of each name, missing where there is no such file."""
        return names.map(self.find, na_action="ignore").astype("string")

    def notes(self, table: pd.DataFrame) -> list[str]:
        """Sentences on the images that are packed, that have no file, or several."""
        notes = self._packed(table["path"])
        lost = table.loc[table["path"].isna(), "image_id"].tolist()
        if lost:
            notes += self._broken + self._other
        if lost and len(lost) == len(table):
            notes.append(
                f"No image file was found under {self.folder}: the table stands alone."
            )
        elif lost:
            notes.append(
                f"{len(lost):,} of {counted(len(table), 'image')} without a file: "
                f"{some(lost)}."
            )
        for name, (used, other) in list(self._several.items())[:1]:
            count = len(self._several)
            notes.append(
                f"{counted(count, 'image')} {verb(count, 'has', 'have')} several files; "
                f"the first by path is used ({name}: {used}, not {other})."
            )
        for name, used in list(self._elsewhere.items())[:1]:
            notes.append(
                f"{counted(len(self._elsewhere), 'image')} found in another folder than "
                f"the table names ({name}: {used})."
            )
        return notes

    def _packed(self, paths: pd.Series[Any]) -> list[str]:
        counts = {
            container: int(paths.str.startswith(start).sum())
            for start, container in self._containers.items()
        }
        return [
            f"{counted(count, 'image')} read out of {container}, where they lie packed."
            for container, count in counts.items()
            if count
        ]
