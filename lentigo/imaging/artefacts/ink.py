"""Strokes of a surgical pen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.artefacts.sticker import patches
from lentigo.imaging.kind.working import Image, working

_SIDE = 128
_SEEN = 60
"""Lightness, as L* scaled to 0–255, below which a pixel is frame or hair; it is not used to
measure the skin."""
_DARKEST, _DARKER = 50, 70
"""A stroke is lighter than _DARKEST (L* scaled to 0–255), and darker than the skin by less
than _DARKER: blue naevi and blue-white veils are darker."""
_BLUER, _REDDER = 8, 0
"""How much lower b* and how much higher a* of a stroke are than those of the skin: for
violet and blue pens."""
_VIOLET = 1.2
"""b* falls by this factor more than a* rises; in a purple lesion both are equal."""
_LESION = 0.45
"""Distance from the middle, in half sides of the image, within which a stroke may be a part
of the lesion and is ignored. This and `_VIOLET` removed 22 of 37 images of HAM10000,
none of which had ink, and one of 30 labelled with ink."""
_BLUEST = 136
"""Highest b* + 128 of a stroke; a higher (yellower) value is skin."""
_WIDEST = 11
"""Pixels, in an image of 128 × 128: a stroke is narrower."""
_STROKE = 6
"""How much lower b* of a stroke is than on both sides of it."""


def ink(image: Image) -> float:
    """Return the share of the image under strokes of a violet or blue pen, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. A stroke is bluer than the skin and than the pixels on
    both sides of it, narrow, not much darker, and not in the middle of the image. Green
    pens, and strokes that have faded to grey, are not detected.
    """
    stroke = strokes(image)
    if not stroke.any():
        return 0.0
    covered = cv2.dilate(patches(image).astype(np.uint8), np.ones((9, 9), np.uint8))
    axis = (np.arange(_SIDE) + 0.5) / (_SIDE / 2) - 1
    outside = np.hypot(axis[None], axis[:, None]) > _LESION
    return float((stroke & outside & (covered == 0)).mean())


def strokes(image: Image) -> NDArray[np.bool_]:
    """Return a (128, 128) mask of pen strokes and of the edges of bluish patches."""
    lab = cv2.cvtColor(working(image, side=_SIDE), cv2.COLOR_RGB2LAB)
    light, red, yellow = cv2.split(cv2.blur(lab, (3, 3)))
    seen = light > _SEEN
    if not seen.any():
        return np.zeros((_SIDE, _SIDE), dtype=bool)
    usual = [float(np.median(plane[seen])) for plane in (light, red, yellow)]
    width = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDEST, _WIDEST))
    stroke = cv2.morphologyEx(yellow, cv2.MORPH_BLACKHAT, width) > _STROKE
    stroke &= (light > _DARKEST) & (light > usual[0] - _DARKER) & (light < usual[0] + 5)
    stroke &= (yellow < min(usual[2] - _BLUER, _BLUEST)) & (red > usual[1] + _REDDER)
    bluer = usual[2] - yellow.astype(np.float32)
    stroke &= bluer > _VIOLET * (red.astype(np.float32) - usual[1])
    return np.asarray(stroke)
