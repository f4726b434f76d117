"""Skin tone around a lesion, measured at the edge of its image."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

TONES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -90.0),
)
"""Skin tones with the lowest angle of each in degrees (Chardon et al. 1991,
doi:10.1111/j.1467-2494.1991.tb00561.x; six classes as in Del Bino & Bernerd 2013,
doi:10.1111/bjd.12529)."""

RIM = 0.08
"""Width of the strip along the image edge, the rim, as a share of the shorter side; lesions
seldom reach into it."""

_DARKEST = 25.0
"""Lightness below which a pixel is a black frame or a hair, not skin."""

_FEWEST = 0.05
"""Least share of the rim that must be skin."""

COLORLESS = 0.2
"""Highest b* of a rim without the yellow of skin: a greyscale image, whose b* is up to 0.13
in OpenCV's CIELAB, or bluish light, where b* is negative."""


def skin_tone_angle(image: NDArray[np.uint8]) -> float:
    """Return the individual typology angle (ITA) of the skin around a lesion, in degrees.

    ITA = arctan((L* − 50) / b*) · 180 / π, of the median L* and b* (CIELAB, D65) of the rim
    of `image`, (height, width, 3) RGB, 0–255: a strip along its edge. A large angle is
    light skin. Pixels too dark for skin (a black frame, hair) and overexposed ones are left
    out. NaN if less than 5 % of the rim is skin, or b* is at most `COLORLESS` (a greyscale
    image, or bluish light). Accurate to half a degree (OpenCV's CIELAB is tabulated). The
    light of a photograph is not
    calibrated, so the angle ranks images of one archive and does not replace a measurement
    on the patient.
    """
    lightness, _, yellow = skin_color(image)
    if math.isnan(lightness) or yellow <= COLORLESS:
        return math.nan
    return math.degrees(math.atan2(lightness - 50, yellow))


def skin_color(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Return the median L*, a* and b* of the skin at the rim of `image`, three floats.

    `skin_tone_angle` says which pixels count as skin. All are NaN if there are too few.
    """
    height, width = image.shape[:2]
    rim = max(round(RIM * min(height, width)), 1)
    inner = np.zeros((height, width), dtype=bool)
    inner[rim : height - rim, rim : width - rim] = True
    skin = image[~inner].reshape(1, -1, 3).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(skin, cv2.COLOR_RGB2LAB))[0]
    seen = (lab[:, 0] > _DARKEST) & (lab[:, 0] < 99.0)
    if seen.mean() < _FEWEST:
        return math.nan, math.nan, math.nan
    lightness, red, yellow = np.median(lab[seen], axis=0).tolist()
    return lightness, red, yellow


def tone(angle: float) -> str:
    """Return the name of the skin tone at an angle in degrees; "unknown" for NaN."""
    return next((name for name, start in TONES if angle >= start), "unknown")
