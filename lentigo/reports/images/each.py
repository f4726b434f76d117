"""Read images one after another in a sandboxed process, each with its outline or mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import ConfigError, DatasetNotFoundError, ImageError
from lentigo.files import write_csv
from lentigo.imaging.by_products import MASK_FOLDERS
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.imaging.search import files_below, is_image
from lentigo.imaging.segmentation import Outline, find_outline, given_outline
from lentigo.inference.inputs import Source, find_sources
from lentigo.output import check_new_folder, check_not_input, new_folder
from lentigo.progress import track
from lentigo.reports.images.views import mask_of, stems
from lentigo.words import some

_MASK_ENDINGS = ("_segmentation", "_mask", "_lesion", "-mask", "")
"""Endings that a mask's file name may have after the name of its image."""
_OF_IMAGES = {"image", "images", "img", "imgs", "photo", "photos", "jpg", "jpeg", "png"}
_SAYS_NOTHING = _OF_IMAGES | MASK_FOLDERS
"""Names of folders that say what kind of files they hold, and not of whom."""


@dataclass(frozen=True)
class Read:
    """One image that was read, or the reason why it was not."""

    source: Source
    stem: str
    """Start of the names of the image's output files, unique among the images."""
    image: NDArray[np.uint8] | None = None
    """(H, W, 3) RGB."""
    outline: Outline | None = None
    """Outline of the lesion; None if the image was not read or is not to be outlined."""
    reason: str = ""
    """Why the image was not read; empty if it was."""

    @property
    def path(self) -> str:
        """The path of the image file; for an array, its id."""
        return str(self.source.path or self.source.image_id)


class Kind(NamedTuple):
    """The format of a table that a command writes, with one row per image."""

    file: str
    """File name of the table."""
    columns: tuple[str, ...]
    whole: tuple[str, ...]
    """Columns of integers, in which values may be missing."""
    label: str
    """Text of the progress bar."""


@dataclass(frozen=True)
class Written:
    """A written folder: a table of images, and output files for each image."""

    table: pd.DataFrame
    """One row per image, with the columns of its `Kind`."""
    folder: Path

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of images that could not be read."""
        return self.table[self.table["reason"] != ""]


class Masks:
    """Masks of lesions that the user gives: a file for one image, or a folder of files.

    A mask is found by its name. Where several images or several masks have this name, it is
    that of the image whose path ends in the mask's path below the folder: the mask
    `P1/7.png` is that of `photos/P1/7.jpg`. A file that is one of the images is nobody's
    mask, though it lies in the folder.

    Raises `DatasetNotFoundError` if the file or folder does not exist or no mask fits an
    image, and `ConfigError` for one file and several images, two masks of one image, or one
    mask of two images.
    """

    def __init__(self, given: Path | None, sources: Sequence[Source]) -> None:
        self._found: dict[str, Path] = {}
        if given is None:
            return
        if given.is_dir():
            self._found = _matched(given, sources)
            return
        if not given.exists():
            raise DatasetNotFoundError(f"There is no mask {given}.")
        if len(sources) != 1:
            raise ConfigError(
                f"A mask belongs to one image, but {len(sources):,} are given. Give one "
                "image, or a folder of masks."
            )
        self._found[_key(sources[0])] = given

    def of(self, source: Source) -> Path | None:
        """Return the mask file of an image; None if it has no mask."""
        return self._found.get(_key(source))


def _key(source: Source) -> str:
    return f"id {source.image_id}" if source.path is None else str(source.path)


def _matched(folder: Path, sources: Sequence[Source]) -> dict[str, Path]:
    """Return the mask in `folder` of each image that has one, by the image's `_key`."""
    own = {source.path.resolve() for source in sources if source.path}
    by_name: dict[str, list[Path]] = {}
    files = [Path(each) for each in files_below(folder) if is_image(each)]
    kinds = {each: each.parent.name.casefold() for each in files}
    some_for_masks = not MASK_FOLDERS.isdisjoint(kinds.values())
    for path in files:
        if path.resolve() not in own and not (some_for_masks and kinds[path] in _OF_IMAGES):
            by_name.setdefault(path.stem.casefold(), []).append(path)
    names = {_key(each): _name(each) for each in sources}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    found: dict[str, Path] = {}
    owner: dict[Path, Source] = {}
    for source in sources:
        mask = _mask_of(source, folder, by_name, shared=names[_key(source)] in shared)
        if mask is None:
            continue
        other = owner.setdefault(mask, source)
        if _key(other) != _key(source):
            raise ConfigError(
                f"{mask} fits two images: {other.path or other.image_id} and "
                f"{source.path or source.image_id}. A mask belongs to one: put each into a "
                "folder that is called as that of its image."
            )
        found[_key(source)] = mask
    if not found:
        raise DatasetNotFoundError(
            f"{folder} has no mask of any of these images. A mask is called as its "
            f"image, or with {some(_MASK_ENDINGS[:-1], at_most=4)} behind the "
            "name; the images themselves are none. Of images that are called alike, it "
            "lies in a folder that is called as that of its image."
        )
    return found


def _name(source: Source) -> str:
    return (source.path.stem if source.path else source.image_id).casefold()


