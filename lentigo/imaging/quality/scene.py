"""Light from one side: a sign that no dermatoscope took an image.

A dermatoscope lights the skin from all directions at a hand's breadth or less, so all sides
of its image are about equally bright. Daylight and a ceiling lamp come from one side.
"""

from __future__ import annotations

import math

import numpy as np

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, lab, working

_SIDE = 64
_RIM = 0.6
"""Distance from the middle, in half sides, beyond which there is mostly skin."""
_FEWEST = 50
"""Least number of visible pixels around the lesion, outside a black frame."""


def uneven_light(image: Image) -> float:
    """Return by how many units of L* an image darkens from its middle to one side.

    `image` is (S, S, 3) RGB, 0–255. It is the slope of the plane fitted to L* around the
    lesion (0 is even), black frame left out; NaN if fewer than 50 such pixels are visible.
    A large lesion at the edge of the image darkens one side, too.
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
