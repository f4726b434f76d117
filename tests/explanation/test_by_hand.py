"""Maps, patches and outlines whose numbers can be counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lentigo.explanation.faithfulness import deletion_insertion, likeness, says_nothing
from lentigo.explanation.occlusion import GRID, occlusion
from lentigo.explanation.patch import SIDE, _axis, _skin, lesion_patch
from lentigo.service.explained import outlined


@dataclass
class Counting:
    """Answers the share of bright pixels as a logit, and keeps what it was shown."""

    metadata: None = None

    def __post_init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def answers(self, squares: np.ndarray, *, looks: int) -> np.ndarray:
        assert looks == 1
        self.shown.extend(squares)
        return np.asarray((squares[..., 0] > 127).mean(axis=(1, 2))[None] * 4.0)


def halves() -> np.ndarray:
    """Left half white, right half black."""
    square = np.zeros((28, 28, 3), np.uint8)
    square[:, :14] = 255
    return square


def test_fifteen_images_each_are_judged_from_none_to_all_of_the_map() -> None:
    model: Any = Counting()
    heat = np.arange(28 * 28, dtype=np.float32).reshape(28, 28)
    deletion, insertion = deletion_insertion(model, halves(), heat)
    assert len(model.shown) == 2 * 15
    first, last = model.shown[0], model.shown[14]
    assert np.array_equal(first, halves())  # nothing is blurred yet
    assert np.array_equal(model.shown[15], last)  # all of it
    assert np.array_equal(model.shown[29], halves())
    changed = [(each != first).any(axis=2) for each in model.shown[:15]]
    assert not changed[1][:26].any()  # the hottest fourteenth are the last two rows
    assert changed[1][26:].any()
    curve = np.array([4 * (each[..., 0] > 127).mean() for each in model.shown])
    chance = (1 / (1 + np.exp(-curve))).reshape(2, 15)
    area = chance[:, 1:-1].sum(axis=1) / 14 + chance[:, [0, -1]].sum(axis=1) / 28
    assert (deletion, insertion) == pytest.approx(tuple(area))


def test_windows_of_a_fifth_are_covered_one_at_a_time() -> None:
    model: Any = Counting()
    square = np.zeros((50, 50, 3), np.uint8)
    square[20:30, 20:30] = 255  # as large as a window
    (heat,) = occlusion(model, square[None])
    assert GRID == 9
    assert len(model.shown) == 1 + 9 * 9
    first = (model.shown[1] != square).any(axis=2)
    assert not first[10:].any()
    assert not first[:, 10:].any()
    assert heat.max() == heat[25, 25] > 0
    assert heat[0, 0] == 0
    assert heat.min() == 0  # where the logit rises there is no heat


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ([[1, 2], [3, 4]], [[10, 20], [30, 400]], 1.0),
        ([[1, 2], [3, 4]], [[4, 3], [2, 1]], -1.0),
        ([[1, 2], [3, 4]], [[7, 7], [7, 7]], 0.0),
        ([[7, 7], [7, 7]], [[1, 2], [3, 4]], math.nan),
    ],
)
def test_likeness_is_of_ranks(
    one: list[list[int]], two: list[list[int]], alike: float
) -> None:
    maps = [np.array(each, np.float32) for each in (one, two)]
    assert likeness(maps[0], maps[1]) == pytest.approx(alike, nan_ok=True)


def test_likeness_looks_at_every_fourth_pixel_unless_they_are_all_alike() -> None:
    large = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    other = large.copy()
    other[1::4] = 0
    assert likeness(large, other) == pytest.approx(1)
    sparse = np.zeros((16, 16), np.float32)
    sparse[1, 1] = 1
    assert likeness(sparse, sparse) == pytest.approx(1)


@pytest.mark.parametrize(
    ("alike", "nothing"), [(0.499, False), (0.5, True), (1.0, True), (-1.0, False)]
)
def test_a_map_fails_from_a_half_on(alike: float, nothing: bool) -> None:
    assert says_nothing(np.eye(3, dtype=np.float32), alike) == nothing
    assert says_nothing(np.ones((3, 3), np.float32), alike)


def disc(radius: float, side: int = SIDE) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.asarray(np.hypot(x, y) <= radius)


@pytest.mark.parametrize(("distance", "counts"), [(1.05, False), (1.2, True), (1.5, True),
                                                  (1.7, False)])  # fmt: skip
def test_skin_is_looked_at_in_a_ring(distance: float, counts: bool) -> None:
    lab = np.zeros((SIDE, SIDE, 3), np.float32)
    ring = disc(60 * (distance + 0.02)) & ~disc(60 * (distance - 0.02))
    lab[ring] = 50
    found = _skin(lab, disc(60), ring)
    assert (found.tolist() == [50, 50, 50]) == counts
    assert np.isnan(found).all() == (not counts)


@pytest.mark.parametrize(("pixels", "counts"), [(49, False), (50, True)])
def test_fifty_pixels_of_skin_are_enough(pixels: int, counts: bool) -> None:
    seen = np.zeros((SIDE, SIDE), bool)
    middle = (SIDE - 1) // 2
    seen[middle - pixels // 2 : middle - pixels // 2 + pixels, middle + 66] = True
    found = _skin(np.zeros((SIDE, SIDE, 3), np.float32), disc(55), seen)
    assert np.isfinite(found).all() == counts


@pytest.mark.parametrize("degrees", [0, 30, 90, -45])
def test_the_long_axis_of_an_ellipse(degrees: float) -> None:
    y, x = np.mgrid[-100:101, -100:101].astype(float)
    turn = np.radians(degrees)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    inside = (along / 80) ** 2 + (across / 20) ** 2 <= 1
    axis, elongation = _axis(x[inside], y[inside])
    assert abs((axis - degrees + 90) % 180 - 90) < 1
    assert elongation == pytest.approx(4, rel=0.02)


def test_a_patch_is_centred_and_reaches_96_pixels() -> None:
    image = np.full((120, 160, 3), (220, 180, 160), np.uint8)
    mask = np.zeros((120, 160), bool)
    mask[40:81, 50:91] = True
    patch = lesion_patch(image, mask)
    y, x = np.nonzero(patch.mask)
    middle = (SIDE - 1) / 2
    assert (x.mean(), y.mean()) == pytest.approx((middle, middle), abs=0.6)
    far = np.hypot(x - middle, y - middle).max()
    assert far == pytest.approx(96 * np.hypot(20, 20) / (np.hypot(20, 20) + 1), abs=0.8)
    assert patch.radius == pytest.approx(math.sqrt(patch.mask.sum() / math.pi))
    inner = np.nonzero(patch.core)
    border = (np.ptp(x) - np.ptp(inner[1])) / 2
    assert border == pytest.approx(0.08 * patch.radius, abs=1.5)
    turned = patch.turned(90)
    assert turned.mask.sum() == pytest.approx(patch.mask.sum(), rel=0.01)
    assert turned.axis == patch.axis


def test_an_outline_is_drawn_as_two_lines_and_closed() -> None:
    plain = np.full((400, 200, 3), 255, np.uint8)
    corners = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    drawn = outlined(plain, corners)
    assert (plain == 255).all()
    black, cyan = (drawn == 0).all(axis=2), (drawn == (0, 255, 255)).all(axis=2)
    assert cyan[100:301, 50].all()  # the last side, back to the first corner
    assert cyan[100, 50:151].all()
    assert cyan[200].sum() == 2
    assert black[200].sum() == 4  # of three pixels a side the middle one is cyan
    large = outlined(np.full((1600, 800, 3), 255, np.uint8), corners)
    assert (large == (0, 255, 255)).all(axis=2)[800].sum() == 2 * 4
