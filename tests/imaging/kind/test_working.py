"""Small copies and tones without OpenCV: the numbers are OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lentigo.imaging.kind.dermoscopic import FEATURES, kind_features
from lentigo.imaging.kind.frame import corners, frame_mask
from lentigo.imaging.kind.working import lab, luma, resized, working

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (192, 256, 3), dtype=np.uint8)


def test_a_smaller_copy_is_the_mean_of_the_area() -> None:
    four = np.array([[[10, 0, 9], [20, 0, 9]], [[30, 0, 9], [40, 8, 9]]], np.uint8)
    assert working(four, side=1).tolist() == [[[25, 2, 9]]]
    theirs = cv2.resize(NOISE, (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(resized(NOISE, (64, 48)).astype(int) - theirs).max() <= 1


def test_a_square_of_the_size_asked_for_stays_as_it_is() -> None:
    assert (working(NOISE[:128, :128], side=128) == NOISE[:128, :128]).all()


def test_luma_is_that_of_opencv() -> None:
    assert (luma(NOISE) == cv2.cvtColor(NOISE, cv2.COLOR_RGB2GRAY)).all()


def test_colours_lie_where_cie_says_they_do() -> None:
    # Values of the primaries under D65, as Lindbloom's tables have them.
    known = {
        (255, 255, 255): (100, 0, 0),
        (0, 0, 0): (0, 0, 0),
        (255, 0, 0): (53.24, 80.09, 67.20),
        (0, 255, 0): (87.73, -86.18, 83.18),
        (0, 0, 255): (32.30, 79.19, -107.86),
    }
    for color, place in known.items():
        assert lab(np.array(color, np.uint8)) == pytest.approx(place, abs=0.05), color


def test_grey_has_no_colour_on_any_processor() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert (lab(grey)[..., 1:] == 0).all()
    # Errors of rounding alone, 5e-14, once gave a grey picture one hue, or several.
    hue = kind_features(np.kron(grey, np.ones((16, 16, 1), np.uint8)))
    assert hue[FEATURES.index("one_hue")] == 0


def test_lightness_and_colours_are_those_of_opencv() -> None:
    theirs = cv2.cvtColor((NOISE / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    assert np.abs(lab(NOISE) - theirs).max() < 0.5


def ring(side: int) -> np.ndarray:
    """A bright round field in a black square."""
    axis = np.arange(side) - (side - 1) / 2
    seen = np.hypot(axis[None], axis[:, None]) < side / 2
    return np.where(seen[..., None], np.uint8(180), np.uint8(5)).repeat(3, axis=2)


def test_the_black_around_a_round_picture_is_frame() -> None:
    image = ring(128)
    dark = image[..., 0] < 40
    assert (frame_mask(image) != dark).sum() < 400  # a pixel along the edge
    assert corners(image)[0, 0]
    assert not corners(image)[64, 64]


def test_neither_a_lesion_nor_a_hair_is_frame() -> None:
    image = np.full((128, 128, 3), 180, np.uint8)
    image[40:80, 40:80] = 5
    assert not frame_mask(image).any()
    image[:, 20] = 5  # from border to border, as thin as a hair
    assert not corners(image).any()
