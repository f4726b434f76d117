"""The only way to read pixels: an image file becomes upright 8-bit RGB, or an `ImageError`.

No other result is possible, whatever a file holds: only listed formats are decoded, the
size is checked before decoding, and every failure of a decoder becomes one `ImageError`
that names the file.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lentigo.errors import ImageError
from lentigo.files import as_text
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.bombs import (
    DICOM_GROWTH,
    check_growth,
    check_plausible,
    check_size,
)
from lentigo.imaging.decoding.covered import Box, covered_size, turned_box
from lentigo.imaging.decoding.deep import (
    brightened,
    has_deep_colors,
    inverted,
    is_dim,
    is_white_at_zero,
    sort_out,
)
from lentigo.imaging.decoding.dicom import SUFFIXES as DICOM_SUFFIXES
from lentigo.imaging.decoding.dicom import DicomFile, looks_like_dicom
from lentigo.imaging.decoding.headers import says_more_after_pixels
from lentigo.imaging.decoding.heic import SUFFIXES as HEIC_SUFFIXES
from lentigo.imaging.decoding.heic import HeicFile, declared_profile
from lentigo.imaging.decoding.limits import claim, unmeasured
from lentigo.imaging.decoding.other_kinds import is_avif, is_heic, other_kind
from lentigo.imaging.decoding.rgb import to_rgb
from lentigo.imaging.decoding.several import check_one_picture
from lentigo.visible import named

MAX_PIXELS = 100_000_000
"""Larger images are refused unless the caller raises the limit; a large camera has half."""

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".webp",
    ".ppm", ".pgm", ".pbm", ".pnm", ".avif", *HEIC_SUFFIXES, *DICOM_SUFFIXES,
)  # fmt: skip
"""Extensions of the files that `read_image` may be able to read (the first bytes decide,
though)."""

Source = Path | str | bytes | BinaryIO
"""A file's path, its bytes, or the file opened in binary mode.

A path may lead into a zip or an HDF5 file (see `lentigo.imaging.decoding.packed`)."""

# GIF is left out on purpose (256 colours are no dermoscopy), as is every format whose
# decoder is rarely used and rarely looked at. The classes are called directly because
# `Image.open` holds its size limit in a global that belongs to the calling program.
_KINDS: tuple[tuple[tuple[bytes, ...], type[ImageFile]], ...] = (
    ((b"\xff\xd8\xff",), JpegImageFile),
    ((b"\x89PNG\r\n\x1a\n",), PngImageFile),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    ((b"BM",), BmpImageFile),
    ((b"RIFF",), WebPImageFile),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), PpmImageFile),
)
_KIND_NAMES = "JPEG, PNG, TIFF, BMP, WebP, HEIC, AVIF, PPM or DICOM"

# What Pillow's decoders are known to raise for broken files.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip

_BAND = 64
"""Number of rows copied at a time."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that undoes each EXIF orientation."""


def read_image(
    source: Source, *, max_pixels: int = MAX_PIXELS, at_least: int | None = None
) -> NDArray[np.uint8]:
    """Return the image in a file, upright and in sRGB colours: (height, width, 3) RGB.

    JPEG, PNG, TIFF, BMP, WebP, HEIC, AVIF, PPM and DICOM files in any colour mode are read
    (of several images in a HEIC or MPO file the primary, of DICOM frames the first).
    `rgb.to_rgb` describes how alpha, CMYK, 16 bits and colour profiles are converted,
    `dicom_color.to_picture` how the samples of DICOM are. With `at_least=n`, a large JPEG
    may be decoded at 1/2, 1/4 or 1/8 of its size, but with both sides still `n` pixels or
    more: many times faster if a small image is wanted.

    Raises:
        ImageError: the file does not exist, is not an image of these formats, holds several
            (pages, frames), is broken or cut short, or has more than `max_pixels` or
            `limits.MOST_PIXELS` pixels (known before decoding).
    """
    return read_with_size(source, max_pixels=max_pixels, at_least=at_least)[0]


