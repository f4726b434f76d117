"""The black of a round dermatoscope, or of a slide mount, around the picture."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.artefacts.working import Image, working
from lentigo.imaging.views.frame import frame_mask

_SIDE = 128
_THINNEST = 3
"""Pixels of 128; a thinner dark line from the border is a hair."""
_CORNER = 3
"""Pixels from a corner within which a frame has to begin; a lesion seldom reaches it."""


def frame(image: Image) -> float:
    """The share of the picture that is black frame or black corners, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. Counted is what is dark, joined to the border, thicker
    than a hair, and reaches a corner.
    """
    return float(corners(working(image, side=_SIDE)).mean())


def corners(small: Image) -> NDArray[np.bool_]:
    """Where a small copy of the image, (S, S, 3), is frame, as `frame` counts it."""
    return _corners_of(small.tobytes(), len(small))


@lru_cache(maxsize=16)
def _corners_of(pixels: bytes, side: int) -> NDArray[np.bool_]:
    # Most detectors and all numbers of quality ask for it, and it takes 0.3 ms.
    dark = frame_mask(np.frombuffer(pixels, np.uint8).reshape(side, side, 3))
    # Beyond the picture the frame goes on, so a thin border strip is not worn away.
    size = (_THINNEST, _THINNEST)
    thick = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones(size, np.uint8))
    _, labels = cv2.connectedComponents(thick)
    near = np.concatenate(
        [
            labels[rows, columns].ravel()
            for rows in (slice(0, _CORNER), slice(-_CORNER, None))
            for columns in (slice(0, _CORNER), slice(-_CORNER, None))
        ]
    )
    found = np.isin(labels, np.setdiff1d(near, [0]))
    found.setflags(write=False)
    return found
