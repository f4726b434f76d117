"""Convert every colour mode that an image file can have to 8-bit RGB in sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits per sample that cameras and scanners deliver."""

_BAND = 256
"""Number of rows scaled at a time."""

DEEP_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})

_OPAQUE = {
    "1": ("L",),
    "P": ("RGB",),
    "PA": ("RGBA", "RGB"),
    "LA": ("L",),
    "La": ("LA", "L"),
    "RGBA": ("RGB",),
    "RGBa": ("RGBA", "RGB"),
    "RGBX": ("RGB",),
    "HSV": ("RGB",),
    "YCbCr": ("RGB",),
}
"""Conversions, one after the other, that remove palette and alpha from each mode."""

_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}

_ROUNDING = 3
"""Grey levels; sRGB profiles of several makers differ by at most this from each other."""

_NO_PICTURE = 32
"""Grey levels; a profile that leaves a smaller range between black and white is broken."""

_LARGEST_PROFILE = 4_000_000
"""Bytes; profiles of printing presses need two million, a longer one is not genuine."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image` in mode RGB, as a colour-managed screen would show it, but opaque.

    - Alpha is dropped and the stored colours are kept. Exported lesions often carry an
      alpha plane without meaning (zero everywhere), and compositing them on white would
      erase the lesion; the usual readers of this field drop alpha, too.
    - Samples deeper than 8 bits are scaled by `to_eight_bits`.
    - An embedded colour profile is applied if it fits the mode; a broken one is ignored.
    - CMYK without a profile is converted by Pillow's plain formula, LAB as D50.
    """
    profile = image.info.get("icc_profile")
    image.info.pop("transparency", None)  # meaningless, and Pillow would warn
    if image.mode in DEEP_MODES:
        image = Image.fromarray(to_eight_bits(np.asarray(image)))
    for mode in _OPAQUE.get(image.mode, ()):
        image = image.convert(mode)
    transform = _transform(_usable(profile), image.mode)
    if transform is not None:
        return transform.apply(image)
    # Converting RGB to RGB would copy the image: 59 ms for 6000 × 4000 pixels.
    return image if image.mode == "RGB" else image.convert("RGB")


def to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale grey samples of any depth, (height, width), to 0–255.

    White is the largest value of the smallest usual depth (8, 10, 12, 14, 16 bits) that
    holds every sample: an image of a 12-bit camera in a 16-bit file gets its right
    brightness. Floats between 0 and 1 have white at 1. All other values (negative, or
    beyond 16 bits) are stretched from the lowest to the highest; a uniform image is then
    black. Samples that are not finite become black.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    known = values[finite]
    low, high = float(known.min()), float(known.max())
    return scaled(values, *_range(low, high, whole=values.dtype.kind in "iu"))


def scaled(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Scale `values` of any shape to 0–255, so that `black` becomes 0 and `white` 255.

    Values beyond `black` and `white` are clipped; values that are not finite become 0.
    """
    eight = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _BAND):  # the doubles of a whole image are many
        band = slice(start, start + _BAND)
        part = values[band]
        samples = np.where(np.isfinite(part), part, black).astype(np.float64)
        share = np.clip((samples - black) / (white - black), 0, 1)
        eight[band] = np.rint(share * 255)
    return eight


def _range(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    if low >= 0 and high <= 1 and not whole:
        return 0.0, 1.0
    if low >= 0:
        for bits in _DEPTHS:
            if high <= 2**bits - 1:
                return 0.0, 2.0**bits - 1
    return low, high if high > low else low + 1.0


def _usable(profile: object) -> bytes | None:
    if isinstance(profile, bytes) and 0 < len(profile) <= _LARGEST_PROFILE:
        return profile
    return None


# Building one takes longer than using it on a small image, and the files of an archive
# share a handful of profiles.
@lru_cache(maxsize=16)
def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from `mode` to sRGB; None if Pillow's own conversion will do."""
    if mode not in _PROFILE_SPACES or (profile is None and mode != "LAB"):
        return None
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    try:
        if profile is None:
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACES[mode]:
            return _transform(None, mode)
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return _transform(None, mode) if profile is not None else None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether a transform keeps all colours, or is broken and makes them all one.

    The name of a profile does not tell what it does: a "Linear sRGB" is not sRGB.
    """
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    shown = np.asarray(transform.apply(Image.fromarray(colours))).astype(int)
    return bool(np.ptp(shown) < _NO_PICTURE or abs(shown - colours).max() <= _ROUNDING)
