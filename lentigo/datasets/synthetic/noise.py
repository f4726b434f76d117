"""Smooth random fields, from which skin and pigment are drawn."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
PointArray = npt.NDArray[np.float64]


def as_float(array: Any) -> FloatArray:
    """Return a result of OpenCV as a float32 array."""
    return np.asarray(array, dtype=np.float32)


def layered(
    rng: np.random.Generator,
    size: int,
    cells: float,
    *,
    octaves: int = 3,
    gain: float = 0.5,
) -> FloatArray:
    """Return a (size, size) random field with about `cells` bumps along a side.

    Its variance is about 1. Each octave adds bumps half as wide and `gain` times as high.
    The octaves are added on small grids and only the last is scaled to `size`, which costs
    a quarter of scaling them all.
    """
    count = int(cells) + 3
    field = rng.standard_normal((count, count), dtype=np.float32)
    height = 1.0
    for _ in range(1, octaves):
        if 2 * count > size:
            break
        count, height = 2 * count, gain * height
        field = as_float(cv2.resize(field, (count, count), interpolation=cv2.INTER_CUBIC))
        field += np.float32(height) * rng.standard_normal((count, count), dtype=np.float32)
    field /= np.float32(max(float(field.std()), 1e-6))
    return as_float(cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC))


def step(value: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 where `value` is below `low`, 1 above `high`, and a smooth rise between."""
    position = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    smoothed: FloatArray = position * position * (np.float32(3) - np.float32(2) * position)
    return smoothed


def blurred(field: FloatArray, sigma: float) -> FloatArray:
    """Return `field`, (H, W), blurred by a Gaussian of standard deviation `sigma` pixels.

    It is returned unchanged where `sigma` is below 0.2.
    """
    if sigma < 0.2:
        return field
    return as_float(cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def mix(picture: FloatArray, share: FloatArray, colour: Any) -> None:
    """Blend `colour`, three numbers from 0 to 1, into a (3, size, size) image, in place.

    `share`, (size, size) in 0–1, is the weight of `colour` in each pixel.
    """
    for plane, value in zip(picture, colour, strict=True):
        plane += share * (np.float32(value) - plane)
