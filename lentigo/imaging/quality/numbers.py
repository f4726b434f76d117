"""Sharpness, brightness and contrast of an image."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import corners
from lentigo.imaging.kind.working import Image, working
from lentigo.imaging.views.color import gray

_SIDE = 128
_FINE, _COARSE = 1.0, 4.0
"""Standard deviations of two Gaussians, in pixels of 256 × 256: structure finer than the
first is compared with structure between the two."""
_ROUNDING = 0.07
"""Variance of the finest structure that is caused by rounding to whole grey levels."""
_DARK, _BRIGHT = 12, 250
"""Grey levels at and beyond which a pixel counts as clipped."""
_FRAME_EDGE = 7


def sharpness(image: Image) -> float:
    """Return the ratio of fine to coarser structure: a lower value is more blurred.

    `image` is (S, S, 3) RGB, 0–255. The numerator is the standard deviation of the detail
    that a Gaussian of 1 pixel (of 256) removes, the denominator that of the detail between
    Gaussians of 1 and 4 pixels. In the ratio brightness and contrast cancel; image noise
    and hair count as fine structure. NaN if an image has no structure at all.
    """
    square = working(image)
    plane = gray(square).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(plane, (0, 0), sigma) for sigma in (_FINE, _COARSE))
    size = (_FRAME_EDGE, _FRAME_EDGE)
    edge = cv2.resize(corners(working(square, side=_SIDE)).astype(np.uint8), (256, 256))
    seen = cv2.dilate(edge, np.ones(size, np.uint8)) == 0
    structure = float((fine - coarse)[seen].std()) if seen.any() else 0.0
    if structure < 1e-3:
        return float("nan")
    detail = float((plane - fine)[seen].var()) - _ROUNDING
    return math.sqrt(max(detail, 0.0)) / structure


def exposure(image: Image) -> dict[str, float]:
    """Return brightness, contrast, colourfulness and clipped shares, without a black frame.

    `image` is (S, S, 3) RGB, 0–255. `brightness` is the mean and `contrast` the standard
    deviation of grey, 0–1; `too_dark` and `too_bright` are the shares of pixels with a grey
    level of at most 12 and at least 250; `colourfulness` is that of Hasler & Süsstrunk 2003
    (doi:10.1117/12.477378), 0 for grey, about 30 for skin.
    """
    small = working(image, side=_SIDE)
    # Never empty: a frame is darker than the middle of the picture.
    pixels = small[~corners(small)].astype(np.float64)
    level = pixels @ [0.299, 0.587, 0.114]
    return {
        "brightness": float(level.mean()) / 255,
        "contrast": float(level.std()) / 255,
        "too_dark": float((level <= _DARK).mean()),
        "too_bright": float((level >= _BRIGHT).mean()),
        "colourfulness": _colourfulness(pixels),
    }


def _colourfulness(pixels: NDArray[np.float64]) -> float:
    red, green, blue = pixels.T
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.hypot(*opponents.std(axis=1))
    return float(spread + 0.3 * np.hypot(*opponents.mean(axis=1)))
