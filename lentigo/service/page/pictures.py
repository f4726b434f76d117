"""Pictures for the page, encoded anew from pixels, so without metadata of the files."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError

LONGEST_SIDE = 1_200
"""Longer side, in pixels, of the main picture on the page."""
_VIEW_SIDE = 420
VIEWS = ("gray", "hls", "hsv", "local_mean", "dullrazor", "clahe", "melanin", "haemoglobin")
"""The views (image transformations) that are shown side by side."""


@dataclass(frozen=True)
class View:
    """An image under one view (image transformation), or with its lesion outlined."""

    name: str
    """Name of the view, or "outline"."""
    address: str
    """The picture as a `data:` address."""
    certainty: float | None = None
    """For an outline, its expected Jaccard index with a mask drawn by a person."""


def as_address(pixels: NDArray[np.uint8], *, side: int = LONGEST_SIDE) -> str:
    """Return (H, W, 3) RGB or (H, W) grey as a `data:` address of a JPEG file.

    It is made smaller if its longer side has more than `side` pixels.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def has_views() -> bool:
    """Tell whether OpenCV, which the views need, is installed."""
    return find_spec("cv2") is not None


def views(pixels: NDArray[np.uint8]) -> Iterator[View]:
    """Yield each of `VIEWS` of an RGB image, (H, W, 3).

    Yields nothing without OpenCV. A view that cannot be made of the image is left out.
    """
    if not has_views():
        return
    from lentigo.imaging.views import view_image

    shown = _small(pixels)
    for name in VIEWS:
        try:
            view = view_image(shown, name)
        except ImageError:
            continue
        yield View(name, as_address(view, side=_VIEW_SIDE))


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = Image.fromarray(np.ascontiguousarray(pixels))
    small.thumbnail((_VIEW_SIDE, _VIEW_SIDE))
    return np.asarray(small)


def outline_view(pixels: NDArray[np.uint8]) -> Iterator[View]:
    """Yield an RGB image, (H, W, 3), with the outline of its lesion, if one is found.

    Yields nothing without OpenCV.
    """
    if not has_views():
        return
    from lentigo.imaging.segmentation import find_outline
    from lentigo.imaging.views import outline

    image = _small(pixels)
    try:
        found = find_outline(image)
    except ImageError:
        return
    if found.mask.any():
        drawn = as_address(outline(image, found.mask), side=_VIEW_SIDE)
        yield View("outline", drawn, certainty=found.certainty)
