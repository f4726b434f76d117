"""Objects between camera and skin, drawn into the image: hair, ruler, ink, vignette, frame.

None of them is part of the lesion, so none of them should change a prediction.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Plane = NDArray[np.float32] | NDArray[np.float64]

_HAIRS = (4, 8, 15, 25, 40)
_HAIR_COLORS = ((38, 24, 18), (58, 38, 28), (24, 20, 18))
_MARK = (0.025, 0.035, 0.05, 0.065, 0.08)
"""Length of a long tick mark of the ruler, as a share of the shorter side."""
_MARKS, _LONG = 24, 5
_BLACK = (26, 23, 26)
_STROKES = (1, 2, 3, 4, 6)
_INK = (82, 58, 150)
_FALL_OFF = (0.15, 0.3, 0.45, 0.6, 0.8)
"""Share of the light that is missing in the very corner."""
_RADIUS = (1.32, 1.22, 1.12, 1.02, 0.92)
"""Radius of the round window, in halves of the shorter side; 1.41 reaches the corners of a
square."""
_LEVELS = np.arange(256, dtype=np.float32)
_SHARES, _OF_HAIR = _LEVELS / 255, 0.9 * _LEVELS / 255
"""Opacity of a pixel for each coverage from 0 to 255."""
_SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates."""


def hair(image: Image, strength: int, rng: np.random.Generator) -> Image:
    """Draw 4 to 40 dark, curved hairs with thin tips; a higher strength adds hairs.

    `image` and the result are (H, W, 3).
    """
    height, width = image.shape[:2]
    flow, tangle = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.7)
    color = _HAIR_COLORS[int(rng.integers(len(_HAIR_COLORS)))]
    cover = np.zeros((height, width), np.uint8)
    for _ in range(_HAIRS[strength - 1]):
        _one_hair(cover, flow + rng.normal(0, tangle), rng)
    return _painted(image, _OF_HAIR[cover], color)


def ruler(image: Image, strength: int, rng: np.random.Generator) -> Image:
    """Draw a black scale along one image edge; marks are 2.5 to 8 % of the shorter side."""
    cover = np.zeros(image.shape[:2], np.uint8)
    side = min(image.shape[:2])
    turns = int(rng.integers(4))
    plane = np.ascontiguousarray(np.rot90(cover, turns))
    across = plane.shape[1]
    foot = 0.02 * side
    line = max(1, round(side / 200))
    for mark in range(_MARKS + 1):
        x = across * (0.06 + 0.88 * mark / _MARKS)
        length = _MARK[strength - 1] * side * (1 if mark % _LONG == 0 else 0.6)
        _line(plane, (x, foot), (x, foot + length), line)
    _line(plane, (0.06 * across, foot), (0.94 * across, foot), line)
    return _painted(image, 0.9 * _SHARES[np.rot90(plane, -turns)], _BLACK)


def ink(image: Image, strength: int, rng: np.random.Generator) -> Image:
    """Draw 1 to 6 strokes of a violet surgical pen near the edges of the image."""
    height, width = image.shape[:2]
    side = min(height, width)
    cover = np.zeros((height, width), np.uint8)
    start = rng.uniform(0, 2 * np.pi)
    for stroke in range(_STROKES[strength - 1]):
        angle = start + stroke * 2 * np.pi * 0.382  # never twice at one place
        middle = np.array([width, height]) / 2 + 0.42 * np.array(
            [width * np.cos(angle), height * np.sin(angle)]
        )
        away = angle + np.pi / 2 + rng.normal(0, 0.3)
        reach = 0.12 * side * np.array([np.cos(away), np.sin(away)])
        bend = middle + 0.04 * side * rng.normal(0, 1, 2)
        points = _curve(middle - reach, bend, middle + reach)
        cv2.polylines(
            cover, [points], False, 255, max(2, round(0.022 * side)), cv2.LINE_AA, _SHIFT
        )
    soft = cv2.GaussianBlur(cover, (0, 0), max(0.4, side / 400))
    return _painted(image, 0.75 * np.asarray(soft, np.float32) / 255, _INK)


def vignette(image: Image, strength: int) -> Image:
    """Darken the image smoothly towards the corners, by 15 to 80 % in the very corner."""
    distance = np.square(_from_middle(image) / np.sqrt(2))
    light = 1 - _FALL_OFF[strength - 1] * np.clip(distance, 0, 1)
    return np.asarray(np.rint(image * light[..., None]), np.uint8)


def frame(image: Image, strength: int) -> Image:
    """Mask the image with the black frame of a round dermatoscope; strength narrows it."""
    radius = _RADIUS[strength - 1]
    soft = 2.0 / min(image.shape[:2])
    through = np.clip((radius - _from_middle(image)) / soft + 0.5, 0, 1)
    shaded = 0.03 + 0.97 * through
    return np.asarray(np.rint(image * shaded[..., None]), np.uint8)


def _one_hair(cover: Image, angle: float, rng: np.random.Generator) -> None:
    size = np.array([cover.shape[1], cover.shape[0]])
    side = int(size.min())
    start = rng.uniform(-0.1, 1.1, 2) * size
    reach = side * rng.uniform(0.3, 0.95)
    end = start + reach * np.array([np.cos(angle), np.sin(angle)])
    bend = (start + end) / 2 + reach * rng.normal(0, 0.14, 2)
    t = np.linspace(0, 1, 17)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    along = 2 * (1 - t) * (bend - start) + 2 * t * (end - bend)
    along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half = 0.5 * side * rng.uniform(0.004, 0.009) * (1 - 0.8 * t)
    ribbon = np.concatenate([curve + half * across, (curve - half * across)[::-1]])
    fixed = np.rint(ribbon * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(cover, [fixed], 255, cv2.LINE_AA, _SHIFT)


def _curve(
    start: NDArray[np.float64], bend: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.int32]:
    t = np.linspace(0, 1, 13)[:, None]
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    return np.asarray(np.rint(points * (1 << _SHIFT)), np.int32)


def _line(
    plane: Image, start: tuple[float, float], end: tuple[float, float], width: int
) -> None:
    ends = [tuple(round(each * (1 << _SHIFT)) for each in point) for point in (start, end)]
    cv2.line(plane, ends[0], ends[1], 255, width, cv2.LINE_AA, _SHIFT)


def _from_middle(image: Image) -> Plane:
    """Return the distance of each pixel from the middle, 1 at half the shorter side."""
    height, width = image.shape[:2]
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2)[None, :]
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None]
    return np.asarray(np.hypot(x, y) / (min(height, width) / 2), np.float32)


def _painted(image: Image, cover: Plane, color: tuple[int, int, int]) -> Image:
    # What is drawn covers a few per cent: only there is anything computed.
    places = np.flatnonzero(cover)
    under, over = image.reshape(-1, 3)[places], cover.ravel()[places, None]
    mixed = under + over * (np.asarray(color, np.float32) - under)
    painted = image.copy().reshape(-1, 3)
    painted[places] = np.rint(np.clip(mixed, 0, 255))
    return painted.reshape(image.shape)
