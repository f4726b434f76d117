"""Disturbances are pure, grow with their strength, and do what their names say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lentigo.errors import ConfigError, ImageError, UnknownNameError
from lentigo.imaging.artefacts.registry import ARTEFACTS
from lentigo.imaging.disturbances import DISTURBANCES, STRENGTHS, disturb
from lentigo.imaging.disturbances.camera import turned
from lentigo.imaging.disturbances.light import toned
from lentigo.imaging.disturbances.occlusion import only_lesion, without_box, without_lesion
from lentigo.imaging.quality.numbers import sharpness
from lentigo.imaging.quality.skin_tone import skin_tone_angle
from tests.imaging.segmentation.test_find import SKIN, skin, with_disc


@pytest.fixture(scope="module")
def lesion() -> np.ndarray:
    return with_disc(skin(), (100, 75), 30)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_each_is_pure_repeatable_and_grows_with_its_strength(
    name: str, lesion: np.ndarray
) -> None:
    before = lesion.copy()
    shown = [disturb(lesion, name, each, seed=4) for each in STRENGTHS]
    assert (lesion == before).all()
    assert all(each.shape == lesion.shape and each.dtype == np.uint8 for each in shown)
    assert (disturb(lesion, name, 3, seed=4) == shown[2]).all()
    away = [float(np.abs(each.astype(float) - lesion).mean()) for each in shown]
    assert away[0] > 0
    # A JPEG of a smooth image may round more luckily at a lower quality.
    assert np.all(np.diff(away) >= (-0.6 if name == "jpeg" else 0)), away
    assert away[4] > away[0]


def test_what_is_drawn_by_chance_follows_the_seed(lesion: np.ndarray) -> None:
    for name, row in DISTURBANCES.items():
        if row.seeded:
            shown = {disturb(lesion, name, 3, seed=each).tobytes() for each in range(6)}
            assert len(shown) > 1, name


@pytest.mark.parametrize("name", ["hair", "ruler", "ink", "vignette", "frame"])
def test_what_is_drawn_in_is_found_by_its_own_detector(
    name: str, lesion: np.ndarray
) -> None:
    square = np.ascontiguousarray(lesion[:150, 25:175])
    artefact = ARTEFACTS[name]
    assert not artefact.present(artefact.function(square))
    assert artefact.present(artefact.function(disturb(square, name, 4, seed=1)))


@pytest.mark.parametrize("degrees", [-20.0, -10.0, 10.0])
def test_the_skin_tone_moves_by_the_degrees_asked_for(
    degrees: float, lesion: np.ndarray
) -> None:
    before = skin_tone_angle(lesion)
    assert skin_tone_angle(toned(lesion, degrees)) - before == pytest.approx(degrees, abs=2)


@pytest.mark.parametrize("colour", [(150, 110, 140), (180, 130, 132)])
def test_the_skin_tone_moves_under_bluish_light_too(colour: tuple[int, int, int]) -> None:
    # Without yellow there is no angle, and such images once stayed as they were: a third
    # of HAM10000; with little of it "lighter" made them darker.
    skin = np.full((64, 64, 3), colour, np.uint8)
    levels = [toned(skin, degrees).mean() for degrees in (-40, -20, 0, 20, 40)]
    assert (np.diff(levels) > 2).all()


def test_an_image_without_skin_keeps_its_tone() -> None:
    black = np.zeros((40, 40, 3), np.uint8)
    assert (toned(black, -30) == black).all()
    grey = np.full((64, 64, 3), 125, np.uint8)  # no yellow but errors of rounding
    assert (toned(grey, -30) == grey).all()


def test_eight_views_are_eight_and_the_first_is_the_image() -> None:
    image = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    views = [turned(image, each) for each in range(8)]
    assert (views[0] == image).all()
    assert (views[4] == image[:, ::-1]).all()
    assert len({each.tobytes() for each in views}) == 8


def test_less_resolution_and_blur_are_less_sharp(lesion: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    grained = np.clip(lesion + rng.normal(0, 12, lesion.shape), 0, 255).astype(np.uint8)
    for name in ("blur", "low_resolution"):
        assert sharpness(disturb(grained, name, 4)) < 0.8 * sharpness(grained)


def test_parts_are_hidden_by_one_flat_colour(lesion: np.ndarray) -> None:
    mask = np.zeros(lesion.shape[:2], dtype=bool)
    mask[50:100, 80:120] = True
    for shown, hidden in (
        (only_lesion(lesion, mask), ~mask),
        (without_lesion(lesion, mask), mask),
    ):
        assert len(np.unique(shown[hidden], axis=0)) == 1
        assert (shown[~hidden] == lesion[~hidden]).all()
    boxed = (without_box(lesion, mask) != lesion).any(axis=2)
    assert boxed[46:104, 77:123].mean() > 0.9  # a tenth more on each side
    assert not boxed[:44].any()


def test_nonsense_is_refused(lesion: np.ndarray) -> None:
    with pytest.raises(UnknownNameError, match="ruler"):
        disturb(lesion, "rulers", 1)
    with pytest.raises(ConfigError, match="strength is 6"):
        disturb(lesion, "ruler", 6)
    with pytest.raises(ImageError, match="RGB"):
        disturb(lesion[..., 0], "ruler", 1)


def test_the_colour_of_what_is_hidden_is_that_of_the_skin_beside_frame_and_hair() -> None:
    image = np.full((200, 200, 3), SKIN, np.uint8)
    y, x = np.mgrid[:200, :200]
    middle = (x - 100) ** 2 + (y - 100) ** 2
    for at in (40, 60, 140, 160):
        cv2.line(image, (at, 0), (at + 10, 199), (20, 15, 15), 2, cv2.LINE_AA)
    lesion = middle < 20**2
    image[lesion] = (90, 60, 50)
    image[middle > 95**2] = 0  # the frame: more than a quarter of the image
    hidden = without_lesion(image, lesion)
    assert np.unique(hidden[lesion], axis=0).tolist() == [list(SKIN)]
    dark = middle > 60**2
    image[dark] = 0  # of 40,000 pixels 28,700, so that a median alone is black
    hidden = without_lesion(image, lesion)
    assert np.unique(hidden[lesion], axis=0).tolist() == [list(SKIN)]
