"""A map in colours, and laid over its image."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.explanation import overlay as module
from lentigo.explanation.overlay import in_colors, overlay


def test_cold_is_nearly_black_and_hot_is_pale_yellow() -> None:
    heat = np.array([[0.0, 1.0, 1 / 24]], np.float32)
    cold, hot, between = in_colors(heat)[0].tolist()
    assert cold == [0, 0, 4]
    assert hot == [252, 255, 164]
    assert between == [5, 4, 23]  # the second of 25 steps


def test_the_image_shows_through_by_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    square = np.full((4, 4, 3), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    drawn = overlay(square, heat, None)
    assert drawn[1, 1].tolist() == [100, 100, 100]
    assert drawn[0, 0].tolist() == [
        round(0.45 * 100 + 0.55 * part) for part in (252, 255, 164)
    ]
    lesion = np.zeros((4, 4), bool)
    lesion[1:3, 1:3] = True
    assert not np.array_equal(overlay(square, heat, lesion), drawn)
    monkeypatch.setattr(module, "has_opencv", lambda: False)
    assert np.array_equal(overlay(square, heat, lesion), drawn)