def _mask_of(
    source: Source, folder: Path, by_name: Mapping[str, list[Path]], *, shared: bool
) -> Path | None:
    """Return the mask of one image; None if it has none.

    `by_name` has the masks in `folder` by their names; `shared` tells that another image
    has the same name. Raises `ConfigError` if several masks fit.
    """
    for ending in _MASK_ENDINGS:
        named = by_name.get(f"{_name(source)}{ending}".casefold(), [])
        near = [each for each in named if _is_beside(source, each.relative_to(folder))]
        fitting = near or ([] if shared and _has_folders(named, folder) else named)
        fitting = [each for each in fitting if not _is_anothers(source, each, folder)]
        if len(fitting) > 1:
            raise ConfigError(
                f"Two masks of {source.path.stem if source.path else source.image_id}: "
                f"{fitting[0]} and {fitting[1]}. Leave one of them, or put each into a "
                "folder that is called as that of its image."
            )
        if fitting:
            return fitting[0]
    return None


def _has_folders(masks: Sequence[Path], folder: Path) -> bool:
    return any(len(each.relative_to(folder).parts) > 1 for each in masks)


def _folders(path: Path) -> tuple[str, ...]:
    """Return the folders of a file that say whose it is, in small letters."""
    names = (part.casefold() for part in path.parent.parts)
    return tuple(name for name in names if name not in _SAYS_NOTHING)


def _is_beside(source: Source, mask: Path) -> bool:
    """Tell whether the folders of an image end in those of a mask, if that has any."""
    parts = _folders(mask)
    if not parts or source.path is None:
        return False
    return _folders(source.path.absolute())[-len(parts) :] == parts


def _is_anothers(source: Source, mask: Path, folder: Path) -> bool:
    """Tell whether a mask is that of an image that was not given, in another folder.

    So is the mask `P0/7.png` for the image `P1/7.jpg` if there is a `P0/7.jpg`, and
    `P0/masks/7.png` if there is a `P0/images/7.jpg`.
    """
    inside = mask.relative_to(folder)
    if not _folders(inside) or source.path is None or _is_beside(source, inside):
        return False
    parts = [part for part in inside.parent.parts if part.casefold() not in _SAYS_NOTHING]
    known = {mask.resolve(), source.path.resolve()}
    for above in (folder, *source.path.absolute().parents):
        base = above.joinpath(*parts)
        if not base.is_dir():
            continue
        for kind in ("", *_SAYS_NOTHING):
            there = base / kind / source.path.name
            if there.is_file() and there.resolve() not in known:
                return True
    return False


def read_each(
    sources: Sequence[Source], masks: Masks, *, label: str, outlined: bool = True
) -> Iterator[Read]:
    """Yield each image with its outline; one that cannot be read has a `reason` instead.

    The outline is that of its mask, else the lesion is segmented if `outlined`, else it is
    None. Files are decoded in a sandboxed process, which ends when the generator is read
    to the end or closed.
    """
    with ExitStack() as stack:
        reader: GuardedReader | None = None
        pairs = zip(sources, stems(sources), strict=True)
        for source, stem in track(pairs, total=len(sources), label=label):
            if reader is None and source.path is not None:
                reader = stack.enter_context(GuardedReader())
            try:
                image, outline = _read(source, masks.of(source), reader, outlined=outlined)
            except ImageError as error:
                yield Read(source, stem, reason=str(error))
            else:
                yield Read(source, stem, image, outline)


def _read(
    source: Source, mask: Path | None, reader: GuardedReader | None, *, outlined: bool
) -> tuple[NDArray[np.uint8], Outline | None]:
    if source.image is not None:
        image = source.image
    elif source.path is None or reader is None:
        raise ImageError(f"{source.image_id} has no file.")
    else:
        image = reader.read_image(source.path)
    if mask is not None and reader is not None:
        return image, outline_in(mask, image, reader)
    try:
        return image, find_outline(image) if outlined else None
    except ImageError as error:
        said = str(error)
        name = source.path or source.image_id
        raise ImageError(f"{name}: {said[0].lower()}{said[1:]}") from error


def outline_in(mask: Path, image: NDArray[np.uint8], reader: GuardedReader) -> Outline:
    """Return the outline of the lesion in `image`, (H, W, 3), from a mask file.

    Raises `ImageError` with the name of the file if it is no mask of this image.
    """
    marks = mask_of(reader.read_mask(mask))
    try:
        return given_outline(image, marks)
    except ImageError as error:
        raise ImageError(f"{mask}: {error}") from None


def write_each(
    inputs: Sequence[str | Path],
    out: Path,
    row: Callable[[Read], dict[str, object]],
    *,
    mask: Path | None,
    kind: Kind,
) -> Written:
    """Write a table of the format `kind` into the new folder `out`, one row per image.

    `row` is called for each image and returns its row; it may write files into `out`.
    `inputs` are files, folders, zips, patterns or lesion tables. `mask` is a mask file for
    one image, or a folder of masks; an image without a mask is segmented.

    Raises:
        ConfigError: one mask for several images.
        DatasetNotFoundError: there is no such input, or no mask of any image.
        RunError: `out` is not empty or cannot be written.
    """
    check_new_folder(out)
    check_not_input(out, inputs)
    sources = find_sources(inputs)
    read = read_each(sources, Masks(mask, sources), label=kind.label)
    with new_folder(out), closing(read) as images:  # type: ignore[type-var]
        table = pd.DataFrame([row(each) for each in images], columns=kind.columns)
        table = table.astype(dict.fromkeys(kind.whole, "Int64"))
        write_csv(table, out / kind.file)
    return Written(table, out)
