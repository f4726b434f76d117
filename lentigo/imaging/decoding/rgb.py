"""Every colour mode that an image file can have, as 8-bit RGB in the sRGB colour space."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits a sample that cameras and scanners deliver."""

_BAND = 256
"""Rows scaled at a time."""

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
"""Conversions, one after the other, that leave a mode without palette or alpha."""

_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}

_ROUNDING = 3
"""Grey levels; by so little sRGB profiles of several makers differ from each other."""

_NO_PICTURE = 32
"""Grey levels; a profile that brings black and white so near is no honest one."""

_LARGEST_PROFILE = 4_000_000
"""Bytes; printing presses need two million, anything longer is no honest profile."""


def to_rgb(image: Image.Image) -> Image.Image:
    """`image` in mode RGB, as a colour-managed screen would show it, but opaque.

    - Alpha is dropped and the stored colours are kept. Exported lesions often carry an
      alpha plane that means nothing (zero all over), and laying them on white would wipe
      the lesion out; the usual readers of this field drop it, too.
    - Samples deeper than 8 bits are scaled as `to_eight_bits` says.
    - An embedded colour profile is applied if it fits the mode; a broken one is ignored.
    - CMYK and LAB without a profile are taken as plain inks and as D50.
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
    # To convert what is RGB already would copy it: 59 ms of 6000 × 4000 pixels.
    return image if image.mode == "RGB" else image.convert("RGB")


def to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey samples of any depth, (height, width), scaled to 0–255.

    White is the largest value of the smallest usual depth (8, 10, 12, 14, 16 bits) that
    holds every sample: a 12-bit camera in a 16-bit file comes out as bright as it should.
    Floats between 0 and 1 have white at 1. Anything else (negative, or beyond 16 bits) is
    stretched from its lowest to its highest value; an even picture is then black, and so
    are samples that are not finite.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    known = values[finite]
    low, high = float(known.min()), float(known.max())
    return scaled(values, *_range(low, high, whole=values.dtype.kind in "iu"))


def scaled(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """`values` of any shape as 0–255, from `black` and below to `white` and above.

    What is not finite is black.
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
    """From `mode` to sRGB; None where Pillow's plain conversion is the right one."""
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
    """Tell whether colours stay (or all become one, as of a broken profile).

    What a profile is called does not say what it does: a "Linear sRGB" is no sRGB.
    """
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    shown = np.asarray(transform.apply(Image.fromarray(colours))).astype(int)
    return bool(np.ptp(shown) < _NO_PICTURE or abs(shown - colours).max() <= _ROUNDING)
