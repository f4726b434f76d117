"""Checks, before decoding, that refuse a file which claims more pixels than it can hold."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from lentigo.errors import ImageError
from lentigo.imaging.decoding.heic import HeicFile
from lentigo.imaging.decoding.limits import MOST_PIXELS

_FREE_PIXELS = 4_000_000
"""Number of pixels that any file may hold without check: drawn uniform images are small."""

# Of 18,000 dermoscopy images, masks and test pictures none held more than 600 bytes of
# pixels a byte. Deflate cannot do more than 1,032; WebP and JPEG 2000 could, for an even
# area.
_GROWTH = 3072
"""The highest number of bytes of pixels per byte of a file."""

_JPEG_GROWTH = 1024
"""The highest number of pixels per byte of JPEG: a block of 64 pixels takes at least one
bit (512 a byte); the factor of two allows for unusual chroma subsampling."""

DICOM_GROWTH = 3072
"""The highest number of pixels per byte of DICOM, whose compressed samples have at least 8
bits."""

# The usual progressive script has 10 and the largest that is known to be in use 64; an
# MPO file brings those of its other pictures. Each scan goes over the whole picture, so
# that 4,000 of them, in 170 kB, took 5 seconds.
_MAX_SCANS = 200

_BITS = {"1": 1, "L": 8, "I;16": 16, "I;16B": 16, "LA": 16}


def check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    """Raise `ImageError` if `size`, (width, height), has more than `max_pixels` pixels."""
    most = min(max_pixels, MOST_PIXELS)
    if size[0] * size[1] <= most:
        return
    raised = ", or raise max_pixels if you trust it" if most < MOST_PIXELS else ""
    raise ImageError(
        f"{name} claims {size[0]:,} × {size[1]:,} pixels; at most {most:,} in all are "
        f"read. Scale it down{raised}."
    )


def check_plausible(image: ImageFile | HeicFile, file: BinaryIO, name: str) -> None:
    """Raise `ImageError` if a file claims too many pixels or too many progressive scans.

    `image` is opened but not decoded, `file` is the open file behind it, and `name` is the
    file's name in messages.
    """
    is_jpeg = isinstance(image, JpegImageFile)
    a_byte = _JPEG_GROWTH if is_jpeg else _GROWTH * 8 / _bits(image)
    check_growth(image.size, file, name, a_byte=a_byte)
    if is_jpeg and image.info.get("progressive"):
        check_scans(file, name)


def check_growth(
    size: tuple[int, int], file: BinaryIO, name: str, *, a_byte: float
) -> None:
    """Raise `ImageError` if `size`, (width, height), has too many pixels for the file.

    Allowed are 4 million pixels, plus `a_byte` pixels for each byte of the file. The
    position of `file` is kept.
    """
    if size[0] * size[1] <= _FREE_PIXELS:
        return
    place = file.tell()
    length = file.seek(0, os.SEEK_END)
    file.seek(place)
    if size[0] * size[1] > _FREE_PIXELS + length * a_byte:
        raise ImageError(
            f"{name} claims {size[0]:,} × {size[1]:,} pixels, but has only {length:,} "
            "bytes, too few for a picture of that size. It is cut short or a decompression "
            "bomb; get it anew from where it came from."
        )


def check_scans(file: BinaryIO, name: str) -> None:
    """Raise `ImageError` for a progressive JPEG of more than 200 scans.

    Programs write up to 64. `file` is read from its start; its position is kept.
    """
    place, count, last = file.tell(), 0, b""
    file.seek(0)
    while part := file.read(2**20):
        count += (last + part).count(b"\xff\xda")
        last = part[-1:]
    file.seek(place)
    if count > _MAX_SCANS:
        raise ImageError(
            f"{name} is a JPEG built up in {count:,} steps, each over the whole picture; "
            f"at most {_MAX_SCANS} are read. Save it anew as an ordinary JPEG."
        )


def _bits(image: ImageFile | HeicFile) -> int:
    """Return the bits per pixel as stored."""
    if isinstance(image, ImageFile) and image.mode == "P" and image.tile:
        arguments = image.tile[0].args
        raw = arguments[0] if isinstance(arguments, tuple) else arguments
        depth = str(raw).partition(";")[2]
        return int(depth) if depth.isdigit() else 8
    return _BITS.get(image.mode, 24)
