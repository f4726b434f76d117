"""Blurred photographs, and photographs from which the blurred one is subtracted.

Every `sigma` is a share of the shorter side of the image, so a view looks the same at any
size.
"""

from __future__ import annotations

import cv2
import numpy as np

from lentigo.imaging.views.color import Image, hsv
from lentigo.imaging.views.smooth import smooth

_NARROW = 4.0
"""Pixels; up to this sigma OpenCV's blur of bytes is used, which is the fastest."""


def gaussian_blur(image: Image, *, sigma: float = 0.01) -> Image:
    """The photograph out of focus: hair, noise and fine structure vanish, colours stay.

    `image` and the result are (H, W, 3) RGB, 0–255. `sigma` is the standard deviation of
    the Gaussian as a share of the shorter side: 2.24 pixels at 224. Beyond its edge the
    image is continued as its mirror image. Up to a sigma of 4 pixels the Gaussian is cut
    off at 3 standard deviations, which is within 4 grey levels of the whole Gaussian (3.1
    on black and white noise); above, the result is within 1.
    """
    pixels = sigma * min(image.shape[:2])
    if pixels <= 0:
        return image
    if pixels <= _NARROW:
        return cv2.GaussianBlur(image, (0, 0), pixels)  # type: ignore[return-value]
    return np.rint(smooth(image, pixels)).clip(0, 255).astype(np.uint8)


def hsv_blur(image: Image, *, sigma: float = 0.01) -> Image:
    """Hue, saturation and value of the blurred photograph, (H, W, 3); ranges as in `hsv`.

    The photograph is blurred before the conversion, since hue is an angle: reds lie on both
    sides of 0, and the mean of the numbers 1 and 179 would be the hue of cyan. `sigma` as
    in `gaussian_blur`.
    """
    return hsv(gaussian_blur(image, sigma=sigma))


def local_mean(image: Image, *, sigma: float = 0.128, gain: float = 4.0) -> Image:
    """The difference of each pixel from its surroundings, without light, shadow, skin tone.

    `gain · image − gain · blurred + 128`, clipped to 0–255, in each channel of an (H, W, 3)
    image: 128 means "equal to its surroundings". Known from diabetic retinopathy (Graham
    2015, the winning entry of Kaggle's challenge). The default `sigma`, a share of the
    shorter side, is 25.6 pixels at a side of 200; with a `gain` of 4 a pixel 32 grey levels
    above its surroundings is 255. The result is within 1 grey level of the formula at any
    size.
    """
    blurred = smooth(image, sigma * min(image.shape[:2]))
    values = image.astype(np.float32)
    return cv2.addWeighted(values, gain, blurred, -gain, 128, dtype=cv2.CV_8U)  # type: ignore[return-value]


def hsv_local_mean(image: Image, *, sigma: float = 0.128, gain: float = 4.0) -> Image:
    """The `local_mean` of the HSV image, (H, W, 3): common in notebooks on this task.

    At 200 × 200 pixels it is `4·x − 4·blur(x, σ=25.6) + 128` for each channel x of `hsv`;
    most notebooks round the blurred image first, which is up to 2 grey levels away. Hue is
    treated as a plain number, so it jumps where reds pass through 0.
    """
    return local_mean(hsv(image), sigma=sigma, gain=gain)
