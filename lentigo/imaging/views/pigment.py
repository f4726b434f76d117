"""Images of the two pigments of skin, computed from the light that they absorb.

Both are indices of Yamamoto, Takiwaki et al. (2008, doi:10.1111/j.1600-0846.2007.00256.x):
skin absorbs light exponentially, so the logarithm of the reflectance is proportional to the
amount of pigment. The stored sRGB values are made linear first. Red light is absorbed by
melanin alone, green by blood as well. Without a calibrated camera the values compare points
of one image, not two images, and anything that darkens every colour equally (shadow, the
black frame, dark hair) counts as melanin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.color import Image

_STORED = np.arange(256) / 255
_LINEAR = np.where(_STORED <= 0.04045, _STORED / 12.92, ((_STORED + 0.055) / 1.055) ** 2.4)
"""Reflectance of each stored value (IEC 61966-2-1)."""

# Black reflects nothing and has no logarithm; it counts as the darkest value but black.
DENSITY: NDArray[np.float32] = -np.log10(np.maximum(_LINEAR, _LINEAR[1])).astype(np.float32)
"""Optical density, log10(1 / reflectance), of each stored value."""

MELANIN_WHITE = 1.5
"""Density in red that is stored as 255: that of a pixel value of 46 or less."""
HAEMOGLOBIN_WHITE = 1.0
"""Difference of the densities in green and red that is stored as 255."""


def melanin(image: Image) -> Image:
    """The amount of melanin (brown pigment): (H, W), 0 none to 255 much.

    The melanin index log10(1 / R_red), times 255 / 1.5 and clipped at 255.
    """
    return _bytes(DENSITY[image[..., 0]], white=MELANIN_WHITE)


def haemoglobin(image: Image) -> Image:
    """The redness caused by blood, not by melanin: (H, W), 0 none to 255 much.

    The erythema index log10(1 / R_green) − log10(1 / R_red), times 255 and clipped to
    0–255: grey has 0. Melanin absorbs some green light, too, so dark brown is not 0.
    """
    excess = DENSITY[image[..., 1]] - DENSITY[image[..., 0]]
    return _bytes(excess, white=HAEMOGLOBIN_WHITE)


def _bytes(density: NDArray[np.float32], *, white: float) -> Image:
    scaled = np.clip(density * np.float32(255 / white), 0, 255)
    return np.asarray(np.rint(scaled), np.uint8)
