"""Crop away the black frame and the dark corners of a round dermatoscope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import frame_mask
from lentigo.imaging.views.color import Image

_CLEAR = 0.02
"""A row or column at the edge is clear if at most this share of it is frame."""
_LEAST = 0.5
"""The least remaining share of each side; if the frame takes more, nothing is cropped."""


def crop_frame(image: Image) -> Image:
    """The photograph cropped to a part without black frame or corners: (h, w, 3), 0–255.

    The result is smaller than the image, and without a fixed shape: the outermost row or
    column with most frame is removed, again and again, until all four edges are clear. The
    image is returned unchanged if there is no frame, or if less than half of a side would
    remain (a dark image, or a lesion that reaches the image edge). As an input of a network
    the result is resized to the square.
    """
    top, bottom, left, right = _clear_part(frame_mask(image))
    height, width = image.shape[:2]
    if bottom - top < _LEAST or right - left < _LEAST:
        return image
    rows = slice(int(np.ceil(top * height)), max(1, int(bottom * height)))
    columns = slice(int(np.ceil(left * width)), max(1, int(right * width)))
    return image[rows, columns]


def _clear_part(frame: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return top, bottom, left and right of the clear part, as shares of the sides."""
    height, width = frame.shape
    top, bottom, left, right = 0, height, 0, width
    while bottom > top and right > left:
        part = frame[top:bottom, left:right]
        shares = [side.mean() for side in (part[0], part[-1], part[:, 0], part[:, -1])]
        worst = int(np.argmax(shares))
        if shares[worst] <= _CLEAR:
            break
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    return top / height, bottom / height, left / width, right / width
