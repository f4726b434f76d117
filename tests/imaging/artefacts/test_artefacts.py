"""The detectors on drawn lesions whose artefacts are known, and on real originals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lentigo.datasets.synthetic import Photograph, draw_with_truth
from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.model import lesion_of
from lentigo.errors import ImageError
from lentigo.imaging.artefacts import ARTEFACTS, artefact_scores
from lentigo.imaging.artefacts.hair import hair
from lentigo.imaging.artefacts.marks import _spread
from lentigo.imaging.artefacts.ruler import mark_distance, ruler
from lentigo.imaging.artefacts.sticker import patches
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.square import to_square

Image = NDArray[np.uint8]
COUNT = 20
SIZES = (128, 256, 512)
LABELS = Path(__file__).with_name("artefact_labels.csv")


@cache
def drawings(size: int, **artefact: float) -> list[Image]:
    """Twenty drawn lesions with the artefact asked for, and nothing else."""
    table = draw_features(120, seed=21).drop_duplicates("lesion_id").head(COUNT)
    images = []
    for view, row in enumerate(table.to_dict("records")):
        lesion = lesion_of({str(name): value for name, value in row.items()})
        photograph = Photograph(view=view, **artefact)  # type: ignore[arg-type]
        seed = int(row["lesion_seed"])
        images.append(draw_with_truth(lesion, photograph, size=size, seed=seed).image)
    return images


def found(images: Sequence[Image], name: str) -> int:
    artefact = ARTEFACTS[name]
    return sum(artefact.present(artefact.function(image)) for image in images)


@pytest.mark.parametrize("size", SIZES)
def test_a_bare_lesion_has_no_artefact(size: int) -> None:
    """Measured on 20 lesions: at most one at 128 and 256 pixels, two at 512."""
    for name in ARTEFACTS:
        assert found(drawings(size), name) <= 2, name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "artefact", "least"),
    [
        ("hair", {"hair": 0.5}, 18),
        ("ruler", {"ruler": True}, 15),
        ("sticker", {"sticker": True}, 13),  # one of six drawn stickers is grey
        ("frame", {"vignette": 0.8}, 19),
    ],
)
def test_a_drawn_artefact_is_found(
    name: str, artefact: dict[str, float], least: int, size: int
) -> None:
    assert found(drawings(size, **artefact), name) >= least


def test_the_size_of_the_square_hardly_matters() -> None:
    for name, artefact in ARTEFACTS.items():
        if name in {"ruler", "bubble", "ink"}:
            continue  # fine marks are lost in a small square, and said to be
        scores = [
            np.array([artefact.function(image) for image in drawings(size, hair=0.5)])
            for size in (256, 512)
        ]
        assert np.median(np.abs(scores[0] - scores[1])) < 0.02, name


def skin(size: int = 256) -> Image:
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 3, (size, size, 1))
    return np.clip(np.array([210, 165, 145]) + grain, 0, 255).astype(np.uint8)


def soft(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.7), np.uint8)


def test_marks_at_even_distances_are_a_ruler_and_uneven_ones_are_not() -> None:
    even, uneven = skin(), skin()
    for nth in range(7):
        cv2.line(even, (20 + 25 * nth, 230), (20 + 25 * nth, 245), (30, 30, 30), 2)
    for place in (20, 50, 62, 109, 121, 177, 214):
        cv2.line(uneven, (place, 230), (place, 245), (30, 30, 30), 2)
    assert ruler(even) > 0.8
    assert ruler(uneven) < ARTEFACTS["ruler"].limit


def scale(distance: float, *, line: bool, every: int = 5) -> Image:
    """600 × 450 skin with marks at `distance` pixels, one in `every` longer."""
    rng = np.random.default_rng(0)
    plain = np.array([215, 170, 150.0]) + rng.normal(0, 4, (450, 600, 3))
    image = np.clip(plain, 0, 255).astype(np.uint8)
    for mark in range(int(540 / distance) + 1):
        x, length = round(16 * (30 + mark * distance)), 27 if mark % every == 0 else 16
        ends = (x, 16 * 13), (x, 16 * (13 + length))
        cv2.line(image, *ends, (20, 20, 20), 2, cv2.LINE_AA, 4)
    if line:
        cv2.line(image, (20, 13), (580, 13), (20, 20, 20), 2)
    return image


@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("distance", [16, 20, 27, 35, 47, 58])
def test_the_distance_is_that_of_one_mark_to_the_next(distance: float, line: bool) -> None:
    assert mark_distance(scale(distance, line=line)) == pytest.approx(distance, rel=0.04)


@pytest.mark.parametrize("line", [False, True])
@pytest.mark.parametrize("distance", [16, 20, 27, 35])
def test_where_every_second_mark_is_longer_the_distance_is_that_of_the_long_ones(
    distance: float, line: bool
) -> None:
    drawn = scale(distance, line=line, every=2)
    assert mark_distance(drawn) == pytest.approx(2 * distance, rel=0.04)


@pytest.mark.parametrize(("every", "known"), [(1, True), (2, False)])
def test_three_marks_with_a_longer_one_between_give_no_distance(
    every: int, known: bool
) -> None:
    image = skin()
    for nth, length in enumerate((12, 12 * (2 if every == 2 else 1), 12)):
        cv2.line(image, (80 + 25 * nth, 200), (80 + 25 * nth, 200 + length), (30,) * 3, 2)
    assert np.isnan(mark_distance(image)) != known


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("ISIC_0000129", 14.2),
        ("ISIC_0000134", 13.9),
        ("ISIC_0000492", 18.2),
        ("ISIC_0000536", 14.1),
    ],
)
def test_scales_of_whole_and_half_millimetres_are_read_in_whole_ones(
    shared: Path, name: str, pixels: float
) -> None:
    """Counted by eye in the 256 × 256 images: long and short marks stand in turn."""
    folder = shared / "data" / "isic2017" / "ISIC-2017_Training_Data"
    image = read_image(folder / f"{name}.jpg")
    assert mark_distance(image) == pytest.approx(pixels, rel=0.05)


def test_a_scale_on_a_line_is_a_ruler_and_no_hair_and_the_line_alone_is_none() -> None:
    scale, line = skin(), skin()
    for image in (scale, line):
        cv2.line(image, (60, 200), (180, 210), (60, 50, 50), 1, cv2.LINE_AA)
    for nth in range(13):
        foot = (60 + 10 * nth, round(200 + 10 * nth / 12))
        cv2.line(scale, foot, (foot[0], foot[1] - 5), (60, 50, 50), 1, cv2.LINE_AA)
    # No camera draws a line as sharp as this one.
    scale, line = soft(scale), soft(line)
    assert ruler(scale) > 0.6
    assert hair(scale) < ARTEFACTS["hair"].limit
    assert ruler(line) < ARTEFACTS["ruler"].limit
    assert hair(line) > 0


@pytest.mark.parametrize(
    "colour", [(20, 120, 220), (235, 225, 30), (240, 130, 40), (80, 195, 190)]
)
def test_a_disc_at_the_border_is_a_sticker_and_its_area_is_the_score(
    colour: tuple[int, int, int],
) -> None:
    image, middle = skin(), skin()
    cv2.circle(image, (256, 128), 60, colour, -1, cv2.LINE_AA)
    cv2.circle(middle, (128, 128), 40, colour, -1, cv2.LINE_AA)
    area = np.pi * 60**2 / 2 / 256**2
    assert ARTEFACTS["sticker"].function(image) == pytest.approx(area, rel=0.1)
    assert patches(image)[64, 120]
    # In the middle of the picture it would be a lesion.
    assert ARTEFACTS["sticker"].function(middle) == 0


def test_violet_strokes_are_ink_and_brown_ones_are_not() -> None:
    violet, brown = skin(), skin()
    for image, colour in ((violet, (120, 70, 190)), (brown, (110, 70, 50))):
        cv2.polylines(image, [np.array([[30, 40], [90, 30], [60, 90]])], True, colour, 4)
    assert ARTEFACTS["ink"].present(ARTEFACTS["ink"].function(violet))
    assert ARTEFACTS["ink"].function(brown) == 0


def test_glints_are_counted_as_gel_and_a_white_lesion_is_not() -> None:
    glints, white = skin(), skin()
    for place in range(20, 240, 12):
        cv2.circle(glints, (place, 100), 2, (255, 255, 255), -1)
    cv2.circle(white, (128, 128), 40, (250, 245, 240), -1)
    assert ARTEFACTS["bubble"].present(ARTEFACTS["bubble"].function(glints))
    assert ARTEFACTS["bubble"].function(white) == 0


def test_light_that_falls_to_all_corners_is_a_vignette_and_to_one_side_is_not() -> None:
    axis = np.linspace(-1, 1, 256)
    distance = np.hypot(axis[None], axis[:, None])[..., None]
    round_fall = (skin() * (1 - 0.4 * np.clip(distance - 0.4, 0, 1))).astype(np.uint8)
    one_side = (skin() * (1 - 0.2 * (axis[None, :, None] + 1))).astype(np.uint8)
    limit = ARTEFACTS["vignette"].limit
    assert ARTEFACTS["vignette"].function(round_fall) == pytest.approx(0.3, abs=0.1)
    assert ARTEFACTS["vignette"].function(one_side) < limit


def test_the_black_around_a_circle_is_the_frame() -> None:
    image = skin()
    seen = np.zeros((256, 256), np.uint8)
    cv2.circle(seen, (128, 128), 130, 1, -1)
    image[seen == 0] = 0
    expected = float((seen == 0).mean())
    assert ARTEFACTS["frame"].function(image) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_picture_of_one_grey_has_a_defined_score(level: int) -> None:
    scores = artefact_scores(np.full((256, 256, 3), level, np.uint8))
    assert all(0 <= score <= 1 for score in scores.values())


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.uint8, st.sampled_from([(32, 32, 3), (128, 128, 3), (64, 96, 3)])),
)
def test_any_picture_has_scores_between_0_and_1(image: Image) -> None:
    assert all(0 <= score <= 1 for score in artefact_scores(image).values())


def test_a_mirrored_array_is_read_as_it_is_meant() -> None:
    image = drawings(256, hair=0.5)[0]
    mirrored = image[:, ::-1]
    assert artefact_scores(mirrored) == artefact_scores(mirrored.copy())


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((31, 64, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image: NDArray[np.generic]) -> None:
    with pytest.raises(ImageError, match=r"RGB image of at least 32 pixels.*not \("):
        artefact_scores(image)  # type: ignore[arg-type]


def test_32_pixels_are_enough() -> None:
    assert all(0 <= score <= 1 for score in artefact_scores(skin(32)).values())


@pytest.mark.parametrize(
    ("file", "yes", "no"),
    [
        ("ISIC_0012660_original.jpg", {"hair", "ruler"}, {"sticker", "ink"}),
        ("ISIC_0014302_original.jpg", {"ruler"}, {"hair", "sticker", "ink"}),
        ("ISIC_0014616_original.jpg", {"hair"}, {"sticker", "ruler", "ink"}),
        ("ISIC_0012127_original.jpg", {"sticker", "ruler"}, {"hair", "frame"}),
        ("ISIC_0000002_original.jpg", {"frame", "ink"}, {"ruler", "sticker"}),
        ("ISIC_0000004_original.jpg", {"frame"}, {"ruler", "sticker"}),
        ("ISIC_0000003_original.jpg", {"hair"}, {"ruler", "sticker", "ink", "frame"}),
        ("ISIC_0009995_original.jpg", set(), {"ruler", "sticker", "ink"}),
    ],
)
def test_real_originals_are_called_as_their_manifest_says(
    shared: Path, file: str, yes: set[str], no: set[str]
) -> None:
    image = to_square(read_image(shared / "data" / "odd" / file), size=256)
    scores = artefact_scores(image)
    called = {name for name, score in scores.items() if ARTEFACTS[name].present(score)}
    assert yes <= called, scores
    assert not no & called, scores


FLOORS = {
    # Least share found and left alone of the labelled images that were not used to set the
    # limits, in ISIC 2017; measured values are in docs/artefacts.md.
    "hair": (0.8, 0.9),
    "ruler": (0.85, 0.95),
    "ink": (0.5, 0.95),
    "sticker": (1.0, 1.0),
    "frame": (0.8, 0.95),
}


def test_labelled_images_of_isic_2017_are_called_as_measured(shared: Path) -> None:
    labels = pd.read_csv(LABELS, keep_default_na=False)
    rows = labels[(labels["dataset"] == "isic2017") & (labels["sample"] == "second")]
    paths = {path.stem: path for path in (shared / "data" / "isic2017").rglob("*.jpg")}
    images = [to_square(read_image(paths[name]), size=256) for name in rows["image_id"]]
    for name, (sensitivity, specificity) in FLOORS.items():
        artefact = ARTEFACTS[name]
        called = np.array([artefact.present(artefact.function(image)) for image in images])
        truth = rows[name].to_numpy()
        assert called[truth == "yes"].mean() >= sensitivity, name
        assert (~called[truth == "no"]).mean() >= specificity, name


def test_the_edge_of_a_cloth_is_no_scale(shared: Path) -> None:
    """Its true scale has 129 pixels a millimetre; the cloth beside it gave 176."""
    image = read_image(shared / "data" / "odd" / "ISIC_0012127_original.jpg")
    assert np.isnan(mark_distance(image))
    right = read_image(shared / "data" / "odd" / "ISIC_0012660_original.jpg")
    assert mark_distance(right) == pytest.approx(
        99.3, rel=0.05
    )  # its line has a score of 0.53


@pytest.mark.parametrize("turned", [False, True])
def test_a_bar_of_pixels_has_the_spread_of_its_length_and_its_width(turned: bool) -> None:
    long, wide = np.meshgrid(np.arange(9) - 4.0, np.arange(3) - 1.0)
    ends = (wide, long) if turned else (long, wide)
    piece, area = np.zeros(27, np.intp), np.array([27.0])
    major, minor, angle = _spread(*(e.ravel() for e in ends), piece=piece, area=area)
    assert major * np.sqrt(12) == pytest.approx(9)
    assert minor * np.sqrt(12) == pytest.approx(3)
    assert angle == pytest.approx(np.pi / 2 if turned else 0)
