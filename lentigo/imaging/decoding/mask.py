"""Read the file of a mask: white inside the lesion, where it is not transparent."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import MAX_PIXELS, Source, name_of, read_picture
from lentigo.imaging.decoding.rgb import to_rgb

_WITH_ALPHA = {"RGBA": "A", "LA": "A", "PA": "A", "RGBa": "a", "La": "a"}
"""Mode of an image that has an alpha plane → name of this plane."""
_MAYBE_CLEAR = ("1", "L", "P", "RGB")
"""Modes in which a single colour may be transparent."""
_OPAQUE = 127
"""Alpha, 0 to 255, above which a pixel counts as opaque."""


def read_mask_with_size(
    source: Source, *, max_pixels: int = MAX_PIXELS, name: str | None = None
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the pixels of a mask file, (height, width, 3) RGB, and its (width, height).

    It is read like any image, but transparent pixels are black, so that a mask that is
    painted on a transparent layer, or is an alpha plane, is taken as it is meant. An alpha
    plane that is the same everywhere is ignored.

    Raises `ImageError` as `read_image` does, and for a mask that is black wherever it is
    opaque.
    """
    convert = partial(_marked, name=name or name_of(source))
    picture, full, _ = read_picture(
        source, max_pixels=max_pixels, name=name, convert=convert
    )
    return np.array(picture), full


def _marked(image: Image.Image, *, name: str) -> Image.Image:
    opaque = _opaque(image)
    rgb = to_rgb(image)
    if opaque is None:
        return rgb
    found = Image.composite(rgb, Image.new("RGB", rgb.size), opaque)
    if found.getbbox() is None:
        raise ImageError(
            f"The mask {name} is black wherever it is not transparent, so what it marks is "
            "not known. Save it without transparency, white inside the lesion."
        )
    return found


def _opaque(image: Image.Image) -> Image.Image | None:
    """Return the opaque part of an image, mode L; None if all is, or nothing."""
    if image.mode in _WITH_ALPHA:
        alpha = image.getchannel(_WITH_ALPHA[image.mode])
    elif image.mode in _MAYBE_CLEAR and "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
    else:
        return None
    plane = alpha.point(lambda value: 255 * (value > _OPAQUE))
    low, high = plane.getextrema()
    return plane if low != high else None
