"""Detect a coloured disc or patch that was placed beside the lesion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.working import Image, working

_SIDE = 128
_DARKEST = 50
"""Lightness, as L* scaled to 0–255, below which a pixel is frame."""
_UNLIKE_SKIN, _CHROMA = 24.0, 14.0
"""Least distance in a*, b* from the median colour of the image, and from grey. Pale
turquoise patches have a chroma from 15; grey and white ones have less and are not found."""
_SMALLEST = 60
"""Least area in pixels of 128 × 128: 0.4 % of the image."""
_SOLID = 0.8
"""Least ratio of the area to that of the convex hull: patches have 0.86 or more, rings of
ink less."""
_LARGE = 1000
"""Area from which a patch is large, in pixels of 128 × 128: 6 % of the image."""
_EDGE = {"large": 16.0, "through": 20.0, "small": 25.0}
"""Least step in a*, b* across the edge: of patches it is 17–90, of ink 16–25, of skin
around a lesion that reaches from side to side ("through") up to 18."""
_NOISE = {"large": 0.25, "through": 0.25, "small": 0.15}
"""Greatest ratio of colour noise inside to the step at the edge: of patches it is below
0.25, of ten out of fourteen blots of ink above 0.15."""


def sticker(image: Image) -> float:
    """Return the share of the image under coloured patches that touch its edge, 0 to 1.

    `image` is (S, S, 3) RGB, 0–255. A patch has another colour than skin, uniform and
    sharply bounded, and a solid shape. A drape or a glove in one colour counts as well.
    """
    return float(patches(image).mean())


def patches(image: Image) -> NDArray[np.bool_]:
    """Return a (128, 128) mask of the coloured patches."""
    planes = cv2.cvtColor(working(image, side=_SIDE), cv2.COLOR_RGB2LAB)
    soft = cv2.blur(planes, (3, 3)).astype(np.float32)
    mask = _unlike_skin(soft)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    # How much colour changes over five pixels, in a* and b* together.
    noise = cv2.absdiff(planes, cv2.blur(planes, (5, 5)))[..., 1:].sum(axis=2)
    found = np.zeros(mask.shape, dtype=bool)
    reaching, through = _at_border(np.asarray(stats, np.int32))
    for label in np.flatnonzero(reaching):
        region = labels == label
        size = "large" if region.sum() >= _LARGE else "small"
        edge, rough = _edge_and_noise(region.astype(np.uint8), soft, noise)
        kind = "through" if through[label] else size
        if edge > _EDGE[kind] and rough < _NOISE[kind] * edge:
            found |= region
    return found


def _unlike_skin(soft: NDArray[np.float32]) -> Image:
    """Return 1 where the colour is far from the median colour and from grey, else 0."""
    seen = soft[..., 0] > _DARKEST
    if not seen.any():
        return np.zeros(seen.shape, np.uint8)
    usual = np.median(soft[seen][:, 1:], axis=0)
    away = np.hypot(soft[..., 1] - usual[0], soft[..., 2] - usual[1])
    chroma = np.hypot(soft[..., 1] - 128, soft[..., 2] - 128)
    mask = seen & (away > _UNLIKE_SKIN) & (chroma > _CHROMA)
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(7))  # type: ignore[return-value]


def _at_border(stats: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which pieces of at least `_SMALLEST` pixels touch the image edge.

    The second result tells which pieces touch two opposite sides of the image.
    """
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, low = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    sides = np.stack([left <= 1, right >= _SIDE - 1, top <= 1, low >= _SIDE - 1])
    through = (sides[0] & sides[1]) | (sides[2] & sides[3])
    chosen = sides.any(axis=0) & (stats[:, cv2.CC_STAT_AREA] >= _SMALLEST)
    chosen[0] = False  # the background
    return np.asarray(chosen), np.asarray(through)


def _edge_and_noise(
    region: Image, soft: NDArray[np.float32], noise: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the colour step at the edge of a solid piece (else 0) and its inner noise."""
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.fillConvexPoly(np.zeros_like(region), cv2.convexHull(outlines[0]), 1)
    # Filled, for many patches have a middle of another colour.
    filled = cv2.drawContours(np.zeros_like(region), outlines, 0, 1, cv2.FILLED)
    core = cv2.erode(region, _disc(5), borderValue=1)
    wider = cv2.dilate(region, _disc(5))
    inside = (region > 0) & (core == 0)
    outside = (cv2.dilate(wider, _disc(5)) > 0) & (wider == 0)
    if filled.sum() < _SOLID * hull.sum() or not inside.any() or not outside.any():
        return 0.0, np.inf
    step = soft[inside].mean(axis=0) - soft[outside].mean(axis=0)
    rough = float(noise[core > 0].mean()) if core.any() else np.inf
    return float(np.hypot(step[1], step[2])), rough


def _disc(width: int) -> Image:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))  # type: ignore[return-value]
