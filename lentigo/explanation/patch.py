"""A lesion cut out, centred and scaled to one size, so that lesions can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.bare import bare

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

SIDE = 257
"""Side of the patch in pixels; odd, so that its centre is a pixel."""
_REACH = 96
"""Distance in pixels from the centre of the patch to the farthest point of the lesion."""
_FRINGE = 0.08
"""Width of the zone at the border, in radii of the lesion, in which colours of lesion and
skin are mixed."""
_RING = (0.1, 0.6)
"""Distances from the border, in radii of the lesion, between which the skin is measured."""


@dataclass(frozen=True)
class Patch:
    """A lesion and the skin around it; S is `SIDE`."""

    lab: FloatArray
    """(S, S, 3) colours in L*a*b*."""
    mask: BoolArray
    """(S, S), True inside the lesion."""
    seen: BoolArray
    """(S, S), False outside of the image, on hair and on a black frame."""
    axis: float
    """Direction of the lesion's long axis, in degrees from the x axis towards the y
    axis."""
    elongation: float
    """Length divided by width, from the second moments; 1 for a disc."""
    skin: FloatArray
    """Median L*a*b* of the visible skin around the lesion, (3,); NaN where too little is
    visible."""

    @property
    def core(self) -> BoolArray:
        """(S, S), True inside the lesion except near its border, where colours mix."""
        plane = np.pad(self.mask.astype(np.uint8), 1)
        depth = np.asarray(cv2.distanceTransform(plane, cv2.DIST_L2, 5))[1:-1, 1:-1]
        return np.asarray(depth > _FRINGE * self.radius)

    @property
    def radius(self) -> float:
        """The radius of a disc with the area of the lesion, in pixels of the patch."""
        return float(np.sqrt(self.mask.sum() / np.pi))

    def turned(self, degrees: float) -> Patch:
        """Return the patch rotated so that the direction `degrees` becomes its x axis.

        `degrees` are counted from the x axis towards the y axis, as `axis` is; `axis`
        itself keeps its value from before the rotation. Pixels from outside the patch are
        0 in `lab` and False in `mask` and `seen`.
        """
        middle = (SIDE - 1) / 2
        turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
        matrix = np.asarray(turn, np.float64)
        return replace(
            self,
            lab=_warped(self.lab, matrix, cv2.INTER_LINEAR),
            mask=_warped(self.mask.astype(np.float32), matrix, cv2.INTER_LINEAR) > 0.5,
            seen=_warped(self.seen.astype(np.float32), matrix, cv2.INTER_LINEAR) > 0.99,
        )


def lesion_patch(image: NDArray[np.uint8], mask: BoolArray) -> Patch:
    """Cut out the lesion of `image`, (H, W, 3) RGB, that is True in `mask`, (H, W)."""
    y, x = np.nonzero(mask)
    middle = float(x.mean()), float(y.mean())
    far = float(np.hypot(x - middle[0], y - middle[1]).max()) + 1
    scale = _REACH / far
    matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float64)
    matrix[:, 2] = (SIDE - 1) / 2 - scale * np.array(middle)
    lab = cv2.cvtColor(_shown(image, scale, matrix) / 255, cv2.COLOR_RGB2LAB)
    lesion = _shown(mask.astype(np.uint8) * 255, scale, matrix) > 127
    seen = _shown(bare(image).astype(np.uint8) * 255, scale, matrix) > 200
    off = [np.asarray(x - middle[0], np.float64), np.asarray(y - middle[1], np.float64)]
    axis, elongation = _axis(*off)
    skin = _skin(np.asarray(lab, np.float32), lesion, seen)
    return Patch(np.asarray(lab, np.float32), lesion, seen, axis, elongation, skin)


def _shown(
    plane: NDArray[np.uint8], scale: float, matrix: NDArray[np.float64]
) -> FloatArray:
    """Return an image plane in the coordinates of the patch; 0 outside of the image.

    `matrix` is the affine map for OpenCV, `scale` its magnification: below 1 the plane is
    blurred first.
    """
    if scale < 1:  # a warp alone would skip pixels
        blurred = cv2.GaussianBlur(plane, (0, 0), max(0.5 / scale - 0.5, 0.1))
        plane = np.asarray(blurred, np.uint8)
    return _warped(plane.astype(np.float32), matrix, cv2.INTER_LINEAR)


def _warped(plane: FloatArray, matrix: NDArray[np.float64], way: int) -> FloatArray:
    return np.asarray(cv2.warpAffine(plane, matrix, (SIDE, SIDE), flags=way), np.float32)


def _axis(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return the direction of the long axis in degrees, and length divided by width."""
    values, vectors = np.linalg.eigh(np.cov(np.stack([x, y])) + np.eye(2) / 12)
    long = vectors[:, 1]
    turn = float(np.degrees(np.arctan2(long[1], long[0])))
    return turn, float(np.sqrt(values[1] / values[0]))


def _skin(lab: FloatArray, lesion: BoolArray, seen: BoolArray) -> FloatArray:
    away = cv2.distanceTransform((~lesion).astype(np.uint8), cv2.DIST_L2, 5)
    radius = float(np.sqrt(lesion.sum() / np.pi))
    ring = seen & ~lesion & (away > _RING[0] * radius) & (away < _RING[1] * radius)
    if ring.sum() < 50:
        return np.full(3, np.nan, np.float32)
    return np.asarray(np.median(lab[ring], axis=0), np.float32)
