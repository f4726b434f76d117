"""One drawn photograph: its truth, its limits, and that its features can be seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from lentigo.datasets.synthetic import (
    Drawing,
    Lesion,
    Photograph,
    draw_lesion,
    draw_with_truth,
)
from lentigo.errors import ConfigError


def _drawn(lesion: Lesion | None = None, **photograph: float) -> Drawing:
    taken = Photograph(**photograph)  # type: ignore[arg-type]
    return draw_with_truth(lesion or Lesion(), taken, size=128, seed=7)


def _in_lesion(drawing: Drawing) -> npt.NDArray[np.float64]:
    inside: npt.NDArray[np.float64] = drawing.hairless[drawing.lesion_mask].astype(float)
    return inside


@pytest.mark.parametrize("size", [64, 65, 96, 150, 256, 1024])
def test_any_size_from_64_to_1024_can_be_drawn(size: int) -> None:
    image = draw_lesion(Lesion(), Photograph(hair=0.5, ruler=True), size=size)
    assert image.shape == (size, size, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("size", [63, 1025, 0, -5])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="64 to 1024"):
        draw_lesion(Lesion(), size=size)


_FEATURES = (
    (Lesion(), Photograph()),
    (
        Lesion(asymmetry=0.9, border_irregularity=0.8, pattern="reticular",
               irregular_globules=0.8, skin_tone=0.6),
        Photograph(hair=0.5, ruler=True, vignette=0.5, uneven_light=0.6, rotation=30),
    ),
    (
        Lesion(blue_white_veil=0.8, black_area=0.6, red_area=0.6, white_area=0.6,
               atypical_network=0.9, diameter_mm=9.0),
        Photograph(sticker=True, bubbles=True, zoom=1.2, view=2, warmth=0.9),
    ),
)  # fmt: skip
"""Together they show everything that can be drawn."""

DRAWN = Path(__file__).with_name("drawn.json")


def test_what_a_seed_draws_stays_what_it_was() -> None:
    """Other pictures under the same seed would be another data set of the same name.

    Where they are to change, `python -m tests.datasets.synthetic.test_synthetic_painting`
    writes them anew.
    """
    for known, seen in zip(json.loads(DRAWN.read_text("utf-8")), _coarse(), strict=True):
        assert seen == pytest.approx(np.array(known), abs=1.0)


def _coarse() -> list[npt.NDArray[np.float64]]:
    """The mean and the spread of 8 × 8 fields of the three pictures."""
    found = []
    for seed, (lesion, photograph) in enumerate(_FEATURES):
        image = draw_lesion(lesion, photograph, size=128, seed=seed).astype(float)
        fields = image.reshape(8, 16, 8, 16, 3)
        parts = fields.mean(axis=(1, 3)), fields.std(axis=(1, 3))
        found.append(np.stack(parts).round(1))
    return found


def test_the_same_seed_gives_the_same_pixels() -> None:
    first, second = draw_lesion(Lesion(), seed=3), draw_lesion(Lesion(), seed=3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, draw_lesion(Lesion(), seed=4))


def test_hair_changes_the_picture_only_under_its_mask() -> None:
    drawing = _drawn(hair=0.6, ruler=True, sticker=True, bubbles=True, vignette=0.5)
    differs = (drawing.image != drawing.hairless).any(axis=2)
    assert not (differs & ~drawing.hair_mask).any()
    assert 0.02 < drawing.hair_mask.mean() < 0.6
    assert differs[drawing.hair_mask].mean() > 0.8


def test_without_hair_picture_and_hairless_picture_are_one() -> None:
    drawing = _drawn(vignette=0.4, ruler=True)
    assert np.array_equal(drawing.image, drawing.hairless)
    assert not drawing.hair_mask.any()


def test_hair_leaves_everything_else_as_it_was() -> None:
    assert np.array_equal(_drawn(hair=0.9).hairless, _drawn(hair=0.0).image)


def test_the_mask_has_the_area_that_the_diameter_says() -> None:
    for millimetres in (4.0, 6.0, 8.0):
        drawing = _drawn(Lesion(diameter_mm=millimetres))
        expected = np.pi / 4 * (millimetres / 16) ** 2  # of a field 16 mm wide
        assert drawing.lesion_mask.mean() == pytest.approx(expected, rel=0.12)


def test_a_lesion_is_darker_than_its_skin() -> None:
    for tone in (0.0, 0.5, 1.0):
        drawing = _drawn(Lesion(skin_tone=tone))
        around = drawing.hairless[~drawing.lesion_mask].mean()
        assert _in_lesion(drawing).mean() < 0.85 * around


def test_a_turned_camera_turns_the_outline() -> None:
    lesion = Lesion(asymmetry=0.9)
    upright, turned = _drawn(lesion).lesion_mask, _drawn(lesion, rotation=90).lesion_mask
    assert (np.rot90(upright, -1) == turned).mean() > 0.98
    assert (upright == turned).mean() < 0.97


def test_another_view_shows_the_same_lesion_with_other_grain() -> None:
    first, second = _drawn(view=0), _drawn(view=1)
    assert np.array_equal(first.lesion_mask, second.lesion_mask)
    assert not np.array_equal(first.image, second.image)


def test_the_veil_is_blue_and_covers_more_the_stronger_it_is() -> None:
    blue = []
    for strength in (0.0, 0.3, 0.6, 1.0):
        colour = _in_lesion(_drawn(Lesion(blue_white_veil=strength)))
        blue.append(float((colour[:, 2] > colour[:, 0]).mean()))
    assert blue[0] < 0.01
    assert blue == sorted(blue)
    assert blue[-1] > 0.25


def test_black_red_and_white_areas_can_be_seen() -> None:
    plain = _in_lesion(_drawn())
    black = _in_lesion(_drawn(Lesion(black_area=1.0)))
    red = _in_lesion(_drawn(Lesion(red_area=1.0)))
    white = _in_lesion(_drawn(Lesion(white_area=1.0)))
    assert (black.max(axis=1) < 60).mean() > (plain.max(axis=1) < 60).mean() + 0.15
    # Brown takes more blue than green from the light, blood more green than blue.
    assert _quantile_of_blue_over_green(red) > _quantile_of_blue_over_green(plain) + 8
    assert np.quantile(white.min(axis=1), 0.9) > np.quantile(plain.min(axis=1), 0.9) + 30


def _quantile_of_blue_over_green(colour: npt.NDArray[np.float64]) -> float:
    return float(np.quantile(colour[:, 2] - colour[:, 1], 0.9))


def _grain(lesion: Lesion) -> float:
    """How much grey differs between a pixel and its neighbourhood inside the lesion."""
    drawing = _drawn(lesion)
    grey = cv2.cvtColor(drawing.hairless, cv2.COLOR_RGB2GRAY).astype(float)
    inside = cv2.erode(drawing.lesion_mask.astype(np.uint8), np.ones((9, 9))) > 0
    return float((grey - cv2.GaussianBlur(grey, (0, 0), 3))[inside].std())


def test_globules_and_a_network_can_be_seen() -> None:
    plain = Lesion(pattern="homogeneous")
    assert _grain(replace(plain, irregular_globules=1.0)) > 1.5 * _grain(plain)
    assert _grain(replace(plain, atypical_network=1.0)) > 1.5 * _grain(plain)


def test_irregular_borders_are_longer() -> None:
    def border(lesion: Lesion) -> int:
        mask = _drawn(lesion).lesion_mask
        return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())

    assert border(Lesion(border_irregularity=1.0)) > 1.15 * border(Lesion())


@pytest.mark.parametrize(
    "wrong",
    [
        {"asymmetry": 1.2},
        {"blue_white_veil": -0.1},
        {"diameter_mm": 30.0},
        {"pattern": "starburst"},
    ],
)
def test_senseless_lesions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="give"):
        Lesion(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"hair": 2.0}, {"zoom": 3.0}, {"shift_x": 0.9}, {"view": -1}]
)
def test_senseless_photographs_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Photograph(**wrong)  # type: ignore[arg-type]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ConfigError, match="seed"):
        draw_lesion(Lesion(), size=64, seed=-1)


if __name__ == "__main__":
    DRAWN.write_text(json.dumps([each.tolist() for each in _coarse()]) + "\n", "utf-8")
