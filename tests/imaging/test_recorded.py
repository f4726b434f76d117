"""What is measured in drawn pictures, and what views and disturbances make of them.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lentigo.datasets.synthetic import Lesion, Photograph, draw_with_truth
from lentigo.explanation.abcd import measure_abcd
from lentigo.imaging.artefacts.marks import best_row
from lentigo.imaging.disturbances import DISTURBANCES, STRENGTHS, disturb
from lentigo.imaging.kind import unlike_dermoscopy
from lentigo.imaging.kind.frame import frame_mask
from lentigo.imaging.quality import measure_image
from lentigo.imaging.quality.skin_tone import skin_tone_angle
from lentigo.imaging.segmentation import find_outline
from lentigo.imaging.views import VIEWS, view_image
from tests.record import OF_PIXELS, as_lines, check_recorded

Image = NDArray[np.uint8]

LESIONS = {
    "plain": (Lesion(), Photograph()),
    "hairy": (
        Lesion(asymmetry=0.9, border_irregularity=0.8, pattern="reticular",
               irregular_globules=0.8, skin_tone=0.6),
        Photograph(hair=0.6, ruler=True, vignette=0.5, uneven_light=0.6, rotation=30),
    ),
    "veiled": (
        Lesion(blue_white_veil=0.8, black_area=0.6, red_area=0.6, white_area=0.6,
               atypical_network=0.9, diameter_mm=9.0),
        Photograph(sticker=True, bubbles=True, zoom=1.2, view=2, warmth=0.9),
    ),
}  # fmt: skip


@cache
def lesion(name: str) -> Image:
    drawn = draw_with_truth(*LESIONS[name], size=192, seed=7)
    return np.asarray(drawn.image)


ON_AN_EDGE = ("plain colder", "plain ink", "plain darker_skin")
"""Pictures that a measure finds just at a limit: another processor decides otherwise."""


@cache
def pictures() -> dict[str, Image]:
    """Drawn lesions, each with something drawn into it, and pictures of other things."""
    found = {name: lesion(name) for name in LESIONS}
    for name, row in DISTURBANCES.items():
        if row.group != "camera":
            found[f"plain {name}"] = disturb(lesion("plain"), name, 4, seed=3)
    found["wide"] = np.ascontiguousarray(lesion("veiled")[30:150])
    white = np.full((160, 200, 3), 250, np.uint8)
    for number in range(8):
        cv2.putText(white, "words of a page", (5, 20 + 18 * number), 0, 0.5, (20, 20, 20))
    rng = np.random.default_rng(0)
    found |= {
        "page": white,
        "noise": rng.integers(0, 256, (100, 100, 3), dtype=np.uint8),
        "dark": (lesion("hairy") // 12).astype(np.uint8),
        "grey": np.repeat(lesion("hairy").mean(axis=2, keepdims=True), 3, axis=2).astype(
            np.uint8
        ),
    }
    return {name: image for name, image in found.items() if name not in ON_AN_EDGE}


def in_squares(image: NDArray[np.uint8], count: int = 4) -> str:
    """The mean of each of `count` × `count` parts of a picture, channel by channel."""
    planes = image.reshape(*image.shape[:2], -1).astype(float)
    parts = [
        part.mean(axis=(0, 1))
        for rows in np.array_split(planes, count, axis=0)
        for part in np.array_split(rows, count, axis=1)
    ]
    return " ".join(f"{each:.4g}" for each in np.array(parts).ravel())


def test_what_is_measured_in_pictures() -> None:
    lines: list[str] = []
    for name, image in pictures().items():
        frame, angle = frame_mask(image), skin_tone_angle(image)
        lines += as_lines(measure_image(image), name)
        lines.append(f"  {unlike_dermoscopy(image)} {frame.mean():.5g} {angle:.5g}")
    check_recorded("imaging/measured", "\n".join(lines) + "\n", near=OF_PIXELS)


def test_where_the_lesion_is_and_what_it_is_like() -> None:
    lines: list[str] = []
    for name, image in pictures().items():
        found = find_outline(image)
        lines.append(
            f"{name}: {found.found!r}, certainty {found.certainty:.5g}, others "
            f"{found.others}, cut off {found.cut_off}, area {found.mask.mean():.5g} at "
            f"{in_squares(found.mask.astype(np.uint8) * 255)}"
        )
        if found.mask.any():
            lines += as_lines(asdict(measure_abcd(image, found)), f"  {name}")
    check_recorded("imaging/outlined", "\n".join(lines) + "\n", near=OF_PIXELS)


@pytest.mark.parametrize("name", LESIONS)
def test_views(name: str) -> None:
    lines = [f"{view}: {in_squares(view_image(lesion(name), view), 3)}" for view in VIEWS]
    check_recorded(f"imaging/views-{name}", "\n".join(lines) + "\n", near=OF_PIXELS)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_disturbances(name: str) -> None:
    image = np.ascontiguousarray(lesion("veiled")[::2, ::2])
    lines = [
        f"{strength} {seed}: {in_squares(disturb(image, name, strength, seed=seed), 3)}"
        for strength in STRENGTHS
        for seed in (0, 1)
    ]
    check_recorded(f"imaging/disturbed-{name}", "\n".join(lines) + "\n", near=OF_PIXELS)


def test_rows_of_marks_in_a_plane() -> None:
    """Short and long, thin and thick, even and uneven, straight and turned."""
    lines = []
    for length, width, apart, turn, slip in (
        (6, 1, 9, 0.0, 0), (6, 2, 9, 0.3, 0), (10, 1, 14, 0.3, 1), (10, 3, 14, 0.0, 0),
        (14, 2, 20, 0.8, 1), (14, 1, 20, 0.0, 3), (20, 2, 28, 0.1, 0), (8, 4, 12, 0.0, 0),
        (5, 1, 6, 0.0, 0), (24, 3, 40, 0.2, 2), (3, 1, 9, 0.0, 0), (10, 2, 14, 1.57, 1),
    ):  # fmt: skip
        for every in (0, 2, 5):
            plane = np.full((256, 256), 190, np.uint8)
            along = np.array([np.cos(turn), np.sin(turn)])
            for nth in range(12):
                foot = np.array([70.0, 70.0]) + along * (apart * nth + slip * (nth % 2))
                far = length * (1.6 if every and nth % every == 0 else 1)
                ends = [foot, foot + far * np.array([-along[1], along[0]])]
                first, last = ([round(float(each)) for each in end] for end in ends)
                cv2.line(plane, first, last, 60, width)
            score, distance = best_row(plane)
            lines.append(
                f"{length} long, {width} wide, {apart} apart, turned {turn}, slip {slip}, "
                f"longer {every}: {score:.4g} {distance:.4g}"
            )
    check_recorded("imaging/rows-of-marks", "\n".join(lines) + "\n", near=OF_PIXELS)
