"""Decode files for a pixel store, in a separate process.

It reads one JSON line per file, `[row, path]`, from standard input, writes the pixels into
the store's array and answers with one JSON line. It ends when its input ends.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from lentigo.errors import ImageError
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import surprise
from lentigo.imaging.decoding.square import Fit, read_square
from lentigo.imaging.sandbox.process_side import Parent
from lentigo.imaging.store.shards import pixel_files

_LARGEST_FILE = 2**31
"""The largest file in bytes; it is held in memory while it is hashed and decoded."""


@dataclass(frozen=True)
class Job:
    """Settings that are the same for all files of a store."""

    pixels: str
    """The folder of the store's `.npy` files."""
    size: int
    """Side of the stored square, in pixels."""
    fit: Fit
    """How a rectangular image becomes square; see `ImagingConfig.fit`."""
    max_pixels: int
    """A file with more pixels (width · height) is not decoded."""


@dataclass(frozen=True)
class DecodedFile:
    """Result of decoding one file: its row is filled, or `error` gives the reason."""

    row: int
    """Row of the store."""
    sha256: str | None = None
    """SHA-256 of the bytes of the file."""
    width: int | None = None
    height: int | None = None
    error: str | None = None
    checksum: int = 0
    """CRC-32 of the stored pixels, with which a continued build verifies its rows."""


class PixelFile:
    """The array of a store, in one file or several, open for writing row by row.

    Ordinary writes are used, not a memory map: on a full disk they fail with an error,
    while a memory map would kill the process.
    """

    def __init__(self, folder: Path | str) -> None:
        self._paths = pixel_files(Path(folder))
        first = np.load(self._paths[0], mmap_mode="r")
        self._start, self._each = first.offset, len(first)
        self._bytes = int(np.prod(first.shape[1:]))
        del first
        self._files: dict[int, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def read(self, row: int) -> bytes:
        """Return the pixels of a row."""
        return self._at(row).read(self._bytes)

    def write(self, row: int, pixels: bytes) -> None:
        """Write `pixels` into a row; raises `OSError` when the disk is full."""
        file = self._at(row)
        file.write(pixels)
        file.flush()

    def clear(self, row: int) -> None:
        """Make a row black."""
        self.write(row, bytes(self._bytes))

    def sync(self) -> None:
        """Wait until all pixels are on the disk."""
        for part in range(len(self._paths)):
            os.fsync(self._file(part).fileno())

    def _at(self, row: int) -> BinaryIO:
        part, place = divmod(row, self._each)
        file = self._file(part)
        file.seek(self._start + place * self._bytes)
        return file

    def _file(self, part: int) -> BinaryIO:
        if part not in self._files:
            self._files[part] = self._paths[part].open("r+b")
        return self._files[part]


def decode_into(pixels: PixelFile, row: int, path: str, job: Job) -> DecodedFile:
    """Decode one file into a row of the store; a problem of the file goes into the result.

    Raises `OSError` only if the store cannot be written.
    """
    sha256 = None
    try:
        data = _read_bytes(path)
        sha256 = hashlib.sha256(data).hexdigest()
        image, (width, height) = read_square(
            data, size=job.size, fit=job.fit, max_pixels=job.max_pixels, name=path
        )
    except ImageError as error:
        return DecodedFile(row, sha256=sha256, error=str(error))
    except MemoryError:
        return DecodedFile(row, error=_too_large(path))
    except Exception as error:
        # One file in 400,000 that a library stumbles over must not end the build.
        return DecodedFile(
            row, sha256=sha256, error=f"{path} cannot be decoded: {surprise(error)}."
        )
    stored = image.tobytes()
    pixels.write(row, stored)
    return DecodedFile(row, sha256, width, height, checksum=zlib.crc32(stored))


def _read_bytes(path: str) -> bytes:
    if packed.split(path):
        return packed.read_bytes(path)
    file = Path(path)
    try:
        if not file.is_file():  # opening a pipe or a device could wait for ever
            raise ImageError(f"{path} is no file.")
        if (count := file.stat().st_size) > _LARGEST_FILE:
            raise ImageError(f"{path} has {count:,} bytes, too many for an image.")
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path} cannot be read: {reason}.") from error


def main() -> None:
    """Answer questions until standard input ends."""
    parent = Parent()
    job = Job(**parent.job)
    with PixelFile(job.pixels) as pixels:
        for row, path in parent.questions():
            try:
                with parent.leash.tied(parent.length(path)):
                    answer: dict[str, Any] = asdict(decode_into(pixels, row, path, job))
            except MemoryError:
                answer = asdict(DecodedFile(row, error=_too_large(path)))
            except OSError as error:  # of writing; reading ends in an ImageError
                answer = {"cannot_write": [error.errno, error.strerror]}
            parent.answer(answer)


def _too_large(path: str) -> str:
    return f"{path} needs more memory than it may take."
