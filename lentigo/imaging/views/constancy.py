"""Colour constancy: remove the colour of the light, so that lamps make no difference.

Both functions use the stored (sRGB) values as they are, as the dermoscopy literature does
(Barata et al. 2015, doi:10.1109/JBHI.2014.2336473), and multiply each channel by a
constant.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.views.color import Image

_LEVELS = np.arange(256, dtype=np.float64)


def shades_of_gray(image: Image, *, norm: float = 6.0) -> Image:
    """The photograph as under white light (Finlayson & Trezzi 2004): (H, W, 3) RGB, 0–255.

    The light is estimated as the Minkowski mean of each channel: `norm=1` is grey-world, a
    large `norm` comes near `max_rgb`; 6 is the paper's. The brightness of the light is
    kept. An image of one colour becomes grey. If a channel is 0 in all pixels, the light is
    unknown, and the image is returned unchanged.
    """
    share = _histograms(image) / (image.shape[0] * image.shape[1])
    return _under_white(image, (share @ (_LEVELS / 255) ** norm) ** (1 / norm))


def max_rgb(image: Image) -> Image:
    """The photograph as if its brightest red, green and blue were white (Land 1977).

    `image` and the result are (H, W, 3) RGB, 0–255. One reflection on the gel or one
    overexposed pixel in each channel is taken for the light, and then nothing changes. An
    image of one colour, and a channel that is 0 in all pixels, are treated as in
    `shades_of_gray`. doi:10.1038/scientificamerican1277-108
    """
    return _under_white(image, image.reshape(-1, 3).max(axis=0) / 255)


def _histograms(image: Image) -> NDArray[np.float64]:
    """Return how often each level occurs in each channel, (3, 256)."""
    planes = image.reshape(-1, 3)
    return np.stack([np.bincount(plane, minlength=256) for plane in planes.T]).astype(float)


def _under_white(image: Image, light: NDArray[np.float64]) -> Image:
    if not light.all():
        return image
    gain = np.sqrt((light**2).mean()) / light
    table = np.rint(np.minimum(_LEVELS[:, None] * gain, 255)).astype(np.uint8)
    return cv2.LUT(image, table[None])  # type: ignore[return-value]
