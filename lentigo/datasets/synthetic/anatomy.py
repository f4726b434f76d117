"""The lesion in coordinates of its own, which are the same for every photograph of it.

Fields cover [-EXTENT, EXTENT]², in units of the radius of a disc with the lesion's area.
They are smooth, so a small grid is enough; a photograph warps them to its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lentigo.datasets.synthetic.model import Lesion
from lentigo.datasets.synthetic.noise import FloatArray, PointArray, layered, step

GRID = 112
"""Number of points along a side of the grid of every field."""

EXTENT = 2.2


@dataclass(frozen=True)
class Anatomy:
    """The smooth fields of one lesion, each (GRID, GRID), and its small structures."""

    depth: FloatArray
    """Distance from the outline in radii, positive inside and negative outside."""
    pigment: FloatArray
    """Relative density of brown pigment, with a mean near 1."""
    blotches: FloatArray
    """(GRID, GRID, 4): black, red, white and blue-white veil; positive inside a blotch."""
    patchwork: FloatArray
    """Field that is above 0 where the pigment network is strong, and below where it is
    broken."""
    meshes: PointArray
    """(n, 2) centres of the holes of the pigment network."""
    globules: PointArray
    """(n, 4): x, y, radius and darkness of each dot and globule."""
    mesh_width: float
    """Distance between neighbouring holes of the network, in radii."""
    edge: float
    """Width of the zone at the border in which the lesion fades, in radii."""


def build_anatomy(lesion: Lesion, rng: np.random.Generator) -> Anatomy:
    """Return the fields of `lesion`; `rng` decides what its features leave open."""
    axis = np.linspace(-EXTENT, EXTENT, GRID, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    towards = float(rng.uniform(0, 2 * np.pi))
    depth = _outline(lesion, towards, x, y, rng)
    across = x * np.cos(towards) + y * np.sin(towards)
    mesh_width = _mesh_width(lesion, rng)
    return Anatomy(
        depth=depth,
        pigment=_pigment(lesion, depth, across, rng),
        blotches=_blotches(lesion, depth, x, y, rng),
        patchwork=layered(rng, GRID, 5) - np.float32(0.9 * lesion.atypical_network - 0.7),
        meshes=_meshes(mesh_width, lesion.atypical_network, rng),
        globules=_globules(lesion, towards, rng),
        mesh_width=mesh_width,
        edge=float(
            np.clip(rng.uniform(0.3, 0.5) - 0.3 * lesion.border_irregularity, 0.1, 0.5)
        ),
    )


def _outline(
    lesion: Lesion, towards: float, x: FloatArray, y: FloatArray, rng: np.random.Generator
) -> FloatArray:
    angle = np.linspace(0, 2 * np.pi, 512, endpoint=False)
    radius = 1 + rng.uniform(0.03, 0.22) * np.cos(2 * (angle - rng.uniform(0, np.pi)))
    for order, strength in ((1, 0.20), (3, 0.16), (4, 0.07)):
        turn = towards if order == 1 else rng.uniform(0, 2 * np.pi)
        radius += lesion.asymmetry * strength * np.cos(order * (angle - turn))
    bite = np.angle(np.exp(1j * (angle - towards - rng.uniform(1.6, 4.6))))
    radius -= 0.35 * lesion.asymmetry * np.exp(-((bite / 0.45) ** 2))
    for order in range(5, 15):
        strength = (
            0.11 / np.sqrt(order) * lesion.border_irregularity * rng.uniform(0.3, 1.3)
        )
        radius += strength * np.cos(order * (angle - rng.uniform(0, 2 * np.pi)))
    radius = np.clip(radius, 0.35, 1.7)
    radius /= np.sqrt((radius**2).mean())  # the area stays that of the disc
    place = (np.arctan2(y, x) % (2 * np.pi) * (512 / (2 * np.pi))).astype(int) % 512
    depth = radius.astype(np.float32)[place] - np.hypot(x, y)
    ragged = 0.025 + 0.11 * lesion.border_irregularity
    return np.asarray(depth + ragged * layered(rng, GRID, 9, octaves=4), dtype=np.float32)


def _pigment(
    lesion: Lesion, depth: FloatArray, across: FloatArray, rng: np.random.Generator
) -> FloatArray:
    mottled = 0.12 + 0.20 * lesion.asymmetry
    middle = rng.uniform(-0.25, 0.45)  # darker or lighter towards the middle
    density = (
        1
        + mottled * layered(rng, GRID, 4, octaves=4, gain=0.6)
        + middle * (step(depth, 0, 0.9) - 0.5)
    )
    density += 0.55 * lesion.asymmetry * across
    return np.asarray(np.clip(density, 0.15, 2.2), dtype=np.float32)


_SHARES = {"black_area": 0.38, "red_area": 0.38, "white_area": 0.28, "blue_white_veil": 0.5}


def _blotches(
    lesion: Lesion,
    depth: FloatArray,
    x: FloatArray,
    y: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    inside = depth > 0.08
    first = rng.uniform(0, 2 * np.pi)
    fields = []
    for sector, (name, most) in enumerate(_SHARES.items()):
        angle = first + sector * np.pi / 2 + rng.normal(0, 0.25)
        away = rng.uniform(0.3, 0.65)
        distance = np.hypot(x - away * np.cos(angle), y - away * np.sin(angle))
        field = 0.30 * layered(rng, GRID, 5, octaves=4, gain=0.6) - distance
        share = most * getattr(lesion, name)
        # The threshold is the quantile at which the blotch has the area of the feature.
        level = np.quantile(field[inside], 1 - share) if share > 0.002 else np.inf
        fields.append(np.maximum(field - level, -9))
    return np.stack(fields, axis=-1).astype(np.float32)


def _mesh_width(lesion: Lesion, rng: np.random.Generator) -> float:
    millimetres = rng.uniform(0.36, 0.46) + 0.30 * lesion.atypical_network
    return float(2 * millimetres / lesion.diameter_mm)


def _meshes(width: float, atypical: float, rng: np.random.Generator) -> PointArray:
    count = int(2 * 1.5 / width) + 1
    column, row = np.meshgrid(np.arange(count), np.arange(int(count * 1.16) + 1))
    points = (
        np.stack([column + 0.5 * (row % 2), row * 0.866], axis=-1).reshape(-1, 2) * width
    )
    points += rng.normal(0, width * (0.13 + 0.17 * atypical), points.shape)
    return np.asarray(points - points.mean(axis=0), dtype=np.float64)


def _globules(lesion: Lesion, towards: float, rng: np.random.Generator) -> PointArray:
    parts = [np.empty((0, 4))]
    if lesion.pattern == "globular":
        parts.append(_scattered(int(rng.integers(45, 80)), 0.62, np.zeros(2), rng))
        parts[-1][:, 2] = rng.uniform(0.035, 0.055, len(parts[-1])) * 6 / lesion.diameter_mm
        parts[-1][:, 3] = 0.55
    count = round(34 * lesion.irregular_globules)
    if count:
        middle = 0.4 * np.array([np.cos(towards), np.sin(towards)])
        dots = _scattered(count, 0.42, middle, rng)
        dots[:, 2] = rng.uniform(0.02, 0.075, count) * 7 / lesion.diameter_mm
        dots[:, 3] = rng.uniform(1.0, 2.4, count)
        parts.append(dots)
    return np.concatenate(parts)


def _scattered(
    count: int, spread: float, middle: PointArray, rng: np.random.Generator
) -> PointArray:
    places = middle + spread * np.clip(rng.standard_normal((count, 2)), -1.6, 1.6)
    return np.concatenate([places, np.zeros((count, 2))], axis=1)
