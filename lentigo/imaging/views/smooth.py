"""A Gaussian blur of any width, computed from the few cosine waves that it lets pass.

Beyond its edge an image is continued as its mirror image. It is then a sum of cosines, each
of which a symmetric blur multiplies by one factor. For a wide Gaussian almost all factors
are zero, so a dozen cosines along each side give the exact blur: at 224 pixels and a
standard deviation of 29 in a fortieth of the time of a sum over all neighbours.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_NARROW = 3.0
"""Pixels; for a smaller sigma the few neighbours are summed directly."""
_NIL = 1e-5
"""A wave with a smaller factor changes no grey level by a hundredth."""


def smooth(image: NDArray[np.uint8], sigma: float) -> Floats:
    """Blur (H, W, C) or (H, W) by a Gaussian of `sigma` pixels; floats, not rounded.

    The result is within 0.1 grey levels of the sum over all neighbours in double precision.
    """
    values = image.astype(np.float32)
    if sigma < _NARROW:
        side = 2 * int(4 * sigma + 1) + 1
        return cv2.GaussianBlur(values, (side, side), sigma)  # type: ignore[return-value]
    height, width = image.shape[:2]
    into_rows, out_of_rows = _waves(height, sigma)
    into_columns, out_of_columns = _waves(width, sigma)
    rows = _product(into_rows, values.reshape(height, -1))
    through = _product(out_of_columns, into_columns)
    both = np.matmul(through, rows.reshape(len(rows), width, -1))
    return _product(out_of_rows, both.reshape(len(rows), -1)).reshape(image.shape)


def _product(a: Floats, b: Floats) -> Floats:
    # Not NumPy's, whose threads wait for each other: 50 ms in place of 0.5 on busy cores.
    return cv2.gemm(a, b, 1, None, 0)  # type: ignore[call-overload,no-any-return]


@lru_cache(maxsize=32)
def _waves(length: int, sigma: float) -> tuple[Floats, Floats]:
    """Return the matrices from a line of pixels to its waves, (waves, length), and back.

    The waves are cosines that a Gaussian blur of `sigma` pixels lets through, in the
    strength in which it does so.
    """
    if length == 1:
        one = np.ones((1, 1), np.float32)
        return one, one
    most = min(length, int(6 * (length - 1) / (np.pi * sigma)) + 2)
    angles = np.pi * np.arange(most) / (length - 1)
    places = np.arange(int(8 * sigma) + 2)
    kernel = np.exp(-0.5 * (places / sigma) ** 2) * np.where(places > 0, 2, 1)
    passes = np.cos(np.outer(angles, places)) @ (kernel / kernel.sum())
    kept = np.abs(passes) > _NIL
    waves = np.cos(np.outer(angles[kept], np.arange(length)))
    ends = np.ones(length)
    ends[[0, -1]] = 0.5
    share = passes[kept] * 2 / (length - 1)
    share[np.isin(angles[kept], (0, np.pi))] /= 2
    return (share[:, None] * waves * ends).astype(np.float32), waves.T.astype(np.float32)
