"""Artefacts of a photograph: light, gel, ruler, sticker, black frame, hair."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from lentigo.datasets.synthetic.model import Photograph
from lentigo.datasets.synthetic.noise import (
    FloatArray,
    PointArray,
    as_float,
    blurred,
    layered,
    mix,
    step,
)

_SHIFT = 4
"""Number of fractional bits of OpenCV's drawing coordinates."""


def light(photograph: Photograph, size: int, rng: np.random.Generator) -> FloatArray:
    """Return the factor by which the light multiplies each pixel: (3, size, size)."""
    x, y = _plane(size)
    angle = rng.uniform(0, 2 * np.pi)
    slope = x * np.cos(angle) + y * np.sin(angle)
    uneven = 1 + 0.32 * photograph.uneven_light * slope
    uneven += 0.06 * photograph.uneven_light * layered(rng, size, 1.5, octaves=2)
    warm = photograph.warmth - 0.5
    cast = 1 + warm * np.array([0.20, -0.12, -0.16]) + rng.normal(0, 0.012, 3)
    exposure = rng.uniform(0.92, 1.06)
    return np.asarray(uneven * (exposure * cast)[:, None, None], dtype=np.float32)


def frame(photograph: Photograph, size: int, rng: np.random.Generator) -> FloatArray:
    """Return the share of light that a round dermoscope lets through: (size, size)."""
    if photograph.vignette <= 0:
        return np.ones((size, size), dtype=np.float32)
    x, y = _plane(size)
    off = rng.normal(0, 0.03, 2)
    distance = np.hypot(x - off[0], y - off[1])
    radius = 1.42 - 0.40 * photograph.vignette
    hard = 0.03 if rng.random() < 0.5 else 0.22
    shade = 1 - step(as_float(distance), radius - hard, radius + 0.02)
    falloff = 1 - 0.35 * photograph.vignette * np.square(distance) / 1.6
    return np.asarray(np.clip(0.03 + 0.97 * shade * falloff, 0, 1), dtype=np.float32)


