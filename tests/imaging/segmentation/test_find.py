"""Outlines found in drawn and in real lesions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lentigo.datasets.synthetic import Photograph, draw_with_truth
from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.model import lesion_of
from lentigo.errors import ImageError
from lentigo.imaging.segmentation import find_outline, given_outline

SKIN, BROWN = (224, 178, 160), (120, 72, 52)
Pixels = NDArray[np.uint8]


def skin(height: int = 150, width: int = 200, *, seed: int = 0) -> Pixels:
    """Skin with a little grain."""
    grain = np.random.default_rng(seed).normal(0, 2, (height, width, 1))
    return np.clip(np.array(SKIN) + grain, 0, 255).astype(np.uint8)


def with_disc(image: Pixels, middle: tuple[int, int], radius: int) -> Pixels:
    drawn = cv2.circle(image.copy(), middle, radius, BROWN, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 1.0), np.uint8)


def disc(image: NDArray[Any], middle: tuple[int, int], radius: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    return np.asarray((x - middle[0]) ** 2 + (y - middle[1]) ** 2 <= radius**2)


def jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(("scale", "middle"), [(1, (90, 80)), (5, (110, 70))])
def test_a_disc_is_found_where_it_is_at_any_size(
    scale: int, middle: tuple[int, int]
) -> None:
    x, y = middle[0] * scale, middle[1] * scale
    image = with_disc(skin(150 * scale, 200 * scale), (x, y), 35 * scale)
    found = find_outline(image)
    assert found.found == "one lesion"
    assert found.mask.shape == image.shape[:2]
    assert jaccard(found.mask, disc(image, (x, y), 35 * scale)) > 0.88
    assert np.hypot(found.centre[0] - x, found.centre[1] - y) < 3 * scale
    assert found.area == found.mask.sum()
    assert 0.6 < found.certainty <= 1
    assert not found.cut_off


def test_bare_skin_and_one_colour_hold_no_lesion() -> None:
    for image in (skin(), np.full((60, 60, 3), 127, np.uint8)):
        found = find_outline(image)
        assert (found.found, found.area, found.others) == ("no lesion", 0, 0)
        assert np.isnan([found.certainty, *found.centre]).all()


def test_of_two_lesions_the_main_one_is_outlined_and_the_other_is_counted() -> None:
    image = with_disc(with_disc(skin(), (75, 75), 32), (160, 70), 22)
    found = find_outline(image)
    assert (found.found, found.others) == ("several lesions", 1)
    assert jaccard(found.mask, disc(image, (75, 75), 32)) > 0.85


def test_a_speck_beside_the_lesion_is_counted_as_a_whole_number_of_python() -> None:
    # NumPy's zero is no JSON, and took the process of the service down.
    found = find_outline(with_disc(with_disc(skin(), (60, 75), 38), (160, 75), 9))
    assert found.others == 0
    assert type(found.others) is int


def test_hairs_and_a_black_frame_are_no_lesion() -> None:
    image = with_disc(skin(300, 400), (200, 150), 60)
    for x in range(20, 400, 60):
        cv2.line(image, (x, 0), (x + 30, 300), (40, 30, 30), 3, cv2.LINE_AA)
    image[~disc(image, (200, 150), 190)] = 5
    found = find_outline(image)
    assert jaccard(found.mask, disc(image, (200, 150), 60)) > 0.8


def test_a_lesion_at_the_border_is_cut_off() -> None:
    assert find_outline(with_disc(skin(), (100, 5), 40)).cut_off


def test_drawn_lesions_are_outlined() -> None:
    values = []
    for row in draw_features(18, seed=5).head(4).to_dict("records"):
        lesion = lesion_of({str(name): value for name, value in row.items()})
        seed = int(row["lesion_seed"])
        drawn = draw_with_truth(lesion, Photograph(hair=0.2), size=192, seed=seed)
        values.append(jaccard(find_outline(drawn.image).mask, drawn.lesion_mask))
    assert np.mean(values) > 0.75, values


def test_a_given_mask_is_taken_as_it_is_and_scaled() -> None:
    image = skin()
    small = np.zeros((75, 100), bool)
    small[10:40, 10:50], small[60:70, 60:90] = True, True  # 1,200 and 300 pixels
    small[20, 20] = False  # a hole
    found = given_outline(image, small)
    assert found.given
    assert (found.found, found.others, found.area) == ("several lesions", 1, 4 * 1200)
    assert found.centre == (60, 50)
    assert given_outline(image, np.zeros((150, 200), bool)).found == "no lesion"
    assert given_outline(image, np.ones((150, 200), bool)).found == "fills the picture"
    with pytest.raises(ImageError, match="proportions differ"):
        given_outline(image, np.ones((200, 200), bool))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((60, 60), np.uint8), "array"),
        (np.zeros((60, 60, 3)), "float64"),
        (np.zeros((20, 60, 3), np.uint8), "60 × 20 pixels; .* at least 32"),
        (np.zeros((40, 400, 3), np.uint8), "a strip"),
    ],
)
def test_what_is_no_picture_of_a_lesion_is_refused(image: Any, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        find_outline(image)


def test_a_mirrored_view_of_an_array_does(tmp_path: Path) -> None:
    image = with_disc(skin(), (80, 75), 30)
    assert find_outline(image[:, ::-1]).centre[0] == pytest.approx(120, abs=3)


def test_real_lesions_are_outlined(shared: Path) -> None:
    folder = shared / "data" / "ham10000"
    paths = sorted((folder / "HAM10000_images_part_1").glob("*.jpg"))[::1000]
    masks = folder / "HAM10000_segmentations_lesion_tschandl"
    values = []
    for path in paths:
        truth = np.asarray(Image.open(masks / f"{path.stem}_segmentation.png")) > 127
        image = np.asarray(Image.open(path).convert("RGB"))
        values.append(jaccard(find_outline(image).mask, truth))
    assert np.mean(values) > 0.65, values
