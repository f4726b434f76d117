"""A small copy of an image, its brightness and its L*a*b* colours: input of the detectors.

Pillow and NumPy are used, not OpenCV, which `lentigo predict` does not need. The results
are those of `cv2.resize` with `INTER_AREA` and of `cv2.cvtColor`, to within one level of
255.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

SIDE = 256
"""Side of the small copy in pixels; lengths in the detectors are in its pixels."""

_LUMA = np.array([9798, 19235, 3735], np.float32)
"""0.299, 0.587 and 0.114 of ITU-R BT.601 in parts of 2^15, rounded as in OpenCV."""
_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
"""Matrix from linear sRGB to CIE XYZ under D65."""
_WHITE = _TO_XYZ.sum(axis=1)
_DARK = 216 / 24389
"""Share of the white below which a straight line replaces the cube root (CIE 1976)."""


def working(image: Image, *, side: int = SIDE) -> Image:
    """Return `image`, (H, W, 3) RGB, resized to a square of `side` × `side` pixels."""
    if image.shape[:2] == (side, side):
        return np.ascontiguousarray(image)
    return resized(image, (side, side))


def resized(image: Image, size: tuple[int, int]) -> Image:
    """Return `image`, (H, W) or (H, W, 3), resized to `size` (width, height).

    Each new pixel is the mean of the area that it covers; if the image grows, pixels are
    interpolated (bicubic).
    """
    shrinks = min(image.shape[0] / size[1], image.shape[1] / size[0]) >= 1
    way = Pillow.Resampling.BOX if shrinks else Pillow.Resampling.BICUBIC
    return np.asarray(Pillow.fromarray(np.ascontiguousarray(image)).resize(size, way))


def luma(image: Image) -> Image:
    """Return the brightness of (H, W, 3) RGB pixels: (H, W), 0–255 (ITU-R BT.601)."""
    # Whole numbers below 2^24, which 32-bit floats hold exactly: ten times as fast.
    sums = image.astype(np.float32) @ _LUMA
    sums += np.float32(1 << 14)
    sums /= np.float32(1 << 15)
    return sums.astype(np.uint8)


def lab(image: Image) -> FloatArray:
    """Return CIE 1976 L*a*b* of sRGB 0–255 under D65; both arrays are (..., 3).

    L* is 0–100, dark to light; a* and b* are 0 for grey.
    """
    xyz = _LINEAR[image] @ (_TO_XYZ / _WHITE[:, None]).T
    root = np.where(xyz > _DARK, np.cbrt(xyz), (xyz / _DARK * 8 + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    tones = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    # Without rounding, a grey pixel has a hue from rounding errors (chroma of 1e-14), and
    # that hue depends on the processor.
    return np.round(tones, 9)


def _linear() -> FloatArray:
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


_LINEAR = _linear()
"""The light of each level of sRGB (IEC 61966-2-1), 0 to 1."""
