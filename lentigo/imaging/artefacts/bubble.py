"""Gel bubbles and wet spots, detected by the specular reflections of the lamp on them."""

from __future__ import annotations

import cv2
import numpy as np

from lentigo.imaging.kind.working import SIDE, Image, working

_WIDEST = 9
"""Pixels, in an image of 256 × 256: a reflection is narrower."""
_STANDS_OUT = 30
"""Levels by which the weakest channel of a reflection exceeds its surroundings."""
_WHITER, _PERCENTILE = 25, 80
"""Levels by which a reflection exceeds this percentile of the image: skin that shows
between dark hairs is brighter than its surroundings, too, but not whiter than other
skin."""
_AREA, _EXTENT = (2, 90), 22
"""Area (lowest, highest) and greatest extent of a reflection in pixels; longer ones are
white hairs, or the paper of a ruler."""


def bubble(image: Image) -> float:
    """Return the share of the image covered by small white reflections, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. Gel bubbles and wet skin reflect the lamp. The thin
    outline of a bubble without a reflection is not detected.
    """
    red, green, blue = cv2.split(working(image))
    white = np.asarray(cv2.min(cv2.min(red, green), blue))
    size = (_WIDEST, _WIDEST)
    above = cv2.morphologyEx(white, cv2.MORPH_TOPHAT, np.ones(size, np.uint8))
    usual = float(np.percentile(white[::4, ::4], _PERCENTILE))
    glint = (above > _STANDS_OUT) & (white > usual + _WHITER)
    _, _, stats, _ = cv2.connectedComponentsWithStats(glint.astype(np.uint8))
    area = stats[1:, cv2.CC_STAT_AREA]  # the first is the background
    extent = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    small = (area >= _AREA[0]) & (area <= _AREA[1]) & (extent <= _EXTENT)
    return float(area[small].sum()) / SIDE**2
