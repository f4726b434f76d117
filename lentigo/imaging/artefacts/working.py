"""The size at which artefacts are looked for, whatever the size of the stored square."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

SIDE = 256
"""Pixels; lengths in the detectors are in pixels of this square."""


def working(image: Image, *, side: int = SIDE) -> Image:
    """`image`, (H, W, 3) RGB, as a square of `side` pixels that OpenCV can work on."""
    height, width = image.shape[:2]
    if (height, width) == (side, side):
        return np.ascontiguousarray(image)
    way = cv2.INTER_AREA if min(height, width) >= side else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=way)  # type: ignore[return-value]
