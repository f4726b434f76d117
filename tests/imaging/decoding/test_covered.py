"""What a decode at a fraction covers of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from lentigo.imaging.decoding.covered import covered_size, turned_box


@pytest.mark.parametrize(
    ("full", "decoded", "expected"),
    [
        ((16, 8), (16, 8), (16, 8)),
        ((16, 8), (2, 1), (2, 1)),
        ((17, 9), (9, 5), (8.5, 4.5)),  # rounded up: half a column is made up
        ((17, 9), (3, 2), (2.125, 1.125)),
        ((1, 1), (1, 1), (1, 1)),
        ((17, 9), (10, 5), (10, 5)),  # no such fraction: taken as it is
    ],
)
def test_the_size_that_is_covered(
    full: tuple[int, int], decoded: tuple[int, int], expected: tuple[float, float]
) -> None:
    assert covered_size(full, decoded) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_box_turns_as_pillow_turns_the_picture(orientation: int) -> None:
    pixels = np.zeros((6, 9), np.uint8)
    pixels[:4, :7] = 255  # what is covered
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    left, top, right, bottom = turned_box((9, 6), (7, 4), orientation)
    expected = np.zeros_like(upright)
    expected[int(top) : int(bottom), int(left) : int(right)] = 255
    assert np.array_equal(upright, expected)
