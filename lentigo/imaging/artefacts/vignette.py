"""Detect a vignette: light that falls off smoothly towards the corners."""

from __future__ import annotations

import cv2
import numpy as np

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, working
from lentigo.imaging.views.color import gray

_SIDE = 64
_RINGS = (0.55, 0.75, 0.92, 1.08, 1.25)
"""Limits of the rings whose brightness is compared: distances from the middle, in half
sides of the image; the lesion lies within the first."""
_FEWEST = 12
"""Least number of visible pixels of a ring in one quarter of the image."""


def vignette(image: Image) -> float:
    """Return how much the light falls off towards the corners, 0 (none) to 1 (to black).

    `image` is (S, S, 3) RGB, 0–255. In each quarter of the image, the brightness of the
    outermost visible ring is compared with the brightest ring inside it; black frame is
    left out. The result is the second smallest of the four falls, so that a shadow on one
    side is no vignette.
    """
    small = working(image, side=_SIDE)
    hidden = cv2.dilate(corners(small).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    plane = np.where(hidden, np.nan, gray(small))
    return float(np.sort([_fall(plane, part) for part in _PARTS])[1])


def _fall(plane: np.ndarray[tuple[int, ...], np.dtype[np.float64]], part: object) -> float:
    """Return by what share the outermost ring of a quarter is darker than its brightest."""
    levels = []
    for ring in part:  # type: ignore[attr-defined]
        seen = plane[ring]
        seen = seen[~np.isnan(seen)]
        if len(seen) >= _FEWEST:
            # The brighter half: freckles, hair and the lesion are not the light.
            levels.append(float(np.percentile(seen, 70)))
    if len(levels) < 2:
        return 0.0
    return max(0.0, 1 - levels[-1] / max(max(levels[:-1]), 1.0))


def _parts() -> list[list[object]]:
    axis = (np.arange(_SIDE) + 0.5) / (_SIDE / 2) - 1
    x, y = np.meshgrid(axis, axis)
    distance = np.hypot(x, y)
    inner, outer = _RINGS[:-1], _RINGS[1:]
    return [
        [
            np.nonzero(
                (distance >= near) & (distance < far) & (x * right > 0) & (y * low > 0)
            )
            for near, far in zip(inner, outer, strict=True)
        ]
        for right in (-1, 1)
        for low in (-1, 1)
    ]


_PARTS = _parts()
