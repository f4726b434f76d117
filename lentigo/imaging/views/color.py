"""The photograph in other colour spaces, and with equalised contrast."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def rgb(image: Image) -> Image:
    """The photograph unchanged: (H, W, 3) red, green and blue, 0–255 (sRGB)."""
    return image


def gray(image: Image) -> Image:
    """The brightness of each pixel, without colour: (H, W), 0 black to 255 white.

    The luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, of the stored (sRGB) values.
    """
    return _converted(image, cv2.COLOR_RGB2GRAY)


def hsv(image: Image) -> Image:
    """Hue, saturation and value, (H, W, 3) in this order (Smith 1978).

    Hue is 0–179, half of the usual degrees, so that it fits a byte: red is 0, green 60,
    blue 120. Other libraries scale it to 0–1, 0–255 or 0–360. Saturation and value are
    0–255; grey has hue 0 and saturation 0, and value is the largest of R, G and B.
    doi:10.1145/800248.807361
    """
    return _converted(image, cv2.COLOR_RGB2HSV)


def hls(image: Image) -> Image:
    """Hue, lightness and saturation, (H, W, 3) in this order (Joblove & Greenberg 1978).

    Hue is 0–179, half of the usual degrees (see `hsv`); lightness, the middle between the
    largest and the smallest of R, G and B, and saturation are 0–255. Grey has hue 0 and
    saturation 0. doi:10.1145/800248.807362
    """
    return _converted(image, cv2.COLOR_RGB2HLS)


def lab(image: Image) -> Image:
    """Perceptually uniform colour: CIE 1976 L*a*b* under D65, (H, W, 3).

    L* (0–100, dark to light) is stored as L* · 255/100; a* (green to red) and b* (blue to
    yellow) as their value plus 128, so grey is 128 in both.
    """
    return _converted(image, cv2.COLOR_RGB2LAB)


def clahe(image: Image, *, clip: float = 2.0, tiles: int = 8) -> Image:
    """The contrast equalised locally, so that faint structures stand out.

    Contrast-limited adaptive histogram equalisation (Zuiderveld 1994, Graphics Gems IV) of
    L* alone, so that the colours stay: (H, W, 3) RGB, 0–255. The image is divided into
    `tiles` × `tiles` parts, each with its own histogram, limited to `clip` times its mean.
    """
    planes = lab(image)
    equalise = cv2.createCLAHE(clip, (tiles, tiles))
    planes[..., 0] = equalise.apply(np.ascontiguousarray(planes[..., 0]))
    return _converted(planes, cv2.COLOR_LAB2RGB)


def _converted(image: Image, way: int) -> Image:
    return cv2.cvtColor(image, way)  # type: ignore[return-value]
