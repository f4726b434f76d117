"""The black frame and the dark corners of a round dermatoscope cut away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import frame_mask
from lentigo.imaging.views.color import Image

_CLEAR = 0.02
"""A border line is clear when at most this share of it is frame."""
_LEAST = 0.5
"""What may be cut to, as a share of each side; a frame that takes more is not believed."""


def crop_frame(image: Image) -> Image:
    """The largest part found without black frame or dark corners: (h, w, 3) RGB, 0–255.

    Smaller than the image, and without a fixed shape: line by line, the side with most
    frame on it is cut until all four are clear. The image comes back unchanged where there
    is no frame, and where a cut would leave less than half of a side (a dark picture, or a
    lesion that reaches the border). As an input of a network it is scaled back to the
    square.
    """
    top, bottom, left, right = _clear_part(frame_mask(image))
    height, width = image.shape[:2]
    if bottom - top < _LEAST or right - left < _LEAST:
        return image
    rows = slice(int(np.ceil(top * height)), max(1, int(bottom * height)))
    columns = slice(int(np.ceil(left * width)), max(1, int(right * width)))
    return image[rows, columns]


def _clear_part(frame: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Top, bottom, left and right of the part without frame, as shares of the sides."""
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
