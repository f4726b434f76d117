"""The black frame and the dark corners of a round dermatoscope cut away."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.color import Image, gray

_SEARCHED = 256
"""Longer side, in pixels, at which the frame is looked for."""
_BLACK, _SHADE = 40.0, 0.4
"""Frame is darker than this level and than this share of the middle's brightness."""
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


def frame_mask(image: Image) -> NDArray[np.bool_]:
    """Where a small copy of the image is dark and joined to its border."""
    plane = gray(image)
    scale = _SEARCHED / max(plane.shape)
    if scale < 1:
        size = max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale))
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    height, width = plane.shape
    middle = plane[height // 4 : height - height // 4, width // 4 : width - width // 4]
    usual = float(np.percentile(middle, 75))
    # A smooth copy, so that neither grain nor a hair in the dark breaks the frame.
    dark = cv2.GaussianBlur(plane, (0, 0), 1) < min(_BLACK, _SHADE * usual)
    _, labels = cv2.connectedComponents(dark.astype(np.uint8))
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    frame = np.isin(labels, np.setdiff1d(border, [0])).astype(np.uint8)
    # The smooth copy pulled the edge of the frame outwards by about a pixel.
    return np.asarray(cv2.dilate(frame, np.ones((3, 3), np.uint8)) > 0)


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
