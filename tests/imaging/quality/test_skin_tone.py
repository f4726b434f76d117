"""The skin's tone from the rim of an image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import rgb2lab

from lentigo.imaging.quality.skin_tone import skin_tone_angle, tone


def lesion_on(skin: tuple[int, int, int]) -> np.ndarray:
    image = np.full((100, 140, 3), skin, dtype=np.uint8)
    image[30:70, 40:100] = (70, 40, 40)
    return image


@pytest.mark.parametrize("skin", [(235, 205, 185), (200, 150, 120), (120, 80, 60)])
def test_the_angle_is_chardons_of_the_skin_and_not_of_the_lesion(
    skin: tuple[int, int, int],
) -> None:
    lightness, _, yellow = rgb2lab(np.array(skin, dtype=np.uint8))
    expected = math.degrees(math.atan((lightness - 50) / yellow))
    assert skin_tone_angle(lesion_on(skin)) == pytest.approx(expected, abs=0.5)


def test_lighter_skin_has_a_larger_angle() -> None:
    light, dark = (skin_tone_angle(lesion_on(s)) for s in ((235, 205, 185), (120, 80, 60)))
    assert light > dark
    assert (tone(light), tone(dark)) == ("very light", "dark")


def test_a_black_frame_in_a_corner_does_not_count() -> None:
    image = lesion_on((200, 150, 120))
    framed = image.copy()
    framed[:, :10] = 0
    assert skin_tone_angle(framed) == pytest.approx(skin_tone_angle(image), abs=0.1)


def test_an_image_without_skin_has_no_angle() -> None:
    assert math.isnan(skin_tone_angle(np.zeros((50, 50, 3), np.uint8)))
    assert math.isnan(skin_tone_angle(np.full((50, 50, 3), 255, np.uint8)))
    assert tone(math.nan) == "unknown"


def test_blue_light_is_no_skin() -> None:
    assert math.isnan(skin_tone_angle(np.full((50, 50, 3), (120, 150, 250), np.uint8)))


def test_one_pixel_is_its_own_rim() -> None:
    assert math.isfinite(skin_tone_angle(np.full((1, 1, 3), (200, 150, 120), np.uint8)))


def test_a_grey_photograph_has_no_skin_tone() -> None:
    # Errors of rounding in b* once made it "very light" or "dark", by its level of grey.
    for level in (80, 118, 125, 200, 240):
        assert math.isnan(skin_tone_angle(np.full((50, 60, 3), level, np.uint8))), level
