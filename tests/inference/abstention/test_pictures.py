"""Image measures of abstention: blur, light and frame."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lentigo.inference.abstention.pictures import (
    PICTURE_SIGNALS,
    _means,
    picture_signals,
    side_for,
)


def test_the_means_are_those_of_scipy() -> None:
    plane = np.random.default_rng(0).integers(0, 256, (21, 21)).astype(np.float32)
    for found, side in zip(_means(plane), (3, 9), strict=True):
        known = ndimage.uniform_filter(plane, side, mode="nearest")
        assert found == pytest.approx(known, abs=1e-3)


def test_a_blurred_picture_has_the_higher_blur() -> None:
    sharp = np.random.default_rng(0).integers(90, 200, (64, 64, 3)).astype(np.uint8)
    soft = ndimage.gaussian_filter(sharp, (2, 2, 0))
    place = PICTURE_SIGNALS.index("blur")
    blur = [picture_signals(each)[0][place] for each in (sharp, soft)]
    assert blur[0] < 0 < blur[1]


def test_light_is_that_outside_a_black_frame() -> None:
    square = np.full((64, 64, 3), 204, np.uint8)
    square[:, :16] = 0
    found = dict(zip(PICTURE_SIGNALS, picture_signals(square)[0], strict=True))
    assert found["frame"] == pytest.approx(16 / 64, abs=2 / 64)
    assert found["bright"] == pytest.approx(0.8, abs=0.01) == -found["dark"]


def test_without_early_features_all_is_measured_as_it_was_when_there_were_none() -> None:
    y, x = np.mgrid[:192, :192]
    square = np.where((np.hypot(x - 90, y - 100) < 97)[..., None], [200, 150, 130], 5)
    square[np.hypot(x - 80, y - 90) < 30] = 90, 60, 50
    found, _ = picture_signals(square.astype(np.uint8), side=side_for(early=False))
    # What the version before early features measured on this square.
    known = [-0.35376595, 0.04484843, 0.16497725, -0.60224349, 0.60224349, 0.22277832]
    assert found == pytest.approx(known, abs=1e-6)
    smaller, _ = picture_signals(square.astype(np.uint8), side=side_for(early=True))
    assert smaller[:3] == pytest.approx(known[:3], abs=1e-6)
    assert (smaller[3:] != found[3:]).all()
