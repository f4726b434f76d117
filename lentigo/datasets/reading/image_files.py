"""The image files of an archive, single or in containers, listed once and found by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.reading import zipped
from lentigo.datasets.reading.columns import SUFFIX, several_images, without_query
from lentigo.errors import DatasetError
from lentigo.files import as_text
from lentigo.imaging.by_products import photographs
from lentigo.imaging.decoding import packed
from lentigo.imaging.search import (
    composed,
    files_below,
    is_image,
    is_litter,
    left_out,
    not_read_inside,
    on_disk,
    unseen,
)
from lentigo.words import counted, some, verb


def image_files(folder: Path) -> list[Path]:
    """Return every image file in `folder` and below, in a fixed order, except hidden ones.

    Pictures that were made of another image, and figures of ours, are left out
    (`photographs`); `other_pictures` tells of them. For a folder that stands for a zip,
    these are the images in the zip.

    Raises `DatasetError` where a name is not UTF-8, so that a table cannot hold it.
    """
    found, _ = photographs(_every(folder, files_below(folder)))
    strange = [name for path in found if (name := as_text(path)) != path]
    if strange:
        raise DatasetError(
            f"{as_text(folder)} holds {counted(len(strange), 'image file')} that no table "
            f"can name, for the name is not in UTF-8: {some(strange)}. Rename it."
        )
    return [Path(path) for path in found]


def other_pictures(folder: Path) -> list[str]:
    """Return sentences on pictures in `folder` that are not read, if there are any."""
    files = _every(folder, files_below(folder))
    return left_out(files) + photographs(files)[1] + unseen(files)


def _images(folder: Path, files: Sequence[str]) -> list[str]:
    return [path for path in _every(folder, files) if is_image(path)]


def _every(folder: Path, files: Sequence[str]) -> list[str]:
    return [*files, *sorted(map(str, zipped.files_below(folder)))]


def _folder(path: str) -> str:
    """Return the name of the folder that contains a file, in lower case."""
    return path.replace(os.sep, "/").lower().rpartition("/")[0].rpartition("/")[2]


def _as_named(name: object) -> str:
    """Return a name from a table in the form of file names, without a leading "./"."""
    plain = composed(str(name)).replace("\\", "/").strip().removeprefix("./")
    return without_query(plain) if "://" in plain else plain


def _is_spelled(name: str, path: str) -> bool:
    """Tell whether a file has the name `name`, with the same capital letters."""
    last = SUFFIX.sub("", _as_named(name).rpartition("/")[2])
    return last == SUFFIX.sub("", composed(path).replace(os.sep, "/").rpartition("/")[2])


def _stem(path: str) -> str:
    """Return the name of a file without folder and ending."""
    return SUFFIX.sub("", composed(path).replace(os.sep, "/").rpartition("/")[2])


def _of_several(lost: Iterable[object]) -> list[str]:
    """Return a sentence on names without a file that are those of several images."""
    found = [name for name in map(str, lost) if several_images(f"{name}.jpg")]
    if not found:
        return []
    return [
        f"{counted(len(found), 'row')} {verb(len(found), 'names', 'name')} several images "
        f"in one cell ({some([repr(name) for name in found])}), of which none is read. "
        "Give each image a row of its own, with the patient, the lesion and the label "
        "beside it."
    ]


def _belongs(name: str, used: set[str]) -> bool:
    """Tell whether a stem is one of `used`, or one of them with a further word."""
    fronts = (name[: found.start()] for found in re.finditer("[_.-]", name))
    return name in used or any(front in used for front in fronts)


_POINT = re.compile(r"(?<=\d)\.0+$")
"""The decimal point of whole numbers in columns with empty cells, by spreadsheets and
pandas."""


class ImageFiles:
    """Every image file under a folder, listed once, found by path, file name or stem.

    Images in zips and HDF5 files under the folder are found, too, and `folder` may itself
    be such a file. If several files fit a name, one outside of containers comes first, then
    one in a folder of `prefer` (a zip counts as a folder of its name), then one with the
    same capital letters; if several are left, the first by path is taken, and `notes` tells
    so.
    """

    # Paths are strings: as Path objects, 400,000 of them would take three times as long.
    def __init__(self, folder: Path, *, prefer: Sequence[str] = ()) -> None:
        self.folder = folder
        self._prefer = {place.lower(): rank for rank, place in enumerate(prefer)}
        self._places: dict[str, int] = {}
        self._broken: list[str] = []
        self._refused: list[str] = []
        self._other: list[str] = []
        self._containers: dict[str, Path] = {}
        self._several: dict[str, tuple[str, str]] = {}
        self._elsewhere: dict[str, str] = {}
        self._files = sorted(self._found())
        self._first: dict[str, int] = {}
        self._second: dict[str, int] = {}
        self._spelled: dict[str, list[int]] = {}
        self._twins: dict[str, tuple[str, str]] = {}
        self._shared: list[tuple[str, str, str]] = []
        self._index()

    def _found(self) -> Iterable[tuple[bool, int, str]]:
        """Yield for each image: whether it is packed, the rank of its folder, its path."""
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
            self._refused += not_read_inside(container)
            made = packed.not_read(container).keys() - set(names)
        except DatasetError as error:
            self._broken.append(str(error))
            return
        names = [*names, *made]
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
            if name in made:  # not read: it stands in for an image that has no other file
                rank = len(self._prefer) + 1
            yield True, rank, start + name.replace("/", os.sep)

    def _place(self, folder: str) -> int:
        """Return the position of `folder` in `prefer`, from 0; if absent, `len(prefer)`."""
        if folder not in self._places:
            place = Path(folder)
            inside = place.is_relative_to(self.folder)
            name = place.relative_to(self.folder).as_posix().lower() if inside else ""
            self._places[folder] = self._prefer.get(name, len(self._prefer))
        return self._places[folder]

    def _index(self) -> None:
        """Index each name of each file: the best file, and a second one of equal rank."""
        unclear = set()
        for number, (is_packed, rank, path) in enumerate(self._files):
            for key in {name.lower() for name in self._names(path)}:
                first = self._first.setdefault(key, number)
                if first != number and self._files[first][:2] == (is_packed, rank):
                    self._second.setdefault(key, number)
                    unclear.add(key)
        for number, (*_, path) in enumerate(self._files if unclear else ()):
            for name in self._names(path):
                if name.lower() in unclear:
                    self._spelled.setdefault(name, []).append(number)

    def _names(self, path: str) -> set[str]:
        """Return the names of a file: its path below the folder, file name and stem."""
        inside = composed(path[len(str(self.folder)) + 1 :]).replace(os.sep, "/")
        name = inside.rpartition("/")[2]
        return {inside, name, SUFFIX.sub("", name)}

    def _chosen(self, name: str) -> tuple[int | None, int | None]:
        """Return the numbers of the file for `name` and of another equally good one."""
        first = self._first.get(name.lower())
        if first is None:
            return None, None
        alike = self._files[first][:2]
        # Two files may differ only in capital letters; then each belongs to its exact name.
        exact = [n for n in self._spelled.get(name, ()) if self._files[n][:2] == alike]
        if exact:
            return exact[0], exact[1] if len(exact) > 1 else None
        return first, self._second.get(name.lower())

    def find(self, name: object) -> str | None:
        """Return the path of the file called `name`, or None.

        `name` is a path, a file name or a stem. An absolute path to an existing file is
        taken as it is. A relative path with a folder is tried from the working directory if
        no file under `folder` fits.
        """
        given = Path(str(name).strip())
        if given.is_absolute():
            given = on_disk(given)
            if given.is_file() or packed.is_there(str(given)):
                return str(given)
        whole = _as_named(name)
        last = whole.rpartition("/")[2]
        for key in (whole, last, SUFFIX.sub("", last), _POINT.sub("", last)):
            first, second = self._chosen(key)
            if first is not None:
                path = self._files[first][2]
                if second is not None:
                    self._several[str(name)] = path, self._files[second][2]
                if key != whole and _folder(whole) not in {"", _folder(composed(path))}:
                    self._elsewhere[str(name)] = path
                return path
        with suppress(OSError, ValueError):
            if given.parent.name and given.is_file():
                return str(given.absolute())
        return None

    def paths(self, names: pd.Series[Any]) -> pd.Series[Any]:
        """Return the path of the file for each name, missing where there is none.

        Capital letters may differ, unless the file belongs to another name: of `ISIC_1` and
        `isic_1` only the first has the file `ISIC_1.jpg`.
        """
        found = names.map(self.find, na_action="ignore").astype("string")
        return found.mask(self._of_another(names, found))

    def _of_another(self, names: pd.Series[Any], found: pd.Series[Any]) -> pd.Series[Any]:
        """Tell for each name whether its file is spelled as another of the names.

        `found` has the path of the file for each name, missing where there is none.
        """
        words = names.astype("string")
        there = pd.DataFrame({"name": words, "low": words.str.lower(), "path": found})
        there = there.reset_index(drop=True)
        repeated = there["path"].notna() & there["path"].duplicated(keep=False)
        lost = np.zeros(len(there), dtype=bool)
        for (_, path), rows in there[repeated].groupby(["low", "path"], sort=False):
            names_here = rows["name"].tolist()
            own = [name for name in names_here if _is_spelled(name, str(path))]
            if not own and len(set(names_here)) > 1:
                self._shared.append((*list(dict.fromkeys(names_here))[:2], str(path)))
            for place, name in zip(rows.index, names_here, strict=True):
                if own and name not in own:
                    lost[place] = True
                    self._twins[name] = own[0], str(path)
        return pd.Series(lost, index=names.index)

    def notes(self, table: pd.DataFrame) -> list[str]:
        """Return sentences on images that are packed, have no file, or have several."""
        notes = self._packed(table["path"]) + self._refused
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
        notes += self._alike() + _of_several(lost)
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

    def unnamed(self, table: pd.DataFrame) -> list[str]:
        """Return a sentence on image files that no row of `table` names; [] without any.

        `table` has the column path. Files named after an image that is named, such as
        ISIC_1_segmentation, belong to it.
        """
        used = {_stem(path) for path in table["path"].dropna()}
        if not used:
            return []
        left = dict.fromkeys(_stem(path) for *_, path in self._files)
        names = [name for name in left if not _belongs(name, used)]
        if not names:
            return []
        return [
            f"{counted(len(names), 'image file')} under {self.folder} "
            f"{verb(len(names), 'is', 'are')} named by no row, and not read: {some(names)}."
        ]

    def _alike(self) -> list[str]:
        """Return sentences on names that differ only in capital letters."""
        notes = []
        for name, (other, path) in list(self._twins.items())[:1]:
            count = len(self._twins)
            notes.append(
                f"{counted(count, 'image')} {verb(count, 'differs', 'differ')} from "
                f"another in capital letters alone and {verb(count, 'has', 'have')} not "
                f"its file ({name}: {path} is that of {other}). Write them alike if they "
                "are one."
            )
        for name, other, path in self._shared[:1]:
            count = len(self._shared)
            notes.append(
                f"{counted(count, 'file')} {verb(count, 'is', 'are')} that of images which "
                f"differ in capital letters alone ({name} and {other}: {path}). Write them "
                "alike if they are one, or leave one out."
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
