"""HEIC files, as phones write them: opened, decoded upright, with their colour profile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.color_codes import profile_of
from lentigo.imaging.decoding.several import say_if_several

if TYPE_CHECKING:
    from pi_heif import HeifImage

SUFFIXES = (".heic", ".heif", ".hif")
"""File extensions of HEIC files."""

_OPTIONS = {
    # A thread takes memory of its own, for which a decoding process has no room.
    "DECODE_THREADS": 1,
    "THUMBNAILS": False,
    "DEPTH_IMAGES": False,
    "AUX_IMAGES": False,
}


class HeicFile:
    """An opened HEIC file: its size is known, its pixels are not decoded yet.

    Only the primary image of several is read, and a line says so. It is used like a Pillow
    image file. The decoder applies the rotations and mirrorings that the file asks for; the
    EXIF orientation, which is only informative in the standard (ISO 23008-12), is ignored.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name, (self._image, self._number) = name, _primary(file)
        self.size, self.mode = self._image.size, self._image.mode
        """Upright width and height in pixels, and the mode that the pixels will have."""
        self.info: dict[str, Any] = {}
        if min(self.size) < 1:
            raise ImageError(f"{name} claims {self.size[0]} × {self.size[1]} pixels.")

    def draft(self, mode: str | None, size: tuple[int, int]) -> None:
        """Do nothing: HEIC cannot be decoded at a fraction of its size."""

    def exif(self) -> bytes:
        """The EXIF block of the primary image, from its TIFF header on; empty if none."""
        return bytes(self._image.info.get("exif") or b"").removeprefix(b"Exif\0\0")

    def load(self) -> Image.Image:
        """Decode the primary image as 8-bit grey or RGB, with its colour profile.

        Raises `ImageError` if its size is not the one that the file claims, or if its
        colours are meant for an HDR screen.
        """
        profile = color_profile(self._image, self._name)
        say_if_several(self._name, self._number)
        self._image.load()
        if self._image.size != self.size:
            raise ImageError(
                f"{self._name} claims {self.size[0]:,} × {self.size[1]:,} pixels, but "
                f"holds {self._image.size[0]:,} × {self._image.size[1]:,}. It is broken; "
                "get it anew from where it came from."
            )
        mode, stride = self._image.mode, self._image.stride
        data = bytes(self._image.data)
        picture = Image.frombytes(mode, self.size, data, "raw", mode, stride)
        if profile:
            picture.info["icc_profile"] = profile
        return picture


def declared_profile(file: BinaryIO, name: str) -> bytes | None:
    """Return the colour profile that an AVIF file declares by codes; None for sRGB.

    Pillow decodes AVIF, but does not report these codes. None also if the file cannot be
    read. Raises `ImageError` for colours of an HDR screen.
    """
    place = file.tell()
    try:
        image = _primary(file)[0]
    except (EOFError, LookupError, OSError, RuntimeError, SyntaxError, ValueError):
        return None  # the decoder will report a broken file
    finally:
        file.seek(place)
    return color_profile(image, name)


def color_profile(image: HeifImage, name: str) -> bytes | None:
    """Return the ICC profile embedded in an opened image, else one made from its codes.

    None for sRGB or unknown colours.
    """
    if embedded := image.info.get("icc_profile"):
        return bytes(embedded)
    return profile_of(image.info.get("nclx_profile") or {}, name)


def _primary(file: BinaryIO) -> tuple[HeifImage, int]:
    """Return the main picture, and how many the file has."""
    from pi_heif import open_heif

    file.seek(0)
    with _options():
        images = open_heif(file, convert_hdr_to_8bit=True)
    return images[images.primary_index], len(images)


_CHANGING = threading.Lock()


@contextmanager
def _options() -> Iterator[None]:
    """Set the decoder's options within a `with` block; they belong to the whole process."""
    from pi_heif import options

    with _CHANGING:
        before = {option: getattr(options, option) for option in _OPTIONS}
        try:
            for option, value in _OPTIONS.items():
                setattr(options, option, value)
            yield
        finally:
            for option, value in before.items():
                setattr(options, option, value)
