"""Blurred photographs, and what is left when the blurred one is taken away.

Every `sigma` is a share of the shorter side of the image, so a view looks the same whatever
the size.
"""

from __future__ import annotations

import cv2

from lentigo.imaging.views.color import Image, hsv

_WIDEST = 32.0
"""Pixels; a wider Gaussian is applied to a shrunken image."""


def gaussian_blur(image: Image, *, sigma: float = 0.01) -> Image:
    """The photograph out of focus: hair, noise and fine structure go, colours stay.

    (H, W, 3) RGB, 0–255. `sigma` is the standard deviation of the Gaussian as a share of
    the shorter side: 2.24 pixels at 224. Beyond the border the image goes on as its mirror
    image. From 32 pixels upwards it is worked out on a smaller image, which is within 3
    grey levels of the direct way.
    """
    pixels = sigma * min(image.shape[:2])
    factor = int(2 * pixels / _WIDEST)
    if pixels <= 0:
        return image
    if factor < 2 or pixels <= _WIDEST:
        return cv2.GaussianBlur(image, (0, 0), pixels)  # type: ignore[return-value]
    height, width = image.shape[:2]
    small = -(-width // factor), -(-height // factor)
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(shrunk, (0, 0), pixels / factor)
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def hsv_blur(image: Image, *, sigma: float = 0.01) -> Image:
    """Hue, saturation and value of the blurred photograph, (H, W, 3); ranges as in `hsv`.

    Blurred first, for hue is an angle: reds lie on both sides of 0, and the mean of the
    numbers 1 and 179 would be the hue of cyan. `sigma` as in `gaussian_blur`.
    """
    return hsv(gaussian_blur(image, sigma=sigma))


def local_mean(image: Image, *, sigma: float = 0.128, gain: float = 4.0) -> Image:
    """What differs from its surroundings: light, shadow and skin tone are taken away.

    `gain · image − gain · blurred + 128`, cut to 0–255, in each channel of an (H, W, 3)
    image: 128 is "as its surroundings". Known from diabetic retinopathy (Graham 2015, the
    winning entry of Kaggle's challenge). The default `sigma` is 25.6 pixels at a side
    of 200; `gain` 4 saturates 32 grey levels above the surroundings.
    """
    blurred = gaussian_blur(image, sigma=sigma)
    return cv2.addWeighted(image, gain, blurred, -gain, 128)  # type: ignore[return-value]


def hsv_local_mean(image: Image, *, sigma: float = 0.128, gain: float = 4.0) -> Image:
    """`local_mean` of the HSV image, (H, W, 3): often seen in notebooks on this task.

    At 200 × 200 pixels exactly `4·x − 4·blur(x, σ=25.6) + 128` of the three numbers of
    `hsv`. Hue is treated as a plain number, so it jumps where reds pass through 0.
    """
    return local_mean(hsv(image), sigma=sigma, gain=gain)
