"""Changes of light and skin: brightness, contrast, gamma, colour cast, skin tone."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.quality.skin_tone import COLORLESS, skin_color

Image = NDArray[np.uint8]

_LUMA = np.array([0.299, 0.587, 0.114])
Color = tuple[float, float, float]

_BRIGHTER = (1.1, 1.2, 1.3, 1.45, 1.6)
_DARKER = (0.9, 0.8, 0.7, 0.6, 0.5)
_LESS_CONTRAST = (0.85, 0.7, 0.55, 0.4, 0.3)
_MORE_CONTRAST = (1.15, 1.3, 1.5, 1.75, 2.0)
_LOWER_GAMMA = (0.9, 0.8, 0.7, 0.6, 0.5)
_HIGHER_GAMMA = (1.1, 1.25, 1.4, 1.6, 1.9)
_CAST = (0.04, 0.08, 0.12, 0.18, 0.25)
_DEGREES = (10.0, 20.0, 30.0, 40.0, 50.0)
"""Degrees by which the individual typology angle is shifted; a class of skin tone spans 13
to 40 degrees."""
_STEEPEST = 85.0
_USUAL_SKIN = (60.0, 15.0, 17.3)
"""L*a*b* of skin with an angle of 30 degrees, which can be shifted by 50 both ways."""


def brighter(image: Image, strength: int) -> Image:
    """Multiply all pixel values by 1.1 to 1.6."""
    return _tabled(image, np.arange(256) * _BRIGHTER[strength - 1])


def darker(image: Image, strength: int) -> Image:
    """Multiply all pixel values by 0.9 to 0.5."""
    return _tabled(image, np.arange(256) * _DARKER[strength - 1])


def less_contrast(image: Image, strength: int) -> Image:
    """Reduce contrast: multiply the distance from the mean brightness by 0.85 to 0.3."""
    return _stretched(image, _LESS_CONTRAST[strength - 1])


def more_contrast(image: Image, strength: int) -> Image:
    """Increase contrast: multiply the distance from the mean brightness by 1.15 to 2."""
    return _stretched(image, _MORE_CONTRAST[strength - 1])


def lower_gamma(image: Image, strength: int) -> Image:
    """Lighten the shadows: raise values, scaled to 0–1, to the power of 0.9 to 0.5."""
    return _tabled(image, 255 * (np.arange(256) / 255) ** _LOWER_GAMMA[strength - 1])


def higher_gamma(image: Image, strength: int) -> Image:
    """Darken the shadows: raise values, scaled to 0–1, to the power of 1.1 to 1.9."""
    return _tabled(image, 255 * (np.arange(256) / 255) ** _HIGHER_GAMMA[strength - 1])


def warmer(image: Image, strength: int) -> Image:
    """Increase red and decrease blue by 4 to 25 %."""
    return _cast(image, _CAST[strength - 1])


def colder(image: Image, strength: int) -> Image:
    """Decrease red and increase blue by 4 to 25 %."""
    return _cast(image, -_CAST[strength - 1])


def lighter_skin(image: Image, strength: int) -> Image:
    """Raise the individual typology angle of the skin by 10 to 50 degrees."""
    return toned(image, _DEGREES[strength - 1])


def darker_skin(image: Image, strength: int) -> Image:
    """Lower the individual typology angle of the skin by 10 to 50 degrees."""
    return toned(image, -_DEGREES[strength - 1])


def toned(image: Image, degrees: float) -> Image:
    """Shift the individual typology angle (ITA) of the skin by some degrees.

    The median colour of the skin at the image edge is rotated about L* = 50, b* = 0 by
    `degrees` (lighter if positive); its distance from that point and its a* are kept. All
    of the image, lesion and skin, is multiplied in linear light by the factors that make
    this change, as more or less melanin in front of both would do (Beer–Lambert). Where the
    skin has no angle (bluish light: 32 % of 400 images of HAM10000), or would have one
    beyond ±85°, the factors are those that shift `_USUAL_SKIN` by as much: melanin absorbs
    alike whatever colour the light has. It is a filter, not a model of how melanoma looks
    in another skin. A greyscale image, or one without skin at its edge, is returned
    unchanged.
    """
    lightness, red, yellow = skin = skin_color(image)
    if math.isnan(lightness) or max(abs(red), abs(yellow)) <= COLORLESS:
        return image.copy()
    angle = math.degrees(math.atan2(lightness - 50, yellow)) + degrees
    if yellow <= COLORLESS or abs(angle) > _STEEPEST:
        skin = _USUAL_SKIN
    gain = _linear_of(_turned(skin, degrees)) / np.maximum(_linear_of(skin), 1e-4)
    linear = _to_linear(np.arange(256) / 255)[:, None] * gain
    table = np.rint(255 * _from_linear(np.clip(linear, 0, 1))).astype(np.uint8)
    return np.stack([table[image[..., each], each] for each in range(3)], axis=-1)


def _turned(skin: Color, degrees: float) -> Color:
    """Return L*, a*, b* of a skin after its typology angle was shifted by `degrees`."""
    lightness, red, yellow = skin
    far = math.hypot(lightness - 50, yellow)
    turned = math.atan2(lightness - 50, yellow) + math.radians(degrees)
    return 50 + far * math.sin(turned), red, far * math.cos(turned)


def _linear_of(lab: Color) -> NDArray[np.float64]:
    pixel = np.asarray([[lab]], np.float32)
    rgb = np.clip(np.asarray(cv2.cvtColor(pixel, cv2.COLOR_LAB2RGB))[0, 0], 0, 1)
    return _to_linear(rgb.astype(np.float64))


def _to_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low = values / 12.92
    return np.where(values <= 0.04045, low, ((values + 0.055) / 1.055) ** 2.4)


def _from_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    low = values * 12.92
    return np.where(values <= 0.0031308, low, 1.055 * values ** (1 / 2.4) - 0.055)


def _tabled(image: Image, values: NDArray[np.floating[Any]]) -> Image:
    table = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return np.asarray(table[image])


def _stretched(image: Image, factor: float) -> Image:
    middle = float(image.reshape(-1, 3).mean(axis=0) @ _LUMA)
    return _tabled(image, middle + factor * (np.arange(256) - middle))


def _cast(image: Image, share: float) -> Image:
    gains = np.array([1 + share, 1.0, 1 - share])
    values = np.clip(np.arange(256)[:, None] * gains, 0, 255)
    table = np.rint(values).astype(np.uint8)
    return np.stack([table[image[..., each], each] for each in range(3)], axis=-1)
