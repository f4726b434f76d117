"""Maps of a network whose reason is known: it looks at one corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from lentigo.explanation.faithfulness import deletion_insertion, likeness, says_nothing
from lentigo.explanation.occlusion import occlusion
from lentigo.explanation.run import mean_map
from lentigo.explanation.shares import share_on, things_in
from lentigo.models.backend import Images, Logits, Predictor, Preparation

CORNER = np.s_[:16, :16]
WAY = Preparation(32, "stretch", 10**6)


@dataclass
class Corner:
    """Calls melanoma by how dark the upper left quarter of 32 × 32 pixels is."""

    engine: str = "onnx"
    preparation: Preparation = WAY
    image_size: int = 32
    view: tuple[str, ...] = ("rgb",)
    diagnoses: tuple[str, ...] = ()
    metadata: None = None

    def use(self, device: str) -> None:
        """Compute here."""

    def answers(self, squares: Images, *, looks: int | None = None) -> Logits:
        """Return 4 for a black corner, −4 for a white one."""
        light = squares[:, CORNER[0], CORNER[1]].mean(axis=(1, 2, 3)) / 255
        return np.asarray(4 - 8 * light)[None]


MODEL = cast("Predictor", Corner())


def dark_corner() -> Images:
    square = np.full((32, 32, 3), 255, np.uint8)
    square[CORNER] = 0
    return square


def corner_map() -> NDArray[np.float32]:
    heat = np.zeros((32, 32), np.float32)
    heat[CORNER] = 1
    return heat


def test_occlusion_finds_the_corner_and_nothing_else() -> None:
    (heat,) = occlusion(MODEL, dark_corner()[None])
    assert heat.shape == (32, 32)
    assert heat[13:16, 13:16].min() > 0  # farther in, what covers the corner is dark, too
    assert heat[24:, 24:].max() == pytest.approx(0, abs=1e-9)
    inside = np.zeros((32, 32), bool)
    inside[CORNER] = True
    assert share_on(heat, inside) > 0.7


def test_the_right_map_is_more_faithful_than_the_wrong_one() -> None:
    right = deletion_insertion(MODEL, dark_corner(), corner_map())
    wrong = deletion_insertion(MODEL, dark_corner(), corner_map()[::-1, ::-1].copy())
    assert right[0] < wrong[0]
    assert right[1] > wrong[1]
    assert all(0 <= area <= 1 for area in (*right, *wrong))


def test_a_map_that_stays_alike_or_is_even_says_nothing() -> None:
    heat = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    assert likeness(heat, heat) == pytest.approx(1)
    assert says_nothing(heat, 1.0)
    assert abs(likeness(heat, heat[::-1].copy())) < 0.5
    assert not says_nothing(heat, 0.49)
    assert not says_nothing(heat, float("nan"))  # not checked
    even = np.ones((32, 32), np.float32)
    assert np.isnan(likeness(even, heat))
    assert says_nothing(even, float("nan"))


def test_a_map_of_which_shuffled_weights_leave_nothing_is_checked() -> None:
    """The usual case of Grad-CAM: the map of shuffled weights is 0 all over."""
    nothing = np.zeros((32, 32), np.float32)
    assert likeness(corner_map(), nothing) == 0
    assert not says_nothing(corner_map(), likeness(corner_map(), nothing))
    spot = nothing.copy()
    spot[5, 5] = 1  # between the points that are compared otherwise
    assert likeness(spot, nothing) == 0


def test_each_network_counts_alike_in_the_mean() -> None:
    steep, flat = 100 * corner_map(), corner_map()[::-1, ::-1].copy()
    mean = mean_map([steep, flat])
    assert mean[0, 0] == mean[-1, -1] == 1
    assert mean_map([np.zeros((4, 4), np.float32)]).max() == 0


def test_shares_are_counted_by_area_of_heat() -> None:
    square = np.full((64, 64, 3), (224, 178, 160), np.uint8)
    lesion = np.zeros((64, 64), bool)
    lesion[16:32, 16:32] = True
    things = things_in(square, lesion)
    even = np.ones((64, 64), np.float32)
    assert share_on(even, things["lesion"]) == 1 / 16
    assert [share_on(even, things[name]) for name in ("ruler", "ink", "frame")] == [0, 0, 0]
    assert np.isnan(share_on(0 * even, things["lesion"]))


def test_rounding_alone_shows_nothing() -> None:
    """A feature map of one cell, enlarged, differs in its last digits only."""
    noise = np.random.default_rng(0).uniform(0, 1e-7, (32, 32)).astype(np.float32)
    even = np.ones((32, 32), np.float32) - noise
    assert np.ptp(even) > 0
    assert np.isnan(likeness(even, corner_map()))
    assert says_nothing(even, float("nan"))
    assert likeness(corner_map(), even) == 0
