"""Colours of skin and lesion, computed from the densities of their pigments.

The colour follows the Beer-Lambert law: each pigment absorbs red, green and blue in
proportion to its density, so that brown on dark skin looks realistic.
"""

from __future__ import annotations

import cv2
import numpy as np

from lentigo.datasets.synthetic.anatomy import EXTENT, GRID, Anatomy
from lentigo.datasets.synthetic.model import FIELD_MM, Lesion, Photograph
from lentigo.datasets.synthetic.noise import (
    FloatArray,
    PointArray,
    as_float,
    blurred,
    layered,
    mix,
    step,
)

# Rows red, green, blue; columns brown, blood, black. Chosen by eye against photographs.
_ABSORPTION = np.array(
    [[0.50, 0.10, 1.15], [0.90, 0.72, 1.25], [1.28, 0.52, 1.30]], dtype=np.float32
)

_TONES = np.array(
    [[0.93, 0.80, 0.76], [0.89, 0.72, 0.64], [0.80, 0.60, 0.49], [0.62, 0.43, 0.33],
     [0.42, 0.28, 0.21]], dtype=np.float32,
)  # fmt: skip
"""Colours of skin from very fair to very dark, RGB from 0 to 1."""


class Camera:
    """The position of a lesion in a photograph: it maps coordinates and warps fields."""

    def __init__(self, lesion: Lesion, photograph: Photograph, size: int) -> None:
        self.size = size
        self.radius = 0.5 * size * lesion.diameter_mm / FIELD_MM * photograph.zoom
        self.middle = (
            0.5 * size * np.array([1 + photograph.shift_x, 1 + photograph.shift_y])
        )
        turn = np.deg2rad(photograph.rotation)
        self.turned = np.array(
            [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        )

    def pixels(self, points: PointArray) -> PointArray:
        """Return pixel positions, (n, 2), for points in lesion radii, (n, 2)."""
        return np.asarray(points @ self.turned.T * self.radius + self.middle)

    def warp(self, field: FloatArray) -> FloatArray:
        """Return a field of the lesion, (GRID, GRID[, n]), as (size, size[, n]) pixels."""
        per_pixel = (GRID - 1) / (2 * EXTENT) / self.radius
        inverse = per_pixel * self.turned.T
        offset = (GRID - 1) / 2 - inverse @ self.middle
        matrix = np.concatenate([inverse, offset[:, None]], axis=1)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return as_float(
            cv2.warpAffine(
                field, matrix, (self.size, self.size), flags=flags,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )  # fmt: skip


def _skin(size: int, rng: np.random.Generator) -> FloatArray:
    """Return the densities of brown pigment, blood and black pigment: (3, size, size).

    They are those of the skin alone, without the lesion; black is 0.
    """
    density = np.zeros((3, size, size), dtype=np.float32)
    density[0] = 0.03 * layered(rng, size, 3, octaves=6, gain=0.68)
    density[0] += 0.06 * _furrows(size, rng)
    if rng.random() < 0.35:  # freckles
        spots = layered(rng, size, rng.uniform(7, 14), octaves=2)
        density[0] += np.float32(rng.uniform(0.1, 0.3)) * step(spots, 1.3, 3.4)
    density[1] = 0.055 * layered(rng, size, 2.5, octaves=6, gain=0.65)
    density[1] += np.float32(rng.uniform(0, 0.25))
    return density


def _furrows(size: int, rng: np.random.Generator) -> FloatArray:
    """Return the fine crossing lines of skin markings: (size, size), about 0 to 1."""
    lines = np.zeros((size, size), dtype=np.float32)
    turn = rng.uniform(0, np.pi)
    for extra in (0.0, rng.uniform(0.9, 1.6)):
        grid = rng.standard_normal((48, 48), dtype=np.float32)
        cos, sin = np.cos(turn + extra) / size, np.sin(turn + extra) / size
        # Bumps three times as long as wide: the lines where the field is 0 are long.
        matrix = np.array([[10 * cos, -10 * sin, 20.0], [30 * sin, 30 * cos, 10.0]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        field = as_float(
            cv2.warpAffine(
                grid, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT
            )
        )
        lines += np.float32(0.6) * np.exp(-np.square(field * 4))
    return lines


def paint_skin_and_lesion(
    lesion: Lesion, anatomy: Anatomy, camera: Camera, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the lesion on its skin, (3, size, size), and the depth of each pixel.

    Depth is the distance from the outline in lesion radii, positive inside.
    """
    depth = camera.warp(anatomy.depth)
    cover = step(depth, -0.75 * anatomy.edge, anatomy.edge)
    fine = layered(rng, camera.size, 26, octaves=4, gain=0.75)
    black, red, white, veil = _shares(lesion, camera.warp(anatomy.blotches), cover, fine)
    pigment = camera.warp(anatomy.pigment) * np.float32(0.40 + 0.85 * lesion.pigment)
    structure = _network(lesion, anatomy, camera, fine) + _dots(anatomy, camera)
    pigment = pigment * cover + structure * np.sqrt(cover) * (1 - 0.3 * black)
    clear = (1 - 0.80 * white) * (1 - 0.45 * red) * (1 - 0.5 * veil)
    density = _skin(camera.size, rng)
    density[0] += pigment * clear * (1 + np.float32(0.07) * fine)
    density[1] += np.float32(0.7) * red + np.float32(0.18) * cover
    density[2] += black * (1.25 + np.float32(0.2) * fine) * (1 - 0.4 * veil)
    picture = _seen_through(density, lesion.skin_tone)
    mix(picture, np.float32(0.45) * white, (0.92, 0.85, 0.85))
    _cover_with_veil(picture, veil, fine, rng)
    return picture, depth


def _shares(
    lesion: Lesion, blotches: FloatArray, cover: FloatArray, fine: FloatArray
) -> list[FloatArray]:
    """Return the share of black, red, white and blue-white veil in each pixel.

    These are four arrays (size, size). `blotches` are the lesion's fields at this size,
    `cover` is 1 inside the lesion and 0 outside, and `fine` is noise.
    """
    strengths = (
        lesion.black_area,
        lesion.red_area,
        lesion.white_area,
        lesion.blue_white_veil,
    )
    softness = ((-0.12, 0.16), (-0.3, 0.32), (-0.2, 0.25), (-0.28, 0.28))
    return [
        cover
        * step(field + np.float32(0.04) * fine, *soft)
        * np.float32(0.7 + 0.3 * strength)
        for field, soft, strength in zip(
            cv2.split(blotches), softness, strengths, strict=True
        )
    ]


def _seen_through(density: FloatArray, tone: float) -> FloatArray:
    """Return the RGB colour, (3, size, size), of skin of `tone` below these pigments.

    `density` is (3, size, size), in the order of `_skin`.
    """
    steps = np.linspace(0, 1, len(_TONES))
    skin = [np.interp(tone, steps, channel) for channel in _TONES.T]
    picture = np.tensordot(-_ABSORPTION, density, axes=1)
    np.exp(picture, out=picture)
    picture *= np.array(skin, dtype=np.float32)[:, None, None]
    return as_float(picture)


def _network(
    lesion: Lesion, anatomy: Anatomy, camera: Camera, fine: FloatArray
) -> FloatArray:
    """Return the density of the pigment network: brown lines around light holes.

    `fine`, (size, size), is fine noise that blurs the edges of the lines.
    """
    typical = 0.45 if lesion.pattern == "reticular" else 0.0
    strength = max(typical, 0.95 * lesion.atypical_network)
    if strength < 0.05:
        return np.zeros((camera.size, camera.size), dtype=np.float32)
    spacing = anatomy.mesh_width * camera.radius
    spacing = max(spacing, 2.0)
    holes = np.full((camera.size, camera.size), 255, dtype=np.uint8)
    places = np.rint(camera.pixels(anatomy.meshes)).astype(int)
    seen = ((places >= 0) & (places < camera.size)).all(axis=1)
    holes[places[seen, 1], places[seen, 0]] = 0
    distance = as_float(cv2.distanceTransform(holes, cv2.DIST_L2, 5)) / np.float32(spacing)
    lines = step(distance + np.float32(0.04) * fine, 0.30, 0.62)
    present = step(camera.warp(anatomy.patchwork), -0.6, 0.8)
    return as_float(np.float32(strength) * (lines - np.float32(0.3)) * present)


def _dots(anatomy: Anatomy, camera: Camera) -> FloatArray:
    """Return the density of dots and globules: round, brown to black, slightly blurred."""
    canvas = np.zeros((camera.size, camera.size), dtype=np.float32)
    centres = camera.pixels(anatomy.globules[:, :2])
    for (x, y), (radius, darkness) in zip(centres, anatomy.globules[:, 2:], strict=True):
        centre = (round(x * 16), round(y * 16))
        pixels = max(round(radius * camera.radius * 16), 8)
        cv2.circle(canvas, centre, pixels, float(darkness), -1, cv2.LINE_8, 4)
    return blurred(canvas, max(0.5, 0.012 * camera.radius))


def _cover_with_veil(
    picture: FloatArray, veil: FloatArray, fine: FloatArray, rng: np.random.Generator
) -> None:
    """Blend the blue-white veil into `picture`, in place: blue-grey with a white film."""
    film = layered(rng, len(veil), 6, octaves=4, gain=0.65)
    mix(picture, veil * (0.76 + np.float32(0.12) * film), (0.28, 0.34, 0.46))
    mix(
        picture,
        np.float32(0.4) * veil * step(film + 0.2 * fine, -0.5, 2.2),
        (0.63, 0.68, 0.77),
    )
