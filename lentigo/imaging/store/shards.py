"""The pixels of a store on disk: one `.npy` file, or several used as one array.

A file has at most `imaging.shard_mb` MB. A small store is the single `images.npy`; a larger
one is `images-0000.npy`, `images-0001.npy` …, each with equally many rows but the last.
Either way the rows are read directly from the files, and never copied between processes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import DatasetError

PIXELS = "images.npy"
_SHARD = "images-{:04}.npy"
_ANY = "images*.npy"

Shape = tuple[int, int, int]

Marks = tuple[tuple[int, int], ...]
"""Length in bytes and modification time (ns) of each file of a store."""


def pixel_files(folder: Path) -> list[Path]:
    """Return the `.npy` files of a store, by number; an empty list if there are none."""
    found = all_pixel_files(folder)
    whole = folder / PIXELS
    return [whole] if whole in found else found


def all_pixel_files(folder: Path) -> list[Path]:
    """Return every `images*.npy` file in `folder`, in the order of their numbers."""
    found = folder.glob(_ANY)
    return sorted(found, key=lambda path: (len(path.name), path.name))


def rows_in_file(shape: Shape, *, shard_mb: float) -> int:
    """Return the largest number of images in one file of a store; at least 1.

    `shape` is (height, width, channels) of an image, one byte per value, and `shard_mb` the
    largest size of a file in MB (1,000,000 bytes).
    """
    return max(1, int(shard_mb * 1e6) // int(np.prod(shape)))


def create_files(folder: Path, count: int, shape: Shape, *, shard_mb: float) -> None:
    """Write the `.npy` files of `count` black images of `shape`, (S, S, 3).

    A file has at most `shard_mb` MB. Most disks allocate space only as images are written.
    """
    each = rows_in_file(shape, shard_mb=shard_mb)
    names = (
        [PIXELS] if count <= each else [_SHARD.format(n) for n in range(-(-count // each))]
    )
    for number, name in enumerate(names):
        rows = min(each, count - number * each)
        # A hole in the file: rows without an image take no room on most disks.
        np.lib.format.open_memmap(folder / name, "w+", np.uint8, (rows, *shape))


def open_images(folder: Path) -> StoredImages:
    """Return the N images in `folder`, (N, S, S, 3) `uint8`, memory-mapped and read-only.

    Raises `OSError` or `ValueError` if the files are missing or do not fit together.
    """
    whole = folder / PIXELS
    return _MappedImages.open(whole) if whole.is_file() else ImageRows(folder)


class _MappedImages(np.memmap[Any, np.dtype[np.uint8]]):
    """One memory-mapped file, pickled by its path; numpy's own would be copied whole."""

    _marks: Marks | None = None

    @classmethod
    def open(cls, path: Path, marks: Marks | None = None) -> _MappedImages:
        now = _marks_of([path])
        found = np.load(path, mmap_mode="r")
        images = cls(
            path, dtype=found.dtype, mode="r", offset=found.offset, shape=found.shape
        )
        _check_same(now, marks, path)
        images._marks = now
        return images

    def __reduce__(self) -> Any:
        if isinstance(self.base, mmap.mmap) and self.filename is not None:
            return _MappedImages.open, (Path(self.filename), self._marks)
        return np.array(self, subok=False).__reduce__()  # a part of it, such as one row


class ImageRows:
    """Rows of memory-mapped files, as one array that is indexed along its first axis.

    An integer, a slice, a list or an array of integers or of booleans gives the same as in
    numpy: for an integer a view of the image, otherwise a copy of the images. `rows` are
    the rows of the store in `folder` to use, in that order; by default all. No image is
    read before it is indexed. Raises `DatasetError` if `marks` is given and the files have
    changed since.
    """

    def __init__(
        self,
        folder: Path,
        rows: NDArray[np.intp] | None = None,
        marks: Marks | None = None,
    ) -> None:
        self._marks = _marks_of(pixel_files(folder))
        self._folder, self._parts = folder, _open_parts(folder)
        _check_same(self._marks, marks, folder)
        self._each = len(self._parts[0])
        self._whole = rows is None
        count = sum(len(part) for part in self._parts)
        self._rows = np.arange(count) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (N, S, S, 3)."""
        return len(self._rows), *self._parts[0].shape[1:]

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Return `uint8`."""
        return self._parts[0].dtype

    @property
    def ndim(self) -> int:
        """Return 4."""
        return self._parts[0].ndim

    @property
    def nbytes(self) -> int:
        """Return the size of all images in bytes."""
        return int(np.prod(self.shape))

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        rows = self._rows[key]
        if isinstance(rows, np.integer):
            return self._image(int(rows))
        found = np.empty((*rows.shape, *self.shape[1:]), np.uint8)
        flat = found.reshape(-1, *self.shape[1:])
        for place, row in enumerate(rows.ravel().tolist()):
            flat[place] = self._image(row)
        return found

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for row in self._rows.tolist():
            yield self._image(row)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Images of several files become one array only by a copy.")
        return self[:].astype(dtype or np.uint8, copy=False)

    def __reduce__(self) -> Any:
        rows = None if self._whole else self._rows
        return ImageRows, (self._folder, rows, self._marks)

    def _image(self, row: int) -> NDArray[np.uint8]:
        part, place = divmod(row, self._each)
        image: NDArray[np.uint8] = self._parts[part][place]
        return image


def _marks_of(paths: Sequence[Path]) -> Marks:
    stats = [path.stat() for path in paths]
    return tuple((status.st_size, status.st_mtime_ns) for status in stats)


def _check_same(now: Marks, then: Marks | None, place: Path) -> None:
    """Raise `DatasetError` if the files of `place` changed since they were pickled."""
    if then is not None and then != now:
        raise DatasetError(
            f"The images in {place} were added to or made anew while they were in use, so "
            "their rows may be others now. Start again, when nobody builds there."
        )


StoredImages = _MappedImages | ImageRows
"""Images of a store: indexed as an array (N, S, S, 3), read-only, pickled by path."""


def _open_parts(folder: Path) -> list[NDArray[np.uint8]]:
    paths = pixel_files(folder)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no {PIXELS}.")
    parts = [np.asarray(np.load(path, mmap_mode="r")) for path in paths]
    each, shape = len(parts[0]), parts[0].shape[1:]
    if any(part.shape[1:] != shape or part.dtype != np.uint8 for part in parts):
        raise ValueError(f"The files of {folder} hold images of several kinds.")
    lengths = [len(part) for part in parts]
    if any(length != each for length in lengths[:-1]) or not 0 < lengths[-1] <= each:
        raise ValueError(f"The files of {folder} are not of the lengths they should be.")
    return parts
