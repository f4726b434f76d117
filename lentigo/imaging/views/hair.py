"""Dark hairs found by their shape and painted over with the skin beside them.

After DullRazor (Lee et al. 1997, doi:10.1016/S0010-4825(97)00020-6): a closing along short
lines of several directions lifts what is dark and thin; what is not long is left alone; the
rest is filled from its surroundings. Two things differ from the paper, because a pigment
network, globules and the lesion's border are dark and thin as well. A hair answers across
its course but not along it, and stands out along a long straight piece of it; and the
thresholds follow how much fine structure the neighbourhood has.

Lengths are shares of the shorter side, and brightness is in grey levels. They were chosen
on drawn lesions (other seeds than in the tests) and looked at on real photographs.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.color import Image, gray

_SMALLEST = 24
"""Below this side, in pixels, no hair can be told from anything else."""
_DETECT = (256, 512)
"""Shorter side, in pixels, at which hairs are looked for: smaller images are enlarged."""
_DIRECTIONS = 16
_ACROSS = 0.02
"""Length of the closing; wider hairs are not found."""
_ALONG = 0.08
"""Length of the straight piece along which a hair has to stand out."""
_NEIGHBOURHOOD = 0.08
_STANDS_OUT = 1.5
"""How much stronger than its neighbourhood a hair has to be."""
_STRONG, _WEAK = 9.0, 5.0
"""Grey levels beyond that, along a piece of hair and in a single point of it."""
_SHORTEST = 0.08
_WIDEST = 0.1
"""Area of a hair over its extent; a tangle may be so wide, a blotch is wider."""
_COVERED = 100
"""Of 255: the least cover of a pixel by the mask of another size to be painted over."""
_VISIBLE = 5.0
"""Grey levels; where the filling is not brighter by this, the pixel is kept."""


def dullrazor(image: Image) -> Image:
    """The photograph without its dark hairs: (H, W, 3) RGB, 0–255.

    Hairs from a thread up to 2 % of the shorter side wide and longer than 8 % of it are
    replaced by the skin beside them; pixels that are no hair stay as they are, to the last
    bit. Light hairs, short stubble and wide tangles stay. The lines of a ruler are dark
    and thin, too, and may go. A side of less than 24 pixels, or of a sixteenth of the
    other, is too small to tell: the image comes back unchanged. See the
    head of `lentigo/imaging/views/hair.py` for the method and its source.
    """
    mask = hair_mask(image)
    if not mask.any():
        return image
    filled = cv2.inpaint(image, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    brighter = gray(filled).astype(np.int16) - gray(image) > _VISIBLE  # type: ignore[arg-type]
    return np.where((mask & brighter)[..., None], filled, image)


def hair_mask(image: Image) -> NDArray[np.bool_]:
    """Where `dullrazor` sees hair and its soft edge: (H, W), True on a hair."""
    height, width = image.shape[:2]
    side = min(height, width)
    if side < _SMALLEST or max(height, width) > 16 * side:
        return np.zeros((height, width), dtype=bool)
    scale = min(max(side, _DETECT[0]), _DETECT[1]) / side
    plane = gray(image)
    if scale == 1:
        return _detected(plane) > 0
    size = round(width * scale), round(height * scale)
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    found = _detected(cv2.resize(plane, size, interpolation=way))  # type: ignore[arg-type]
    back = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    cover = cv2.resize(255 * found, (width, height), interpolation=back)
    return np.asarray(cover > _COVERED)


def _detected(plane: Image) -> Image:
    """The hairs of a grey image of workable size: 1 on a hair, else 0."""
    side = min(plane.shape)
    thin = _thin_and_dark(plane)
    anywhere = np.max(thin, axis=0)
    reach = round(_NEIGHBOURHOOD * side) * 2 + 1
    usual = cv2.blur(anywhere.astype(np.float32), (reach, reach))
    strong = _long(thin, side) > _STANDS_OUT * usual + _STRONG
    near = cv2.dilate(strong.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    hairs = _hair_shaped(near & (anywhere > usual + _WEAK), side)
    edge = max(1, round(0.002 * side)) * 2 + 1
    return cv2.dilate(hairs, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge)))  # type: ignore[return-value]


def _thin_and_dark(plane: Image) -> list[Image]:
    """For each direction, by how much a closing along it lifts each pixel."""
    length = max(5, round(_ACROSS * min(plane.shape)))
    return [
        cv2.subtract(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, _line(length, turn)), plane)  # type: ignore[misc]
        for turn in range(_DIRECTIONS)
    ]


def _long(thin: list[Image], side: int) -> Image:
    """The mean along a line of what is lifted across it but not along it; the best line."""
    length = max(5, round(_ALONG * side))
    best = np.zeros_like(thin[0])
    for turn in range(_DIRECTIONS):
        across = thin[(turn + _DIRECTIONS // 2) % _DIRECTIONS]
        mean = _mean_along(_line(length, turn), cv2.subtract(across, thin[turn]))  # type: ignore[arg-type]
        best = np.maximum(best, mean)
    return best


def _mean_along(line: Image, plane: Image) -> Image:
    """The mean of the pixels under a line that is laid with its middle on each pixel.

    They are few, and added up one by one: a tenth of the time of OpenCV's filter, which
    multiplies by the noughts beside the line as well.
    """
    half, (height, width) = len(line) // 2, plane.shape
    wide = cv2.copyMakeBorder(plane, half, half, half, half, cv2.BORDER_REFLECT_101)
    values = wide.astype(np.uint16)
    total = np.zeros(plane.shape, np.uint16)
    rows, columns = np.nonzero(line)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        total += values[row : row + height, column : column + width]
    return cv2.convertScaleAbs(total, alpha=1 / len(rows))  # type: ignore[return-value]


def _hair_shaped(candidates: NDArray[np.bool_], side: int) -> Image:
    """1 on the connected pieces that are long and thin."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(candidates.astype(np.uint8))
    extent = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    slim = stats[:, cv2.CC_STAT_AREA] < _WIDEST * side * extent
    kept = (extent > _SHORTEST * side) & slim
    kept[0] = False  # the background
    return np.asarray(kept[labels], np.uint8)


@lru_cache(maxsize=256)
def _line(length: int, turn: int) -> Image:
    """A line of ones through the middle of a square, at `turn` of all directions."""
    half = length // 2
    angle = np.pi * turn / _DIRECTIONS
    x, y = round(np.cos(angle) * half), round(np.sin(angle) * half)
    square = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.uint8)
    cv2.line(square, (half - x, half - y), (half + x, half + y), 1)
    return square
