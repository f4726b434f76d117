"""The ABCD rule on drawn lesions whose asymmetry, border, colours and size are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lentigo.explanation.abcd import (
    STRUCTURES,
    WEIGHTS,
    Abcd,
    diameters,
    fractal_dimension,
    is_tiny,
    measure_abcd,
)
from lentigo.explanation.colors import COLORS
from lentigo.imaging.segmentation import given_outline
from tests.imaging.segmentation.test_find import BROWN, SKIN

Pixels = NDArray[np.uint8]
MIDDLE = (200, 150)


def empty() -> Pixels:
    return np.zeros((300, 400), np.uint8)


def painted(mask: Pixels, color: tuple[int, int, int] = BROWN) -> Pixels:
    image = np.full((300, 400, 3), SKIN, np.uint8)
    image[mask > 0] = color
    return image


def ellipse(turn: int = 30) -> Pixels:
    mask = cv2.ellipse(empty(), MIDDLE, (90, 60), turn, 0, 360, 1, cv2.FILLED)
    return np.asarray(mask, np.uint8)


def lopsided() -> Pixels:
    """A disc with a smaller one at its side and another one on top: no axis mirrors it."""
    mask = cv2.circle(empty(), (170, 160), 60, 1, cv2.FILLED)
    cv2.circle(mask, (250, 180), 30, 1, cv2.FILLED)
    cv2.rectangle(mask, (150, 60), (180, 120), 1, cv2.FILLED)
    return np.asarray(mask, np.uint8)


def star() -> Pixels:
    angle = np.linspace(0, 2 * np.pi, 400)
    radius = 80 + 14 * np.sin(12 * angle)
    edge = np.stack([200 + radius * np.cos(angle), 150 + radius * np.sin(angle)], axis=1)
    return np.asarray(cv2.fillPoly(empty(), [edge.astype(np.int32)], 1), np.uint8)


@pytest.mark.parametrize("turn", [0, 30, 77])
def test_an_even_ellipse_is_symmetric_however_it_lies(turn: int) -> None:
    mask = ellipse(turn)
    found = measure_abcd(painted(mask), given_outline(painted(mask), mask > 0))
    assert (found.asymmetry, found.colors, found.present) == (0, 1, ["dark_brown"])
    assert found.shape_asymmetry < 0.02
    assert found.diameter_pixels == pytest.approx(181, abs=2)
    assert found.width_pixels == pytest.approx(121, abs=2)
    assert found.compactness == pytest.approx(0.92, abs=0.05)  # of an ellipse 3 : 2


def test_an_ellipse_dark_at_one_end_is_asymmetric_about_one_axis() -> None:
    mask = ellipse(0)
    image = painted(mask)
    image[:, 200:][mask[:, 200:] > 0] = (50, 30, 25)
    found = measure_abcd(image, given_outline(image, mask > 0))
    assert found.asymmetry == 1
    assert found.color_asymmetry > 5 > found.shape_asymmetry


def test_a_lopsided_shape_is_asymmetric_about_both() -> None:
    mask = lopsided()
    found = measure_abcd(painted(mask), given_outline(painted(mask), mask > 0))
    assert found.asymmetry == 2
    assert found.shape_asymmetry > 0.1


def test_a_sharp_border_ends_abruptly_all_around_and_a_soft_one_nowhere() -> None:
    mask = ellipse()
    sharp = painted(mask)
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 18), np.uint8)
    borders = [measure_abcd(each, given_outline(each, mask > 0)).border
               for each in (sharp, soft)]  # fmt: skip
    assert borders == [8, 0]
    half = np.where((np.arange(400) < 200)[None, :, None], sharp, soft).astype(np.uint8)
    assert measure_abcd(half, given_outline(half, mask > 0)).border in {3, 4, 5}


def test_a_star_is_less_compact_than_a_disc_and_its_border_is_rougher() -> None:
    disc = np.asarray(cv2.circle(empty(), MIDDLE, 80, 1, cv2.FILLED), np.uint8)
    found = [
        measure_abcd(painted(mask), given_outline(painted(mask), mask > 0))
        for mask in (disc, star())
    ]
    assert found[0].compactness > 0.93
    assert found[1].compactness < 0.5
    assert found[1].fractal_dimension > found[0].fractal_dimension


def test_a_square_has_a_smooth_border_and_a_known_diagonal() -> None:
    mask = np.zeros((256, 256), bool)
    mask[50:150, 50:150] = True
    assert fractal_dimension(mask) == pytest.approx(1, abs=0.1)
    longest, narrowest = diameters(mask)
    assert longest == pytest.approx(100 * 2**0.5, abs=2)
    assert narrowest == pytest.approx(100, abs=1)


def test_all_six_colours_are_told_apart_with_their_shares() -> None:
    palette = {
        "white": (240, 232, 225), "red": (200, 60, 60), "light_brown": (170, 115, 75),
        "dark_brown": (95, 55, 35), "blue_grey": (95, 110, 130), "black": (25, 20, 20),
    }  # fmt: skip
    disc = np.asarray(cv2.circle(empty(), MIDDLE, 90, 1, cv2.FILLED), np.uint8)
    image = painted(disc)
    y, x = np.mgrid[:300, :400]
    sector = ((np.degrees(np.arctan2(y - 150, x - 200)) % 360) // 60).astype(int)
    for number, color in enumerate(palette.values()):
        image[(disc > 0) & (sector == number)] = color
    found = measure_abcd(image, given_outline(image, disc > 0))
    assert found.colors == 6
    assert [getattr(found, name) for name in COLORS] == pytest.approx([1 / 6] * 6, abs=0.01)


def test_the_total_score_is_the_published_sum_and_leaves_structures_open() -> None:
    mask = lopsided()
    found = measure_abcd(
        painted(mask), given_outline(painted(mask), mask > 0), mm_per_pixel=0.05
    )
    known = 1.3 * found.asymmetry + 0.1 * found.border + 0.5 * found.colors
    assert found.total_low == pytest.approx(known + 0.5 * 1)
    assert found.total_high == pytest.approx(known + 0.5 * 5)
    assert (WEIGHTS["structures"], STRUCTURES) == (0.5, (1, 5))
    assert found.verdict == "benign by the rule to highly suspicious"  # 4.4 to 6.4
    assert found.diameter_mm == pytest.approx(0.05 * found.diameter_pixels)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (2, 200), (300, 7)])
def test_a_lesion_of_a_few_pixels_is_not_measured(shape: tuple[int, int]) -> None:
    mask = empty()
    mask[:, :] = 0
    mask[0 : shape[0], 10 : 10 + shape[1]] = 1
    mask = np.roll(mask, (300 - shape[0]) // 2, axis=0)
    outline = given_outline(painted(mask), mask > 0)
    assert is_tiny(outline.mask)
    assert measure_abcd(painted(mask), outline) == pytest.approx(Abcd(), nan_ok=True)


def test_a_hair_over_a_lesion_is_no_asymmetry_of_its_colours() -> None:
    mask = ellipse(0)
    plain = painted(mask)
    hairy = plain.copy()
    for at in (-30, -15, 0):
        cv2.line(hairy, (60, 110 + at), (330, 150 + at), (15, 12, 10), 2, cv2.LINE_AA)
    bare, found = (
        measure_abcd(image, given_outline(image, mask > 0)) for image in (plain, hairy)
    )
    assert bare.color_asymmetry < 0.5
    assert found.color_asymmetry < 1
    assert found.asymmetry == 0


def test_a_lesion_that_is_cut_off_has_colours_only_and_none_has_nothing() -> None:
    mask = np.asarray(cv2.circle(empty(), (200, 0), 80, 1, cv2.FILLED), np.uint8)
    found = measure_abcd(painted(mask), given_outline(painted(mask), mask > 0))
    assert found.colors == 1
    assert np.isnan([found.asymmetry, found.diameter_pixels, found.total_low]).all()
    nothing = measure_abcd(painted(empty()))
    assert np.isnan(list(nothing.as_dict().values())).all()
    assert (nothing.verdict, nothing.present) == ("no score", [])
