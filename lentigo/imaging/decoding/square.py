"""Resize an image of any size to the square that is stored and given to a network."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.covered import Box
from lentigo.imaging.decoding.image import MAX_PIXELS, Source, name_of, read_picture

Fit = Literal["stretch", "crop", "pad"]

# How near the result is to a full decode, at the least, over four real originals scaled to
# 18 common sizes, for squares of 128, 256 and 512 px: at 1.5 times the side 45.8 dB, at 1.9
# times 50.2 dB. 6000 × 4000 to 256 px leaves 1.95 times (500 rows): at 2 times it would
# be decoded at a quarter of its size, in 1.4 times the time. Hairs that are black and a
# pixel wide, which no lens draws, still fall to 41.5 dB where a square of 1024 px becomes
# one of 128. `python benchmarks/pixel_store.py` measures it anew.
_MARGIN = 1.9

LONGEST = 5
"""How many times as long as wide an image may be. 8,013 dermoscopies of HAM10000 are 1.33
times, and of 35 originals from elsewhere none is more than 1.7 times; a strip that is
stretched to a square may look like skin."""


def to_square(
    image: NDArray[np.uint8],
    *,
    size: int,
    fit: Fit = "stretch",
    covered: Box | None = None,
) -> NDArray[np.uint8]:
    """Resize `image`, (height, width, 3), to a square, (size, size, 3).

    `stretch` keeps the whole image but not its proportions, `crop` keeps the central
    square, `pad` keeps the whole image and its proportions and adds black. Lanczos
    resampling averages over the whole area of a new pixel, so that a smaller image of hairs
    shows no false pattern. `covered` is the box of the array that the image covers; by
    default all of it.
    """
    return _square(Image.fromarray(image), size=size, fit=fit, covered=covered)


def _square(
    picture: Image.Image, *, size: int, fit: Fit, covered: Box | None
) -> NDArray[np.uint8]:
    lanczos = Image.Resampling.LANCZOS
    box = covered or (0.0, 0.0, *picture.size)
    if fit == "crop":
        box = _middle(box)
    if fit != "pad":
        return np.array(picture.resize((size, size), lanczos, box=box))
    width, height = box[2] - box[0], box[3] - box[1]
    scale = size / max(width, height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    square = Image.new("RGB", (size, size))
    place = (size - inner[0]) // 2, (size - inner[1]) // 2
    square.paste(picture.resize(inner, lanczos, box=box), place)
    return np.array(square)


def _middle(box: Box) -> Box:
    width, height = box[2] - box[0], box[3] - box[1]
    side = min(width, height)
    left, top = box[0] + (width - side) / 2, box[1] + (height - side) / 2
    return left, top, left + side, top + side


def read_square(
    source: Source,
    *,
    size: int,
    fit: Fit = "stretch",
    max_pixels: int = MAX_PIXELS,
    name: str | None = None,
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read an image file as the pixel store holds it; return its full (width, height), too.

    The result is `to_square` of the image, decoded at a fraction of its size down to
    `least_side(size)`: images for prediction are prepared like those for training. `name`
    is the image's name in error messages.

    Raises `ImageError` as `read_image` does, and for an image that is more than `LONGEST`
    times as long as wide.
    """
    picture, full, covered = read_picture(
        source, max_pixels=max_pixels, at_least=least_side(size), name=name
    )
    _check_sides(full, name or name_of(source))
    return _square(picture, size=size, fit=fit, covered=covered), full


def _check_sides(size: tuple[int, int], name: str) -> None:
    if max(size) > LONGEST * min(size):
        raise ImageError(
            f"{name} has {size[0]:,} × {size[1]:,} pixels; no dermoscopy is more than "
            f"{LONGEST} times as long as wide. Cut out the lesion."
        )


def least_side(size: int) -> int:
    """Return the least side in pixels at which to decode a JPEG for a square of `size`."""
    return math.ceil(_MARGIN * size)
