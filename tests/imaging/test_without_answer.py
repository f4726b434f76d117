"""Images on which a measure or a view has nothing to work."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.headers import _frame
from lentigo.imaging.decoding.mask import _marked
from lentigo.imaging.decoding.rgb import scaled, to_eight_bits
from lentigo.imaging.quality.scene import uneven_light
from lentigo.imaging.views.blur import gaussian_blur
from lentigo.imaging.views.frame import crop_frame
from lentigo.imaging.views.smooth import smooth

SKIN = np.full((64, 64, 3), 180, np.uint8)


def test_light_is_not_measured_within_a_black_frame_and_is_even_on_a_plain_one() -> None:
    assert uneven_light(SKIN) == pytest.approx(0, abs=1e-6)
    far = np.hypot(*np.mgrid[-31.5:32, -31.5:32])
    tiny = np.where((far < 18)[..., None], SKIN, 0).astype(np.uint8)
    assert math.isnan(uneven_light(tiny))


def test_a_frame_that_takes_more_than_half_is_left() -> None:
    framed = np.zeros((100, 100, 3), np.uint8)
    framed[10:90, 20:80] = 180
    cropped = crop_frame(framed)
    # The outermost row or column goes while more than 2 % of it is frame.
    assert cropped.min() == 180
    assert cropped.shape[0] >= 76
    assert cropped.shape[1] >= 56
    framed[:] = 0
    framed[30:70, 30:70] = 180
    assert crop_frame(framed) is framed


def test_a_blur_of_no_pixels_changes_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    assert np.array_equal(gaussian_blur(noise, sigma=0), noise)
    assert not np.array_equal(gaussian_blur(noise, sigma=0.1), noise)


def test_an_image_one_pixel_high_is_blurred_along_its_line() -> None:
    line = np.zeros((1, 101, 3), np.uint8)
    line[0, 50] = 255
    blurred = smooth(line, 6.0)
    assert blurred.shape == line.shape
    assert blurred.sum() == pytest.approx(3 * 255, rel=1e-3)
    assert blurred[0, 44, 0] == pytest.approx(blurred[0, 56, 0], rel=1e-3)


def test_samples_of_any_depth_become_eight_bits() -> None:
    assert to_eight_bits(np.array([[np.nan, np.inf]])).tolist() == [[0, 0]]
    assert to_eight_bits(np.array([[0.0, 0.5, 1.0, np.nan]])).tolist() == [[0, 128, 255, 0]]
    deep = np.array([[0, 1023]], np.uint16)  # the smallest usual depth holds ten bits
    assert to_eight_bits(deep).tolist() == [[0, 255]]
    assert to_eight_bits(np.array([[0, 1024]], np.uint16)).tolist() == [[0, 64]]
    assert to_eight_bits(np.array([[-1.0, 0.0, 1.0]])).tolist() == [[0, 128, 255]]
    assert to_eight_bits(np.array([[-3.0, -3.0]])).tolist() == [[0, 0]]
    assert scaled(np.array([[-5.0, 0.0, 10.0, 99.0]]), 0, 10).tolist() == [[0, 0, 255, 255]]


def test_a_mask_that_is_black_where_it_is_opaque_marks_nothing() -> None:
    mask = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    mask.putpixel((1, 1), (0, 0, 0, 255))
    with pytest.raises(ImageError, match=r"The mask m\.png is black wherever"):
        _marked(mask, name="m.png")
    mask.putpixel((2, 2), (255, 255, 255, 255))
    found = np.array(_marked(mask, name="m.png"))
    assert found.any(axis=2).sum() == 1  # what is transparent is not marked
    opaque = Image.new("RGBA", (4, 4), (255, 255, 255, 255))
    assert np.array(_marked(opaque, name="m.png")).all()


def test_a_frame_of_a_jpeg_that_is_cut_short_tells_nothing() -> None:
    whole = bytes([8, 0, 30, 0, 40, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
    facts = _frame(0xC0, whole)
    assert (facts["width"], facts["height"]) == (40, 30)
    assert _frame(0xC0, whole[:5]) == {}
    assert _frame(0xC0, whole[:6])["width"] == 40
