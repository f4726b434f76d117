"""A sign that an image was not taken by a dermatoscope: light from one side.

A dermatoscope lights the skin from all around at a hand's breadth or less, so one side of
its picture is about as light as the other. Daylight and a ceiling lamp are not so fair.
"""

from __future__ import annotations

import math

import numpy as np

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, lab, working

_SIDE = 64
_RIM = 0.6
"""Distance from the middle, in half sides, from which on it is skin more than lesion."""
_FEWEST = 50
"""Pixels that must be seen outside a black frame for an answer."""


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
    light = lab(small[seen])[..., 0]
    y, x = np.nonzero(seen)
    plane = np.stack([axis[x], axis[y], np.ones(len(x))], axis=1)
    slope = np.linalg.lstsq(plane, light, rcond=None)[0]
    return float(np.hypot(slope[0], slope[1]))
