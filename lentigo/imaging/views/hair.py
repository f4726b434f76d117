"""Find dark hairs by their shape and replace them by the skin beside them.

After DullRazor (Lee et al. 1997, doi:10.1016/S0010-4825(97)00020-6): a morphological
closing along short lines of several directions finds dark and thin structures; those that
are not long are kept; the rest is filled from its surroundings. Two things differ from the
paper, because a pigment network, globules and the lesion's border are dark and thin as
well. A closing across a hair changes it, a closing along it does not, and it stands out
along a long straight piece; and the thresholds depend on the amount of fine structure in
the neighbourhood.

Lengths are shares of the shorter side, and brightness is in grey levels. The values were
chosen on drawn lesions (other seeds than in the tests) and checked by eye on real
photographs.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.color import Image, gray

_SMALLEST = 24
"""In a shorter side of fewer pixels no hair is searched."""
_DETECT = (256, 512)
"""Least and greatest shorter side, in pixels, for the search: other images are resized."""
_DIRECTIONS = 16
_ACROSS = 0.02
"""Length of the closing, as a share of the shorter side; wider hairs are not found."""
_ALONG = 0.08
"""Length of the straight piece along which a hair must stand out."""
_NEIGHBOURHOOD = 0.08
_STANDS_OUT = 1.5
"""Least ratio of a hair's contrast to the mean contrast of its neighbourhood."""
_STRONG, _WEAK = 9.0, 5.0
"""Grey levels: a piece of hair exceeds `_STANDS_OUT` times its neighbourhood's mean by
_STRONG, a single point of it exceeds the mean by _WEAK."""
_SHORTEST = 0.08
_WIDEST = 0.1
"""Greatest area over extent; a tangle of hairs may be so wide, a blotch is wider."""
_COVERED = 100
"""Least coverage of a pixel, of 255, by the resized mask for the pixel to be replaced."""
_VISIBLE = 5.0
"""Grey levels; a pixel is kept unless its replacement is brighter by more than this."""


def dullrazor(image: Image) -> Image:
    """The photograph without its dark hairs: (H, W, 3) RGB, 0–255.

    Hairs up to 2 % of the shorter side wide and longer than 8 % of it are replaced by the
    skin beside them; all other pixels keep their exact values. Light hairs, short stubble
    and wide tangles stay. The lines of a ruler are dark and thin, too, and may be removed.
    If the shorter side is below 24 pixels, or below a sixteenth of the longer one, the
    image is returned unchanged. The docstring of `lentigo/imaging/views/hair.py` describes
    the method and its source.
    """
    mask = hair_mask(image)
    if not mask.any():
        return image
    filled = cv2.inpaint(image, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    brighter = gray(filled).astype(np.int16) - gray(image) > _VISIBLE  # type: ignore[arg-type]
    return np.where((mask & brighter)[..., None], filled, image)


def hair_mask(image: Image) -> NDArray[np.bool_]:
    """Return the mask of hairs and their soft edges, (H, W), True on a hair."""
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
    """Return the hairs of a grey image of suitable size: 1 on a hair, else 0."""
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
    """Return for each direction by how much a closing along it brightens each pixel."""
    length = max(5, round(_ACROSS * min(plane.shape)))
    return [
        cv2.subtract(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, _line(length, turn)), plane)  # type: ignore[misc]
        for turn in range(_DIRECTIONS)
    ]


def _long(thin: list[Image], side: int) -> Image:
    """Return how much a hair stands out at each pixel.

    For each direction, the effect of a closing across the line minus that of the closing
    along it is averaged along the line; the result is the highest of these means. `thin`
    has the effect of the closing in each direction, `side` the shorter side of the image.
    """
    length = max(5, round(_ALONG * side))
    best = np.zeros_like(thin[0])
    for turn in range(_DIRECTIONS):
        across = thin[(turn + _DIRECTIONS // 2) % _DIRECTIONS]
        mean = _mean_along(_line(length, turn), cv2.subtract(across, thin[turn]))  # type: ignore[arg-type]
        best = np.maximum(best, mean)
    return best


def _mean_along(line: Image, plane: Image) -> Image:
    """Return the mean of the pixels under a line that is centred on each pixel.

    The few pixels are added one by one: a tenth of the time of OpenCV's filter, which also
    multiplies by the zeros beside the line.
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
    """Return 1 on the connected pieces that are long and thin, else 0.

    Lengths are compared with `side`, the shorter side of the image in pixels.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(candidates.astype(np.uint8))
    extent = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    slim = stats[:, cv2.CC_STAT_AREA] < _WIDEST * side * extent
    kept = (extent > _SHORTEST * side) & slim
    kept[0] = False  # the background
    return np.asarray(kept[labels], np.uint8)


@lru_cache(maxsize=256)
def _line(length: int, turn: int) -> Image:
    """A square kernel with a line of ones through its middle, in direction `turn`."""
    half = length // 2
    angle = np.pi * turn / _DIRECTIONS
    x, y = round(np.cos(angle) * half), round(np.sin(angle) * half)
    square = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.uint8)
    cv2.line(square, (half - x, half - y), (half + x, half + y), 1)
    return square
