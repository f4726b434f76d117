"""A saliency map in colours, alone and laid over its image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.shares import has_opencv

Pixels = NDArray[np.uint8]

_HEAT = 0.55
"""Weight of the map's colour in an overlay where the heat is 1."""
_INFERNO = (
    (0, 0, 4), (5, 4, 23), (17, 10, 48), (33, 12, 74), (50, 10, 94), (69, 10, 105),
    (87, 16, 110), (103, 22, 110), (120, 28, 109), (138, 34, 106), (154, 40, 101),
    (171, 47, 94), (188, 55, 84), (202, 64, 74), (216, 76, 62), (228, 90, 49),
    (237, 105, 37), (245, 123, 23), (249, 142, 9), (252, 161, 8), (251, 182, 26),
    (249, 203, 53), (244, 223, 83), (242, 242, 125), (252, 255, 164),
)  # fmt: skip
"""25 even steps of `inferno` (van der Walt & Smith 2015, CC0), dark to light."""


def in_colors(heat: NDArray[np.float32]) -> Pixels:
    """Return a map, (S, S) from 0 to 1, in colours from dark to light: (S, S, 3) RGB."""
    colors = np.array(_INFERNO, np.float64)
    places = np.linspace(0, 1, len(colors))
    planes = [np.interp(heat, places, colors[:, channel]) for channel in range(3)]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)


def overlay(
    square: Pixels, heat: NDArray[np.float32], lesion: NDArray[np.bool_] | None
) -> Pixels:
    """Return the image with the map laid over it and the lesion outlined: (S, S, 3).

    Without OpenCV, or where `lesion` is None, no outline is drawn.
    """
    share = _HEAT * heat[..., None]
    mixed = (1 - share) * square + share * in_colors(heat)
    drawn = np.rint(mixed).astype(np.uint8)
    if lesion is None or not has_opencv():
        return drawn
    from lentigo.imaging.views import outline as draw_outline

    return draw_outline(drawn, lesion, width=0.004)
