"""Find the images to predict: in files, folders, patterns, tables and arrays."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
    DatasetError,
    DatasetNotFoundError,
    ImageError,
)
from lentigo.files import as_text
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES
from lentigo.imaging.search import (
    composed,
    files_below,
    is_image,
    is_litter,
    is_other_picture,
    on_disk,
    unseen,
)
from lentigo.models.context import People
from lentigo.models.metadata import Patients
from lentigo.progress import log
from lentigo.table_files.door import is_table, split_sheet
from lentigo.words import some

STANDARD_INPUT = "-"
"""Input that stands for standard input, which names one input per line."""
ARRAY = ""
"""Path of an image that was given as an array."""


@dataclass(frozen=True)
class Source:
    """One image to predict: a file, or an array of pixels."""

    image_id: str
    path: Path | None = None
    """File of the image; None for an array."""
    image: NDArray[np.uint8] | None = None
    """Pixels, (H, W, 3) RGB; None for a file."""
    group_id: str | None = None
    """Id of the group (patient, lesion or other unit); None if no table gives it."""
    dataset: str | None = None
    """Name of the data set; None if no table gives it."""
    lesion_id: str | None = None
    """Id of the lesion in that data set; None if no table gives it."""
    age: float | None = None
    """Age of the patient in years; None if no table gives it."""
    sex: str | None = None
    """One of `lentigo.tables.SEXES`; None if unknown."""
    site: str | None = None
    """One of `lentigo.tables.SITES`; None if unknown."""
    patient_id: str | None = None
    """Id of the patient in that data set; None if no table gives it."""
    from_table: bool = False
    """Whether `image_id` is from a table. It is then never changed, since tables of labels
    may refer to it."""


def people_of(sources: Sequence[Source]) -> People:
    """Return which images are of one patient, and which are of one lesion."""
    return People.of(
        [source.dataset for source in sources],
        [source.patient_id for source in sources],
        [source.lesion_id for source in sources],
    )


def patients_of(sources: Sequence[Source]) -> Patients:
    """Return age, sex and site of the patient of each image, as far as they are known."""
    return Patients.of(
        [source.age for source in sources],
        [source.sex for source in sources],
        [source.site for source in sources],
    )


def find_sources(inputs: Sequence[str | Path]) -> list[Source]:
    """Return every image that `inputs` name, each file once, in the order of `inputs`.

    An input is an image file, a folder (searched with its subfolders, sorted by name), a
    zip or HDF5 file of images, a pattern such as `photos/*.jpg`, a table (Parquet or CSV)
    with `image_id` and `path`, or `-`: standard input, which names one input per line. A
    file that is named but is no image is kept; it gets a reason when it is decoded. Of a
    zip or HDF5 file only the list of names is read in this process; its images are unpacked
    in the sandboxed process that decodes them. The id of an image is its file name without
    the ending, or its whole path where several files share a name; tables give their own.

    Raises `DatasetNotFoundError` if an input does not exist or holds no image,
    `ConfigError` if `--where` is to choose rows and no input is a table, `ColumnError` if a
    table has no paths of images, and `DatasetError` if two images have the same id.
    """
    sources: list[Source] = []
    for item in inputs:
        for each in _listed() if str(item) == STANDARD_INPUT else [str(item)]:
            sources += _sources_of(each)
    if is_chosen() and not any(source.from_table for source in sources):
        raise ConfigError(
            "--where chooses rows of a table, and there is no table among the inputs."
        )
    return _distinct(sources)


def as_sources(images: Any) -> list[Source]:
    """Return the images to predict, as `Source`s, from the argument of `Model.predict`.

    A list gives one source per item, in its order, and a file that occurs twice gives two.

    Raises `ImageError` for an array that is not (H, W, 3) `uint8`, and what `find_sources`
    raises.
    """
    if isinstance(images, pd.DataFrame):
        return _of_frame(images, source="the table")
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
    return _told_apart(sources)


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


def _listed() -> list[str]:
    """Return the lines of standard input that are not empty.

    Raises `DatasetNotFoundError` if there is none.
    """
    names = [line.rstrip("\r\n") for line in sys.stdin]
    if found := [name for name in names if name.strip()]:
        return found
    raise DatasetNotFoundError(
        "Standard input names no file. Give one a line, such as: ls *.jpg | lentigo "
        "predict MODEL - --out FILE.csv"
    )


def _sources_of(item: str) -> list[Source]:
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
    matched = _matched(item)
    if matched:
        return [source for match in matched for source in _sources_of(str(match))]
    raise DatasetNotFoundError(
        f"There is no image, folder or table {item}. Give files, folders, patterns such as "
        "'photos/*.jpg', or a lesion table."
    )


def _of_folder(path: Path) -> list[Source]:
    files = files_below(path)
    found = sorted(Path(name) for name in files if _is_picture(name))
    for note in unseen(files):
        log.info("%s: %s", path, note)
    if not found:
        raise DatasetNotFoundError(
            f"The folder {path} holds no image: no file ends in "
            f"{some(sorted(IMAGE_SUFFIXES), at_most=8)}."
        )
    return [_file(p) for p in found]


def _matched(pattern: str) -> list[Path]:
    """Return the sorted paths that match a pattern, in either Unicode form of accents."""
    found: set[str] = set()
    for spelled in (pattern, normalize("NFC", pattern), normalize("NFD", pattern)):
        found.update(glob.glob(spelled, recursive=True))  # noqa: PTH207
    return sorted(map(Path, found))


def _is_picture(name: str) -> bool:
    """Tell by its name if a file is an image, also one of a format that cannot be read."""
    return is_image(name) or is_other_picture(name)


def _file(path: Path) -> Source:
    return Source(composed(as_text(path.stem)), path=path)


def _inside(container: Path) -> list[Source]:
    names = packed.members(container)
    if container.suffix.lower() == ".zip":
        names = sorted(n for n in names if _is_picture(n) and not is_litter(n))
    if not names:
        raise DatasetNotFoundError(f"{container} holds no image.")
    return [_file(container / name) for name in names]


def _of_table(path: Path, *, source: str) -> list[Source]:
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


def _of_frame(table: pd.DataFrame, *, source: str) -> list[Source]:
    if "path" not in table:
        raise _without_paths(table, source=source)
    from lentigo.tables import check_table

    checked = check_table(table, source=source)
    columns: list[list[Any]] = [
        [None if pd.isna(value) else value for value in checked[name]]
        for name in (
            "image_id", "path", "group_id", "dataset", "lesion_id", "age", "sex", "site",
            "patient_id",
        )
    ]  # fmt: skip
    return [
        Source(
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
        for name, path, group, dataset, lesion, age, sex, site, patient in zip(
            *columns, strict=True
        )
    ]


def _place(path: Path) -> str:
    """Return `path` with links resolved, or unchanged if that fails.

    `Path.resolve` would raise an error for a link to itself, or a zero byte.
    """
    with suppress(ValueError):
        return os.path.realpath(path)
    return str(path)


def _distinct(sources: list[Source]) -> list[Source]:
    """Return each file once; files with the same name get their whole paths as ids.

    If a table has two ids for one file, both are kept.
    """
    seen: dict[str, set[str]] = {}
    kept = []
    for number, source in enumerate(sources):
        known = seen.setdefault(_key(source, number), set())
        if source.image_id in known or (known and not source.from_table):
            continue
        known.add(source.image_id)
        kept.append(source)
    return _told_apart(kept)


def _told_apart(sources: list[Source]) -> list[Source]:
    """Return `sources`, with the whole path as the id of files that share a name.

    Raises `DatasetError` if ids are still not unique.
    """
    shared = set(_shared_names(sources))
    if not shared:
        return sources
    told = [
        replace(source, image_id=as_text(source.path))
        if source.image_id in shared and source.path and not source.from_table
        else source
        for source in sources
    ]
    log.info("Files that share a name are called by their whole path.")
    if still := _shared_names(told):
        raise DatasetError(f"Two images are called {some(still)}; names have to be unique.")
    return told


def _shared_names(sources: list[Source]) -> list[str]:
    """Return the ids that two different images share."""
    named = {(source.image_id, _key(source, nth)): 0 for nth, source in enumerate(sources)}
    names = pd.Series([name for name, _ in named], dtype="object")
    return list(names[names.duplicated()])


def _key(source: Source, number: int) -> str:
    """Return the identity of an image: its resolved path, or for an array its position."""
    return _place(source.path) if source.path else f"#{number}"
