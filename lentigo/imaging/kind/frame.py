"""Find the black frame of a round dermatoscope, or of a slide mount, in an image."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lentigo.imaging.kind.working import Image, luma, resized

BoolArray = NDArray[np.bool_]

_SEARCHED = 256
"""Longer side, in pixels, of the copy in which the frame is searched."""
_BLACK, _SHADE = 40.0, 0.4
"""Frame is darker than this level and than this share of the middle's brightness."""
_AROUND = np.ones((3, 3), bool)
"""The eight neighbours of a pixel. As the kernel of an erosion it removes lines thinner
than 3 pixels of 128: these are hairs, not a frame."""
_CORNER = 3
"""Pixels from a corner of the image within which a frame must have a part; a lesion seldom
reaches there."""
_ENDS = (slice(0, _CORNER), slice(-_CORNER, None))


def frame_mask(image: Image) -> BoolArray:
    """Return a mask of the dark areas of `image`, (H, W, 3), that touch its edge.

    The mask, (h, w), is reduced to a longer side of 256 pixels if the image is larger.
    """
    plane = luma(image)
    scale = _SEARCHED / max(plane.shape)
    if scale < 1:
        size = max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale))
        plane = resized(plane, size)
    height, width = plane.shape
    middle = plane[height // 4 : height - height // 4, width // 4 : width - width // 4]
    usual = float(np.percentile(middle, 75))
    # A smooth copy, so that neither grain nor a hair in the dark breaks the frame.
    smooth = ndimage.gaussian_filter(plane.astype(np.float32), 1, mode="mirror", truncate=3)
    dark = np.rint(smooth) < min(_BLACK, _SHADE * usual)
    found = _joined_to(dark, (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]))
    # The smooth copy pulled the edge of the frame outwards by about a pixel.
    return ndimage.binary_dilation(found, _AROUND) if found.any() else found


def corners(small: Image) -> BoolArray:
    """Return the mask of the frame in a small copy of the image, (S, S, 3).

    Frame is dark, connected to the edge of the image, thicker than a hair, and reaches a
    corner. The mask is (S, S), or 256 × 256 if S is larger.
    """
    return _corners_of(small.tobytes(), len(small))


@lru_cache(maxsize=16)
def _corners_of(pixels: bytes, side: int) -> BoolArray:
    # Most detectors and all numbers of quality ask for it.
    found = frame_mask(np.frombuffer(pixels, np.uint8).reshape(side, side, 3))
    if found.any():
        # Beyond the picture the frame goes on, so a thin border strip is not worn away.
        thick = ndimage.binary_erosion(found, _AROUND, border_value=1)
        thick = ndimage.binary_dilation(thick, _AROUND)
        places = [np.s_[rows, columns] for rows in _ENDS for columns in _ENDS]
        found = _joined_to(thick, places)
    found.setflags(write=False)
    return found


def _joined_to(dark: BoolArray, places: Collection[Any]) -> BoolArray:
    """Keep the areas of a mask, (H, W), that reach into one of `places`.

    These are index expressions of parts of the mask, such as its edges or corners.
    """
    if not any(dark[place].any() for place in places):
        return np.zeros_like(dark)
    labels, count = ndimage.label(dark, structure=_AROUND)
    kept = np.zeros(count + 1, bool)
    for place in places:
        kept[labels[place]] = True
    kept[0] = False
    return np.asarray(kept[labels])
