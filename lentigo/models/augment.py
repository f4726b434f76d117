"""Random augmentation of a training image: an affine warp, a colour matrix, drawn objects.

All geometric changes are one warp and all colour changes one 3 × 4 matrix, so the image is
interpolated once, in a seventh of the time of the usual chain of single operations.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.config import AugmentConfig
from lentigo.imaging.disturbances import STRENGTHS
from lentigo.imaging.disturbances.drawn import hair, ruler
from lentigo.imaging.views.constancy import shades_of_gray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_MOST_HAIR = 3
"""Highest strength of drawn hair (15 hairs); strength 5, with 40 hairs, would take longer
than all other changes together."""

# Luma of ITU-R BT.601: the grey value that a pixel has without saturation.
_LUMA = np.array([0.299, 0.587, 0.114])


def augment(
    image: Image, config: AugmentConfig, *, size: int, rng: np.random.Generator
) -> Image:
    """Return a random variation of `image`, (H, W, 3) `uint8` to (size, size, 3) `uint8`.

    Pixels that the warp takes from outside the image are filled by reflection, because
    black corners would look like the vignette of a dermatoscope. Colour constancy (shades
    of gray), if it is drawn, comes before the change of colours (Barata et al. 2015,
    doi:10.1109/JBHI.2014.2336473). Hair and a ruler are drawn after the warp and before the
    change of colours: an object that lies in random images cannot become a sign of melanoma
    (Mikołajczyk-Bareła et al. 2023, arXiv:2308.11386).
    """
    if config.constancy and rng.random() < config.constancy:
        image = shades_of_gray(image)
    warp = warp_matrix(config, image.shape[0], size, rng)
    source = image
    shrink = image.shape[0] / size
    if shrink > 1.5:
        # Bilinear warping alone would alias; the mean over areas first does not.
        near = round(size * 1.25)
        source = cv2.resize(image, (near, near), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        warp[:, :2] *= near / image.shape[0]
        warp[:, 2] *= near / image.shape[0]
    varied = cv2.warpAffine(
        source,
        warp,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    varied = with_things_drawn(varied, config, rng)  # type: ignore[arg-type]
    colour = colour_matrix(config, rng)
    if colour is not None:
        varied = cv2.transform(varied, colour)
    if config.blur and rng.random() < 1 / 3:
        sigma = rng.uniform(0.1, 1.0) * config.blur
        varied = cv2.GaussianBlur(varied, (0, 0), sigma)
    if config.erase and rng.random() < 1 / 2:
        varied = erased(varied, config.erase, rng)  # type: ignore[arg-type]
    return varied  # type: ignore[return-value]


def with_things_drawn(
    image: Image, config: AugmentConfig, rng: np.random.Generator
) -> Image:
    """Return `image`, (H, W, 3), with hair and a ruler drawn into it at random.

    `config.hair` and `config.ruler` are the probabilities that each of them is drawn.
    """
    if config.hair and rng.random() < config.hair:
        image = hair(image, int(rng.integers(1, _MOST_HAIR + 1)), rng)
    if config.ruler and rng.random() < config.ruler:
        image = ruler(image, int(rng.choice(STRENGTHS)), rng)
    return image


def erased(image: Image, share: float, rng: np.random.Generator) -> Image:
    """Return a copy of `image` with a random square filled with the mean colour of `image`.

    The side of the square is `share` of the shorter side of the image. The centre of the
    square may be anywhere, so a part of it may lie outside the image (cutout,
    DeVries & Taylor 2017, arXiv:1708.04552; the winners of 2020 took 0.375, Ha et al. 2020,
    arXiv:2010.05351).
    """
    height, width = image.shape[:2]
    half = share * min(height, width) / 2
    row, column = rng.uniform(0, height), rng.uniform(0, width)
    rows = slice(max(0, round(row - half)), round(row + half))
    columns = slice(max(0, round(column - half)), round(column + half))
    painted = image.copy()
    painted[rows, columns] = image.mean(axis=(0, 1)).round()
    return painted


def warp_matrix(
    config: AugmentConfig, side: int, size: int, rng: np.random.Generator
) -> Matrix:
    """Draw the affine matrix, (2, 3), from result pixels to pixels of the image.

    `side` is the side of the square image, and `size` that of the square result.
    """
    angle = np.deg2rad(rng.uniform(-config.rotate, config.rotate))
    zoom = (1 + config.scale) ** rng.uniform(-1, 1)
    ratio = (1 + config.stretch) ** rng.uniform(-0.5, 0.5)
    mirror = -1.0 if config.flip and rng.random() < 0.5 else 1.0
    upside = -1.0 if config.flip and config.rotate and rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * ratio / zoom, upside / ratio / zoom]) * (side / size)
    moved = (side - 1) / 2 + rng.uniform(-config.shift, config.shift, size=2) * side
    centre = np.full(2, (size - 1) / 2)
    return np.column_stack([linear, moved - linear @ centre])


def colour_matrix(config: AugmentConfig, rng: np.random.Generator) -> Matrix | None:
    """Draw the affine matrix, (3, 4), of RGB values in 0–255; None if no change is set."""
    if not (config.brightness or config.contrast or config.saturation or config.hue):
        return None
    brightness = 1 + rng.uniform(-config.brightness, config.brightness)
    contrast = 1 + rng.uniform(-config.contrast, config.contrast)
    saturation = 1 + rng.uniform(-config.saturation, config.saturation)
    grey = np.tile(_LUMA, (3, 1))
    linear = saturation * np.eye(3) + (1 - saturation) * grey
    if config.hue:
        linear = _turn_hue(np.deg2rad(rng.uniform(-config.hue, config.hue))) @ linear
    offset = np.full((3, 1), 127.5 * (1 - contrast))
    return np.hstack([linear * contrast * brightness, offset * brightness])


def _turn_hue(angle: float) -> Matrix:
    """Rotate RGB about the grey axis (Rodrigues), so that grey stays grey."""
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array(
        [[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]]
    )
    return np.asarray(
        np.cos(angle) * np.eye(3)
        + np.sin(angle) * cross
        + (1 - np.cos(angle)) * np.outer(axis, axis)
    )
