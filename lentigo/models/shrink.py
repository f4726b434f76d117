"""Shrink an image by the mean over areas, with NumPy alone, as OpenCV does it.

An install for predictions has no OpenCV, and a network that was trained with it has to see
the same pixels there.
"""

from __future__ import annotations

from functools import cache
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]


class _Taps(NamedTuple):
    """For each place of a smaller line, the T places that it is the mean of, (size, T)."""

    places: NDArray[np.intp]
    weights: NDArray[np.float32]
    """Shares of the places, which sum to 1; 0 where a place has fewer than T."""


def shrunk(image: Images, size: int) -> Images:
    """Return the square image (S, S, 3) of `uint8` as (size, size, 3), `size` below S.

    Each pixel is the mean over the area that it covers, as `cv2.INTER_AREA` takes it.
    """
    side = image.shape[0]
    if side == 2 * size:  # here OpenCV adds whole numbers, and rounds a half up
        quarters = image.reshape(size, 2, size, 2, 3).astype(np.uint16)
        return np.asarray((quarters.sum(axis=(1, 3)) + 2) >> 2, np.uint8)
    taps = _taps(side, size)
    rows = _means(image.astype(np.float32).swapaxes(0, 1), taps).swapaxes(0, 1)
    return np.asarray(np.rint(_means(rows, taps)).clip(0, 255), np.uint8)


def _means(lines: NDArray[np.float32], taps: _Taps) -> NDArray[np.float32]:
    """Return weighted means of S lines, (S, …) to (size, …)."""
    found = np.zeros((len(taps.places), *lines.shape[1:]), np.float32)
    for places, weights in zip(taps.places.T, taps.weights.T, strict=True):
        found += lines[places] * weights[:, None, None]
    return found


@cache
def _taps(side: int, size: int) -> _Taps:
    scale = side / size
    lists = []
    for place in range(size):
        begin = place * scale
        end = begin + scale
        width = min(scale, side - begin)
        first = min(ceil(begin), last := min(floor(end), side - 1))
        taps = [(each, 1 / width) for each in range(first, last)]
        # A sliver of a thousandth of a pixel does not count.
        if first - begin > _SLIVER:
            taps.insert(0, (first - 1, (first - begin) / width))
        if end - last > _SLIVER:
            taps.append((last, min(end - last, 1.0, width) / width))
        lists.append(taps)
    most = max(map(len, lists))
    whole = [[*taps, *[(0, 0.0)] * (most - len(taps))] for taps in lists]
    places, weights = np.moveaxis(np.array(whole, np.float64), 2, 0)
    return _Taps(places.astype(np.intp), weights.astype(np.float32))


_SLIVER = 1e-3
