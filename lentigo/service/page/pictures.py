"""Pictures for the page: made anew of their pixels; nothing else of a file stays."""

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
"""Pixels of the picture that is shown."""
_VIEW_SIDE = 420
VIEWS = ("gray", "hls", "hsv", "local_mean", "dullrazor", "clahe", "melanin", "haemoglobin")
"""The views that stand side by side."""


@dataclass(frozen=True)
class View:
    """A picture seen in another way."""

    name: str
    address: str
    certainty: float | None = None
    """Of an outline: the Jaccard index expected with a mask drawn by a person."""


def as_address(pixels: NDArray[np.uint8], *, side: int = LONGEST_SIDE) -> str:
    """Return (H, W, 3) RGB or (H, W) grey as a `data:` address of a JPEG file."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def has_views() -> bool:
    """Tell whether OpenCV is installed, which makes the views."""
    return find_spec("cv2") is not None


def views(pixels: NDArray[np.uint8]) -> Iterator[View]:
    """Yield each view of an RGB image, (H, W, 3), and the outline that is found in it.

    Without OpenCV there is none; a view that an image does not allow is left out.
    """
    if not has_views():
        return
    from lentigo.imaging.views import view_image

    small = Image.fromarray(np.ascontiguousarray(pixels))
    small.thumbnail((_VIEW_SIDE, _VIEW_SIDE))
    shown = np.asarray(small)
    for name in VIEWS:
        try:
            view = view_image(shown, name)
        except ImageError:
            continue
        yield View(name, as_address(view, side=_VIEW_SIDE))
    yield from _outlined(shown)


def _outlined(image: NDArray[np.uint8]) -> Iterator[View]:
    from lentigo.imaging.segmentation import find_outline
    from lentigo.imaging.views import outline

    found = find_outline(image)
    if found.mask.any():
        drawn = as_address(outline(image, found.mask), side=_VIEW_SIDE)
        yield View("outline", drawn, certainty=found.certainty)