def read_with_size(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    at_least: int | None = None,
    name: str | None = None,
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read like `read_image`; return the full upright (width, height) as well.

    `max_pixels` and `at_least` are as there. `name` is the image's name in error messages;
    by default its path.
    """
    return read_scaled(source, max_pixels=max_pixels, at_least=at_least, name=name)[:2]


def read_scaled(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    at_least: int | None = None,
    name: str | None = None,
) -> tuple[NDArray[np.uint8], tuple[int, int], Box]:
    """Read like `read_with_size`; return the box that the image covers in the array, too.

    An image of 1053 rows, decoded at half its size, covers 526.5 of 527 rows; the rest is
    padding. Resized as if it covered all rows, the lesion would be a little displaced.
    """
    picture, full, covered = read_picture(
        source, max_pixels=max_pixels, at_least=at_least, name=name
    )
    return _pixels(picture), full, covered


def read_picture(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    at_least: int | None = None,
    name: str | None = None,
    convert: Callable[[Image.Image], Image.Image] = to_rgb,
) -> tuple[Image.Image, tuple[int, int], Box]:
    """Read like `read_scaled`, but return a Pillow image, so that Pillow can resize it.

    `convert` turns the decoded image of any mode into RGB.
    """
    name = name or name_of(source)
    with _refusing(name), _opened(source, name) as file:
        image = _open(file, name)
        width, height = image.size
        check_size(image.size, max_pixels, name)
        _check(image, file, name)
        with _quiet():
            check_one_picture(image, file, name)
        claim(width * height)
        if at_least is not None:
            image.draft(None, (at_least, at_least))
        picture = _load(image, file, name)
        orientation = _orientation(image)
    # Outside the block: the file is decoded, so an exception is an error of lentigo.
    rgb = convert(picture)
    if orientation in _UPRIGHT:
        rgb = rgb.transpose(_UPRIGHT[orientation])
    covered = turned_box(
        picture.size, covered_size((width, height), picture.size), orientation
    )
    return rgb, _turned((width, height), orientation), covered


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return `np.array(image)`, in a quarter of the time and with a third of the memory.

    Pillow makes two copies meanwhile; in bands of rows they fit into the processor's cache.
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def read_size(source: Source) -> tuple[int, int]:
    """Return (width, height) of the upright image in a file, without decoding the pixels.

    Only a PNG that may give its orientation after the pixels is decoded.

    Raises `ImageError` as `read_image` does, but not for damage after the header.
    """
    name = name_of(source)
    with _refusing(name), _opened(source, name) as file:
        image = _open(file, name)
        size = image.size
        late = isinstance(image, PngImageFile) and says_more_after_pixels(file)
        if late and size[0] * size[1] <= MAX_PIXELS:
            _check(image, file, name)
            image.load()
        return _turned(size, _orientation(image))


def _open(file: BinaryIO, name: str) -> ImageFile | DicomFile | HeicFile:
    start = file.read(132)
    file.seek(0)
    if not start:
        raise ImageError(f"{name} is empty.")
    if looks_like_dicom(start, name):
        with unmeasured():
            import pydicom.pixels.decoders  # noqa: F401
        with _quiet():
            return DicomFile(file, name)
    for beginnings, kind in _KINDS:
        if start.startswith(beginnings):
            with _quiet():
                return kind(file, "")
    if is_avif(start):
        with _quiet():
            return AvifImageFile(file, "")
    if is_heic(start):
        with unmeasured():
            import pi_heif  # noqa: F401
        return HeicFile(file, name)
    if other := other_kind(start):
        raise ImageError(
            f"{name} is a {other} picture, which is not read. Save it as JPEG or PNG."
        )
    raise ImageError(f"{name} holds no {_KIND_NAMES} image.")


def _check(image: ImageFile | DicomFile | HeicFile, file: BinaryIO, name: str) -> None:
    if isinstance(image, DicomFile):
        check_growth(image.size, file, name, a_byte=DICOM_GROWTH)
    else:
        check_plausible(image, file, name)


def _load(
    image: ImageFile | DicomFile | HeicFile, file: BinaryIO, name: str
) -> Image.Image:
    if isinstance(image, DicomFile):
        with _quiet():  # pydicom remarks on values as it comes to use them
            return image.load()
    if isinstance(image, HeicFile):
        return image.load()
    sort_out(image)
    deep = has_deep_colors(image)
    _load_file(image)
    if isinstance(image, AvifImageFile) and "icc_profile" not in image.info:
        image.info["icc_profile"] = declared_profile(file, name)
    if is_white_at_zero(image):
        return inverted(image)
    if not deep or not is_dim(image):
        return image
    file.seek(0)
    again = _open(file, name)
    assert isinstance(again, ImageFile)
    return brightened(image, again, name, load=_load_file)


def _load_file(image: ImageFile) -> None:
    if isinstance(image, TiffImageFile):
        with _quiet():  # Pillow reads the tags again, and warns again
            image.load()
    else:
        image.load()


def _orientation(image: ImageFile | DicomFile | HeicFile) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if there is none or it cannot be read.

    Also 1 for DICOM, TIFF and HEIC: their decoded images are upright already.
    """
    if isinstance(image, DicomFile):
        return 1  # DICOM stores pictures upright, and disregards what a JPEG says inside
    if isinstance(image, TiffImageFile | HeicFile):
        return 1  # the decoder has turned it already, the size included
    try:
        with _quiet():
            # Not `image.getexif()`: a PNG would be decoded whole for it.
            value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except _BROKEN:
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def _turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return (size[1], size[0]) if orientation >= 5 else size


@contextmanager
def _opened(source: Source, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif isinstance(source, str | os.PathLike) and packed.split(source):
        yield BytesIO(packed.read_bytes(source, name=name))
    elif isinstance(source, str | os.PathLike):
        _check_file(Path(source), name)
        with Path(source).open("rb") as file:
            yield file
    else:
        yield BytesIO(source.read())


def _check_file(path: Path, name: str) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError(f"{name} does not exist.") from None
    if stat.S_ISDIR(mode):
        raise ImageError(f"{name} is a folder, not an image.")
    if not stat.S_ISREG(mode):  # opening a pipe or a device could wait for ever
        raise ImageError(f"{name} is no ordinary file.")


def name_of(source: Source) -> str:
    """Return the name of an image in error messages: its path if it has one."""
    if isinstance(source, str | os.PathLike):
        return " ".join(as_text(Path(source)).split())
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "The image"


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn every exception that a broken file causes into an `ImageError` with its name."""
    try:
        yield
    except OSError as error:
        verb = "read" if error.errno else "decoded"
        raise ImageError(f"{name} cannot be {verb}: {_reason(error)}.") from error
    except _BROKEN as error:
        raise ImageError(f"{name} cannot be decoded: {_reason(error)}.") from error


def surprise(error: Exception) -> str:
    """Describe an unexpected error of a decoder in one line: its type and its message."""
    return f"{type(error).__name__}: {_reason(error)}"


_QUOTED = re.compile(r"""(?<!\w)(['"]).*\1""")


def _reason(error: BaseException) -> str:
    """Return the message of a library, without what it quotes of the file.

    Where a number should stand in a header, a patient's name may.
    """
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    text = named(_QUOTED.sub("'…'", " ".join(text.split())))
    return text.rstrip(".") or type(error).__name__


_WARNINGS = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Pillow's warnings about unusual headers.

    Warning filters belong to the whole process, so only one thread at a time may change
    them; this is used for reading headers, which takes well under a millisecond.
    """
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
