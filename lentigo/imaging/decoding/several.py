"""Refuse files of several pictures, or name them: nobody says which is the lesion."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import BinaryIO

from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lentigo.errors import ImageError
from lentigo.progress import log
from lentigo.words import counted

_MOST_PAGES = 100
"""Pages of a TIFF that are looked at, however many it has."""
_KIND, _OLD_KIND = 254, 255
_REDUCED_OR_MASK, _OLD_REDUCED = 0b101, 2
"""Values of the tags NewSubfileType and SubfileType (TIFF 6.0, pages 36 and 40)."""
_MP_ENTRIES, _JPEG_HEADER = 0xB002, 1 << 18
"""The tag of an MPO's list of pictures, and bytes in which a JPEG tells its size."""
_ALIKE = 0.03
"""Relative difference of the proportions of a picture and its preview, at the most."""

_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What Pillow is known to raise for a broken page, which then is no picture."""


def check_one_picture(image: object, file: BinaryIO, name: str) -> None:
    """Raise `ImageError` if a file holds several pictures; `image` is the opened file.

    These are the pages of a TIFF, and the frames of an animated PNG, WebP or AVIF. Smaller
    copies of a page, as scanners and microscopes write them, and masks are no further
    pictures. The position of `file` is kept.

    Of several pictures in a JPEG (MPO, as cameras write it) the main one is read, which the
    format names, and a line says so.
    """
    if isinstance(image, JpegImageFile):
        say_if_several(name, 1 + _beside_in_jpeg(image, file))
        return
    if isinstance(image, TiffImageFile):
        place = file.tell()
        number = _pages(file)
        file.seek(place)
        what = "page"
    elif isinstance(image, PngImageFile | WebPImageFile | AvifImageFile):
        number, what = int(getattr(image, "n_frames", 1)), "frame"
    else:
        return
    if number > 1:
        raise ImageError(
            f"{name} holds {counted(number, what)}, and only one picture a file is read. "
            "Save each as a file of its own."
        )


def say_if_several(name: str, number: int) -> None:
    """Log that only the main one of `number` pictures in a file is read, if more than 1."""
    if number > 1:
        log.warning(
            "%s holds %s; only the main one is read.", name, counted(number, "picture")
        )


def _beside_in_jpeg(image: JpegImageFile, file: BinaryIO) -> int:
    """Return how many pictures of its own a JPEG holds beside the main one (CIPA DC-007).

    Previews and maps for bright screens, which are smaller copies, are none.
    """
    if "mp" not in image.info:
        return 0
    place, found = file.tell(), 0
    try:
        entries = (image._getmp() or {}).get(_MP_ENTRIES, [])[1:_MOST_PAGES]
        for entry in entries:
            file.seek(int(image.info["mpoffset"]) + int(entry["DataOffset"]))
            beside = JpegImageFile(BytesIO(file.read(_JPEG_HEADER)), "")
            found += not _is_copy(beside, image.size)
    except _BROKEN:
        pass  # the table of pictures is broken, not the main one
    finally:
        file.seek(place)
    return found


def _pages(file: BinaryIO) -> int:
    """Return the number of pages of a TIFF that are pictures of their own."""
    file.seek(0)
    pages = TiffImageFile(file, "")
    first, found = pages.size, 1
    for number in range(1, _MOST_PAGES):
        try:
            pages.seek(number)
        except _BROKEN:
            break
        found += not _is_copy(pages, first)
    return found


def _is_copy(page: ImageFile, first: tuple[int, int]) -> bool:
    """Tell whether a page is a mask, or a smaller copy of the `first` (width, height)."""
    tags = getattr(page, "tag_v2", {})
    kind, old = tags.get(_KIND, 0), tags.get(_OLD_KIND, 0)
    if (isinstance(kind, int) and kind & _REDUCED_OR_MASK) or old == _OLD_REDUCED:
        return True
    width, height = page.size
    smaller = width < first[0] and height < first[1]
    stretched = abs(width * first[1] / (height * first[0]) - 1)
    return smaller and stretched < _ALIKE
