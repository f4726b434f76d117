"""An image made smaller without OpenCV, as OpenCV makes it."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from lentigo.models.network_view import network_view
from tests.inference.test_predict import noise


@pytest.mark.parametrize(
    ("side", "size"),
    [(192, 160), (256, 224), (448, 384), (64, 32), (96, 32), (100, 99), (257, 31)],
)
def test_an_install_without_opencv_sees_the_same_pixels(
    side: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes of the recipes, of two and three pixels for one, and of odd shares."""
    image = noise(side, size)
    expected = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert np.array_equal(network_view(image, size), expected)
