"""Signs that an image was not taken by a dermatoscope: light from one side, and print.

A dermatoscope lights the skin from all around at a hand's breadth or less, so one side of
its picture is about as light as the other. Daylight and a ceiling lamp are not so fair.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lentigo.imaging.artefacts.frame import corners
from lentigo.imaging.artefacts.working import Image, working
from lentigo.imaging.views.color import gray

_SIDE = 64
_RIM = 0.6
"""Distance from the middle, in half sides, from which on it is skin more than lesion."""
_FEWEST = 50
"""Pixels that must be seen outside a black frame for an answer."""
_TONE = 4
"""Grey levels above and below the commonest one that look like the same paper."""
_STEP = 8.0
"""Units of L* between neighbours; skin is smoother."""


def uneven_light(image: Image) -> float:
    """By how many units of L* a picture gets darker from its middle to one side, 0 to 100.

    `image` is (S, S, 3) RGB, 0–255. The slope of the plane that fits the lightness around
    the lesion best, black frame left out; NaN where hardly anything is seen. A large lesion
    at the border darkens one side as well.
    """
    small = working(image, side=_SIDE)
    axis = (np.arange(_SIDE) + 0.5) / (_SIDE / 2) - 1
    seen = ~corners(small) & (np.hypot(axis[None], axis[:, None]) > _RIM)
    if seen.sum() < _FEWEST:
        return math.nan
    light = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 0][seen] / 2.55
    y, x = np.nonzero(seen)
    plane = np.stack([axis[x], axis[y], np.ones(len(x))], axis=1)
    slope = np.linalg.lstsq(plane, light, rcond=None)[0]
    return float(np.hypot(slope[0], slope[1]))


def page(image: Image) -> float:
    """Return how much a picture looks like print: paper of one tone, and sharp edges on it.

    `image` is (S, S, 3) RGB, 0–255. The share of the commonest grey level (and those next
    to it) times the share of neighbours in a small copy that differ by a step in lightness:
    0 to 1, about 0.2 for a page of text. Skin has either one tone or many edges.
    """
    counts = np.bincount(gray(working(image)).ravel(), minlength=256)
    paper = np.convolve(counts, np.ones(2 * _TONE + 1), "same").max() / counts.sum()
    small = cv2.cvtColor(working(image, side=_SIDE), cv2.COLOR_RGB2LAB)[..., 0] / 2.55
    steps = [float((np.abs(np.diff(small, axis=axis)) > _STEP).mean()) for axis in (0, 1)]
    return float(paper) * sum(steps) / 2
