"""Drawing of one photograph of one lesion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from lentigo.datasets.synthetic import artefacts
from lentigo.datasets.synthetic.anatomy import build_anatomy
from lentigo.datasets.synthetic.model import Lesion, Photograph
from lentigo.datasets.synthetic.noise import FloatArray, as_float, blurred
from lentigo.datasets.synthetic.skin import Camera, paint_skin_and_lesion
from lentigo.errors import ConfigError

SMALLEST, LARGEST = 64, 1024
"""Smallest and largest side of an image that can be drawn, in pixels."""

_FINE = 144
"""Smaller images are first drawn with this side (at most twice their own) and then scaled
down, for smooth lines."""


@dataclass(frozen=True)
class Drawing:
    """A drawn photograph and its exact masks; `size` is the side of the image."""

    image: npt.NDArray[np.uint8]
    """(size, size, 3) RGB."""
    hairless: npt.NDArray[np.uint8]
    """The same photograph without hair; equal to `image` wherever `hair_mask` is False."""
    lesion_mask: npt.NDArray[np.bool_]
    """(size, size), True inside the lesion's outline."""
    hair_mask: npt.NDArray[np.bool_]
    """(size, size), True where hair covers at least a part of the pixel."""


def draw_lesion(
    lesion: Lesion, photograph: Photograph | None = None, *, size: int = 256, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Return an image of `lesion`: RGB, (size, size, 3). See `draw_with_truth`."""
    return draw_with_truth(lesion, photograph, size=size, seed=seed).image


def draw_with_truth(
    lesion: Lesion, photograph: Photograph | None = None, *, size: int = 256, seed: int = 0
) -> Drawing:
    """Return an image of `lesion` with and without hair, and the masks of lesion and hair.

    `seed` decides what the features leave open, so the same lesion with the same seed looks
    the same; another `photograph.view` is another photograph of it.

    Raises `ConfigError` for a side outside of 64 to 1024 pixels or a negative seed.
    """
    check_size(size)
    if seed < 0:
        raise ConfigError(f"seed is {seed}; give 0 or more.")
    photograph = photograph or Photograph()
    work = max(size, min(2 * size, _FINE))
    anatomy = build_anatomy(lesion, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1, photograph.view])
    camera = Camera(lesion, photograph, work)
    colour, depth = paint_skin_and_lesion(lesion, anatomy, camera, rng)
    shading = artefacts.light(photograph, work, rng)
    colour *= shading
    _add_objects(colour, photograph, rng)
    through = artefacts.frame(photograph, work, rng)
    colour *= through
    hairless = _grained(_pixels(colour), size, rng)
    image, hair_mask = hairless, np.zeros((size, size), dtype=bool)
    if photograph.hair > 0:
        cover = _shrunk(artefacts.hairs(photograph.hair, work, rng), size)
        hair = artefacts.hair_colour(rng) * _shrunk(_pixels(shading * through), size)
        image = hairless + cover[..., None] * (hair - hairless)
        hair_mask = cover > 0
    return Drawing(
        image=_bytes(image),
        hairless=_bytes(hairless),
        lesion_mask=_shrunk(depth, size) > 0,
        hair_mask=hair_mask,
    )


def check_size(size: int) -> None:
    """Raise `ConfigError` unless `size` is a side that can be drawn, in pixels."""
    if not SMALLEST <= size <= LARGEST:
        raise ConfigError(
            f"size is {size}; drawn images have {SMALLEST} to {LARGEST} pixels."
        )


def _add_objects(
    colour: FloatArray, photograph: Photograph, rng: np.random.Generator
) -> None:
    if photograph.bubbles:
        artefacts.add_bubbles(colour, rng)
    if photograph.ruler:
        artefacts.add_ruler(colour, rng)
    if photograph.sticker:
        artefacts.add_sticker(colour, rng)


def _grained(colour: FloatArray, size: int, rng: np.random.Generator) -> FloatArray:
    """Return the image at its final size, with the noise of the sensor."""
    small = _shrunk(colour, size)
    grain = blurred(rng.standard_normal((size, size), dtype=np.float32), 0.45)
    return np.asarray(
        np.clip(small + np.float32(0.014) * grain[..., None], 0, 1), np.float32
    )


def _pixels(planes: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1))


def _shrunk(field: FloatArray, size: int) -> FloatArray:
    if len(field) == size:
        return field
    return as_float(cv2.resize(field, (size, size), interpolation=cv2.INTER_AREA))


def _bytes(image: FloatArray) -> npt.NDArray[np.uint8]:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
