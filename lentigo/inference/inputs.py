"""Find the images to predict: in files, folders, patterns, tables and arrays."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.datasets.reading.chosen import is_chosen
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetNotFoundError,
    ImageError,
)
from lentigo.files import as_text
from lentigo.imaging.by_products import photographs
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES
from lentigo.imaging.search import (
    composed,
    files_below,
    is_image,
    is_litter,
    is_other_picture,
    not_read_inside,
    on_disk,
    unseen,
)
from lentigo.inference.distinct import distinct, told_apart
from lentigo.inference.sources import Source as Source
from lentigo.inference.sources import Sources as Sources
from lentigo.machine import give_back_memory
from lentigo.models.metadata import Patients
from lentigo.progress import log
from lentigo.table_files.door import is_table, split_sheet
from lentigo.words import some

STANDARD_INPUT = "-"
"""Input that stands for standard input, which names one input per line."""
ARRAY = ""
"""Path of an image that was given as an array."""
_ROWS = 4096
"""Rows of a table that are turned into objects at once."""


def patients_of(sources: Sequence[Source]) -> Patients:
    """Return age, sex and site of the patient of each image, as far as they are known."""
    return Patients.of(
        [source.age for source in sources],
        [source.sex for source in sources],
        [source.site for source in sources],
    )


def find_sources(inputs: Sequence[str | Path]) -> Sequence[Source]:
    """Return every image that `inputs` name, each file once, in the order of `inputs`.

    An input is an image file, a folder (searched with its subfolders, sorted by name), a
    zip or HDF5 file of images, a pattern such as `photos/*.jpg`, a table (Parquet or CSV)
    with `image_id` and `path`, or `-`: standard input, which names one input per line. A
    file that is named but is no image is kept; it gets a reason when it is decoded, and so
    does an image that a table or standard input names and that does not exist. Of a zip or
    HDF5 file only the list of names is read in this process; its images are unpacked
    in the sandboxed process that decodes them. The id of an image is its file name without
    the ending, or its whole path where several files share a name; tables give their own.

    Raises `DatasetNotFoundError` if an input does not exist or holds no image,
    `ConfigError` if `--where` is to choose rows and no input is a table, `ColumnError` if a
    table has no paths of images, and `DatasetError` if two images have the same id.
    """
    sources = Sources.of(
        source
        for item in inputs
        for source in (
            _of_list() if str(item) == STANDARD_INPUT else _sources_of(str(item))
        )
    )
    if is_chosen() and not sources.from_table.any():
        raise ConfigError(
            "--where chooses rows of a table, and there is no table among the inputs."
        )
    found = told_apart(distinct(sources))
    give_back_memory()
    return found


def as_sources(images: Any) -> Sequence[Source]:
    """Return the images to predict, as `Source`s, from the argument of `Model.predict`.

    A list gives one source per item, in its order, and a file that occurs twice gives two.

    Raises `ImageError` for an array that is not (H, W, 3) `uint8`, and what `find_sources`
    raises.
    """
    if isinstance(images, pd.DataFrame):
        return Sources.of(_of_frame(images, source="the table"))
    if isinstance(images, str | Path):
        return find_sources([images])
    if isinstance(images, np.ndarray):
        images = [images] if images.ndim == 3 else list(images)
    sources: list[Source] = []
    for number, image in enumerate(images):
        if isinstance(image, str | Path):
            sources.append(_file(Path(image)))
        else:
            sources.append(Source(str(number), image=_checked(np.asarray(image), number)))
    return told_apart(sources)


def _checked(image: NDArray[Any], number: int) -> NDArray[np.uint8]:
    if (
        image.ndim != 3
        or image.shape[2] != 3
        or image.dtype != np.uint8
        or 0 in image.shape
    ):
        raise ImageError(
            f"Image {number} is an array of shape {image.shape} and type {image.dtype}; "
            "give (height, width, 3) RGB of type uint8, from 0 to 255."
        )
    return image


def _of_list() -> Iterator[Source]:
    """Yield the images that the lines of standard input name.

    An image that does not exist gets its reason later, as one of a table does: a long list
    is answered though a file was moved meanwhile. The first one has to exist, since the
    names of another folder are a mistake.
    """
    begun = False
    for line in _listed():
        if begun and _is_gone(line):
            yield _file(Path(line))
            continue
        for source in _sources_of(line):
            begun = True
            yield source


def _is_gone(name: str) -> bool:
    """Tell whether `name` is that of an image, and there is no such file."""
    if not (is_image(name) or is_other_picture(name)) or glob.has_magic(name):
        return False
    return not os.path.lexists(on_disk(Path(name))) and not packed.is_there(name)


def _listed() -> Iterator[str]:
    """Yield the lines of standard input that are not empty.

    Raises `DatasetNotFoundError` if there is none.
    """
    found = False
    for line in sys.stdin:
        if line.strip():
            found = True
            yield line.rstrip("\r\n")
    if found:
        return
    raise DatasetNotFoundError(
        "Standard input names no file. Give one a line, such as: ls *.jpg | lentigo "
        "predict MODEL - --out FILE.csv"
    )


def _sources_of(item: str) -> Iterable[Source]:
    path = on_disk(Path(item))
    if path.is_dir():
        return _of_folder(path)
    if path.suffix.lower() in packed.SUFFIXES and path.is_file():
        return _inside(path)
    if packed.is_there(path):
        return [_file(path)]
    if split_sheet(path)[0].is_file() and is_table(path):
        return _of_table(path, source=item)
    if os.path.lexists(path):  # a pipe, or a link to nowhere, gets its reason later
        return [_file(path)]
    if matched := _matched(item):
        return (source for match in matched for source in _sources_of(str(match)))
    raise DatasetNotFoundError(
        f"There is no image, folder or table {item}. Give files, folders, patterns such as "
        "'photos/*.jpg', or a lesion table."
    )


def _of_folder(path: Path) -> Iterator[Source]:
    files = files_below(path)
    kept, notes = photographs(files)
    found = sorted([*kept, *filter(is_other_picture, files)], key=_by_folder)
    for note in notes + unseen(files):
        log.info("%s: %s", path, note)
    if not found:
        raise DatasetNotFoundError(
            f"The folder {path} holds no image: no file ends in "
            f"{some(sorted(IMAGE_SUFFIXES), at_most=8)}."
        )
    return (_file(Path(name)) for name in found)


def _by_folder(name: str) -> str:
    """Return a key that sorts as `Path(name)` does, and takes a tenth of its memory."""
    return os.path.normcase(name).replace(os.sep, "\0")


def _matched(pattern: str) -> list[Path]:
    """Return the sorted paths that match a pattern, in either Unicode form of accents."""
    found: set[str] = set()
    for spelled in (pattern, normalize("NFC", pattern), normalize("NFD", pattern)):
        found.update(glob.glob(spelled, recursive=True))  # noqa: PTH207
    return sorted(map(Path, found))


def _file(path: Path) -> Source:
    return Source(composed(as_text(path.stem)), path=path)


def _inside(container: Path) -> Iterator[Source]:
    names, notes = packed.members(container), list[str]()
    if container.suffix.lower() == ".zip":
        # What is not read has a place, too: its row says why.
        every = {*names, *packed.not_read(container)}
        seen = [name for name in every if not is_litter(name)]
        kept, notes = photographs(seen)
        names = sorted([*kept, *filter(is_other_picture, seen)])
    for note in notes + not_read_inside(container):
        log.info("%s", note)
    packed.close(container)
    if not names:
        raise DatasetNotFoundError(f"{container} holds no image.")
    return (_file(container / name) for name in names)


def _of_table(path: Path, *, source: str) -> Iterator[Source]:
    # Imported for a table alone: an image is answered for half a second earlier.
    from lentigo.datasets.any_table import is_our_file, read_any
    from lentigo.datasets.reading.word_map import understood
    from lentigo.tables import read_any_table

    with understood(None, unknown="missing"):  # the label is not asked for
        read = read_any(path)
    for note in read.notes[-1:] if is_chosen() else ():
        log.info("%s", note)
    if read.table["path"].isna().all() and not is_our_file(path):
        raise _without_paths(read_any_table(path), source=source)
    return _of_frame(read.table, source=source)


def _without_paths(table: pd.DataFrame, *, source: str) -> ColumnError:
    return ColumnError(
        f"{source} does not say where the images lie: no column path leads to a file. It "
        f"has {some(list(table), at_most=8)}. Put the table beside its images, or make a "
        "lesion table with 'lentigo read'."
    )


def _of_frame(table: pd.DataFrame, *, source: str) -> Iterator[Source]:
    if "path" not in table:
        raise _without_paths(table, source=source)
    from lentigo.tables import check_table

    names = [
        "image_id", "path", "group_id", "dataset", "lesion_id", "age", "sex", "site",
        "patient_id",
    ]  # fmt: skip
    checked = check_table(table, source=source)[names]
    return (
        row for start in range(0, len(checked), _ROWS)
        for row in _of_rows(checked.iloc[start : start + _ROWS])
    )  # fmt: skip


def _of_rows(table: pd.DataFrame) -> Iterator[Source]:
    columns: list[list[Any]] = [
        [None if pd.isna(value) else value for value in table[name]] for name in table
    ]
    for name, path, group, dataset, lesion, age, sex, site, patient in zip(
        *columns, strict=True
    ):
        yield Source(
            name,
            path=None if path is None else on_disk(Path(path)),
            group_id=group,
            dataset=dataset,
            lesion_id=lesion,
            age=age,
            sex=sex,
            site=site,
            patient_id=patient,
            from_table=True,
        )
