"""Checks, before decoding, that refuse a file which claims more than it can hold."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from lentigo.errors import ImageError
from lentigo.imaging.decoding.heic import HeicFile

_FREE_PIXELS = 4_000_000
"""So many may come out of any file: flat pictures that somebody drew are small."""

# Of 18,000 dermoscopy images, masks and test pictures none held more than 600 bytes of
# pixels a byte. Deflate cannot do more than 1,032; WebP and JPEG 2000 could, for an even
# area.
_GROWTH = 3072
"""Bytes of pixels that a byte of a file may become."""

_JPEG_GROWTH = 1024
"""Pixels a byte of JPEG: a block of 64 pixels takes a bit at the least (512 a byte); the
rest is for odd ratios between the resolutions of brightness and colour."""

DICOM_GROWTH = 3072
"""Pixels a byte of DICOM, whose compressed samples have 8 bits at the least."""

# The usual progressive script has 10 and the largest that is known to be in use 64; an
# MPO file brings those of its other pictures. Each scan goes over the whole picture, so
# that 4,000 of them, in 170 kB, took 5 seconds.
_MAX_SCANS = 200

_BITS = {"1": 1, "L": 8, "I;16": 16, "I;16B": 16, "LA": 16}


def check_plausible(image: ImageFile | HeicFile, file: BinaryIO, name: str) -> None:
    """Refuse a file that claims what it cannot hold, or to be gone over without end.

    Raises `ImageError`. `image` is opened but not decoded, `file` is where it lies.
    """
    is_jpeg = isinstance(image, JpegImageFile)
    a_byte = _JPEG_GROWTH if is_jpeg else _GROWTH * 8 / _bits(image)
    check_growth(image.size, file, name, a_byte=a_byte)
    if is_jpeg and image.info.get("progressive"):
        check_scans(file, name)


def check_growth(
    size: tuple[int, int], file: BinaryIO, name: str, *, a_byte: float
) -> None:
    """Refuse more than `a_byte` pixels a byte of the file."""
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
    """Refuse a progressive JPEG that is built up in far more steps than any program makes.

    `file` is read from its start and left where it was.
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
    """Bits a pixel, as stored."""
    if isinstance(image, ImageFile) and image.mode == "P" and image.tile:
        arguments = image.tile[0].args
        raw = arguments[0] if isinstance(arguments, tuple) else arguments
        depth = str(raw).partition(";")[2]
        return int(depth) if depth.isdigit() else 8
    return _BITS.get(image.mode, 24)