def add_bubbles(image: FloatArray, rng: np.random.Generator) -> None:
    """Draw gel bubbles into `image`, in place: thin rings with a bright part."""
    size = image.shape[-1]
    rings = np.zeros((size, size), dtype=np.uint8)
    glints = np.zeros((size, size), dtype=np.uint8)
    for _ in range(int(rng.integers(2, 9))):
        centre = _fixed(rng.uniform(0.03, 0.97, 2) * size)
        radius = int(size * rng.uniform(0.008, 0.035) * 16)
        cv2.circle(rings, centre, radius, 120, max(1, size // 256), cv2.LINE_AA, _SHIFT)
        start = rng.uniform(0, 360)
        cv2.ellipse(
            glints, centre, (radius, radius), 0, start, start + rng.uniform(40, 110), 255,
            max(1, size // 160), cv2.LINE_AA, _SHIFT,
        )  # fmt: skip
    mix(image, blurred(_unit(rings, 0.35), size / 400), (0.45, 0.36, 0.33))
    mix(image, blurred(_unit(glints, 0.9), size / 500), (1.0, 1.0, 1.0))


def add_ruler(image: FloatArray, rng: np.random.Generator) -> None:
    """Draw the ticks of a millimetre scale along one edge of `image`, in place."""
    size = image.shape[-1]
    ink = np.zeros((size, size), dtype=np.uint8)
    spacing = size / 16 * rng.uniform(0.9, 1.1)
    turn = np.deg2rad(90 * rng.integers(4) + rng.uniform(-5, 5))
    along, inward = (
        np.array([np.cos(turn), np.sin(turn)]),
        np.array([-np.sin(turn), np.cos(turn)]),
    )
    start = size * (0.5 - 0.46 * inward)
    width = max(1, round(size / 220))
    ticks = int(rng.integers(9, 20))
    for tick in range(-(ticks // 2), ticks - ticks // 2):
        foot = start + tick * spacing * along
        length = size * (0.055 if tick % 5 == 0 else 0.03)
        cv2.line(
            ink,
            _fixed(foot),
            _fixed(foot + length * inward),
            255,
            width,
            cv2.LINE_AA,
            _SHIFT,
        )
    if rng.random() < 0.6:
        ends = [
            start + step_ * spacing * along
            for step_ in (-(ticks // 2), ticks - ticks // 2 - 1)
        ]
        cv2.line(ink, _fixed(ends[0]), _fixed(ends[1]), 255, width, cv2.LINE_AA, _SHIFT)
    mix(image, _unit(ink, 0.85), (0.10, 0.09, 0.10))


_STICKERS = ((0.93, 0.86, 0.10), (0.42, 0.76, 0.74), (0.88, 0.88, 0.90), (0.25, 0.45, 0.80),
             (0.45, 0.72, 0.35), (0.90, 0.52, 0.20))  # fmt: skip


def add_sticker(image: FloatArray, rng: np.random.Generator) -> None:
    """Draw a part of a coloured disc at one side of `image`, in place."""
    size = image.shape[-1]
    angle = rng.uniform(0, 2 * np.pi)
    away = 0.5 * size * rng.uniform(1.35, 1.5)
    centre = 0.5 * size + away * np.array([np.cos(angle), np.sin(angle)])
    radius = int(0.5 * size * rng.uniform(0.50, 0.62) * 16)
    disc = np.zeros((size, size), dtype=np.uint8)
    cv2.circle(disc, _fixed(centre), radius, 255, -1, cv2.LINE_AA, _SHIFT)
    cover = _unit(disc)
    shadow = blurred(cover, size / 60)
    image *= 1 - np.float32(0.25) * shadow
    colour = np.array(_STICKERS[int(rng.integers(len(_STICKERS)))]) * rng.uniform(
        0.85, 1.02
    )
    mix(image, cover, colour)
    image *= 1 + np.float32(0.02) * cover * layered(rng, size, 12, octaves=2)


def hairs(amount: float, size: int, rng: np.random.Generator) -> FloatArray:
    """Return the share of each pixel that hair covers: (size, size).

    `amount` is `Photograph.hair`: 0 gives 2 hairs, 1 gives 28.
    """
    canvas = np.zeros((size, size), dtype=np.uint8)
    flow = rng.uniform(0, 2 * np.pi)
    tangle = rng.uniform(0.2, 0.9)
    for _ in range(int(2 + 26 * amount)):
        _stroke(canvas, flow + rng.normal(0, tangle), rng)
    return _unit(canvas)


def _stroke(canvas: npt.NDArray[np.uint8], angle: float, rng: np.random.Generator) -> None:
    """Draw one hair into `canvas`: a curved ribbon that thins towards its tip."""
    size = len(canvas)
    start = rng.uniform(-0.1, 1.1, 2) * size
    reach = size * rng.uniform(0.25, 0.95)
    end = start + reach * np.array([np.cos(angle), np.sin(angle)])
    bend = (start + end) / 2 + reach * rng.normal(0, 0.16, 2)
    t = np.linspace(0, 1, 13)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    along = 2 * (1 - t) * (bend - start) + 2 * t * (end - bend)
    along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    thick = size * rng.uniform(0.003, 0.008)
    half = 0.5 * thick * np.minimum(1, 0.15 + 1.3 * (1 - t)) * np.minimum(1, 0.5 + 5 * t)
    ribbon = np.concatenate([curve + half * across, (curve - half * across)[::-1]])
    shade = int(255 * rng.uniform(0.65, 1.0))
    cv2.fillPoly(
        canvas, [np.rint(ribbon * 16).astype(np.int32)], shade, cv2.LINE_AA, _SHIFT
    )


def hair_colour(rng: np.random.Generator) -> FloatArray:
    """Return a hair colour at random: mostly dark brown, sometimes blond or grey."""
    palette = (
        (0.13, 0.08, 0.06),
        (0.22, 0.14, 0.10),
        (0.42, 0.29, 0.18),
        (0.60, 0.57, 0.54),
    )
    index = int(rng.choice(4, p=[0.5, 0.3, 0.12, 0.08]))
    return np.array(palette[index], dtype=np.float32)


def _unit(canvas: npt.NDArray[np.uint8], most: float = 1.0) -> FloatArray:
    """Return a drawing in 0–255 as shares from 0 to `most`."""
    return as_float(canvas * np.float32(most / 255))


def _plane(size: int) -> tuple[FloatArray, FloatArray]:
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    return axis[None, :], axis[:, None]


def _fixed(point: PointArray) -> tuple[int, int]:
    return round(float(point[0]) * 16), round(float(point[1]) * 16)
