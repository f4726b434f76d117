"""Quality numbers on made pictures, on real ones, and over many images."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lentigo.audit.checks.picture_findings import quality_findings
from lentigo.errors import ConfigError, ImageError
from lentigo.imaging.artefacts import ARTEFACTS
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.kind.dermoscopic import dermoscopic, skin
from lentigo.imaging.kind.unlike import NOT_DERMOSCOPIC
from lentigo.imaging.quality import (
    QUALITY,
    measure,
    measure_image,
    measure_images,
    resolution,
)
from lentigo.imaging.quality.numbers import exposure, sharpness
from lentigo.imaging.quality.scene import uneven_light

Image = NDArray[np.uint8]


def picture(seed: int = 0, side: int = 256) -> Image:
    """A brown spot with texture on skin."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(-1, 1, side)
    spot = np.exp(-6 * (axis[None] ** 2 + axis[:, None] ** 2))[..., None]
    colour = (1 - spot) * np.array([200, 155, 135]) + spot * np.array([110, 65, 45])
    grain = cv2.GaussianBlur(rng.normal(0, 20, (side, side)), (0, 0), 1.2)[..., None]
    return np.asarray(np.clip(colour + grain, 0, 255), np.uint8)


def blurred(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def test_sharpness_falls_with_every_blur() -> None:
    values = [sharpness(blurred(picture(), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] / 4


def test_sharpness_does_not_depend_on_brightness_or_contrast() -> None:
    dim = (picture().astype(float) * 0.5 + 20).astype(np.uint8)
    assert sharpness(dim) == pytest.approx(sharpness(picture()), rel=0.05)


def test_a_picture_without_structure_has_no_sharpness() -> None:
    assert math.isnan(sharpness(np.full((256, 256, 3), 90, np.uint8)))


def test_exposure_counts_what_is_clipped_and_leaves_the_frame_out() -> None:
    image = np.full((128, 128, 3), 128, np.uint8)
    image[:, :16] = 0  # a black strip with two corners is frame
    image[40:56, 40:72] = 255
    numbers = exposure(image)
    # 16 × 32 white pixels; the strip takes 16 columns, and one more at its edge.
    assert numbers["too_bright"] == pytest.approx(16 * 32 / (128 * 111), rel=0.02)
    assert numbers["too_dark"] == 0
    assert numbers["colourfulness"] == 0
    white = 16 * 32 / (128 * 111)
    expected = (128 * (1 - white) + 255 * white) / 255
    assert numbers["brightness"] == pytest.approx(expected, rel=0.01)


def test_a_black_picture_is_dark_all_over() -> None:
    numbers = exposure(np.zeros((64, 64, 3), np.uint8))
    assert (numbers["brightness"], numbers["too_dark"]) == (0, 1)


def test_colourfulness_is_that_of_hasler_and_suesstrunk() -> None:
    # Half red, half green: rg is ±255, yb 127.5 throughout.
    image = np.zeros((128, 128, 3), np.uint8)
    image[:64, :, 0] = image[64:, :, 1] = 255
    assert exposure(image)["colourfulness"] == pytest.approx(255 + 0.3 * 127.5)


def test_skin_is_skin_and_grass_sky_and_grey_are_not() -> None:
    assert skin(picture()) > 0.95
    for colour in ((60, 140, 50), (90, 150, 230), (128, 128, 128)):
        assert skin(np.full((128, 128, 3), colour, np.uint8)) == 0


@pytest.fixture(scope="module")
def dermoscopies(shared: Path) -> list[Image]:
    """150 real images of ISIC 2017 as squares of 256 pixels."""
    real = sorted((shared / "data" / "isic2017").rglob("*.jpg"))[::15][:150]
    return [to_square(read_image(path), size=256) for path in real]


def test_other_photographs_are_told_and_dermoscopy_is_not_alarmed(
    shared: Path, dermoscopies: list[Image]
) -> None:
    """Measured: 18 of 21 photographs below the limit, of 143 dermoscopies 1."""
    natural = sorted((shared / "data" / "natural").glob("*.jpg"))
    things = [dermoscopic(to_square(read_image(path), size=256)) for path in natural]
    lesions = [dermoscopic(each) for each in dermoscopies]
    assert np.sum(np.array(things) < NOT_DERMOSCOPIC) >= 15
    assert np.sum(np.array(lesions) < NOT_DERMOSCOPIC) <= 4


def in_one_colour(*colour: int) -> Image:
    return np.full((256, 256, 3), colour, np.uint8)


def noise(*colour: int, spread: float = 60) -> Image:
    rng = np.random.default_rng(0)
    grain = rng.normal(0, spread, (256, 256, 3))
    return np.asarray(np.clip(np.array(colour) + grain, 0, 255), np.uint8)


def text(*paper: int) -> Image:
    """A page of seventeen lines."""
    rng, image = np.random.default_rng(0), in_one_colour(*paper)
    for line in range(20, 250, 14):
        letters = "".join(rng.choice(list("abcdefghi jklmno pqrst"), 26))
        cv2.putText(image, letters, (10, line), 0, 0.38, (20, 20, 20), 1, cv2.LINE_AA)
    return image


def screenshot() -> Image:
    """A window with a title, a column, two pictures and some words."""
    image = in_one_colour(245, 245, 247)
    image[:22], image[22:, :60] = (45, 100, 180), (225, 228, 232)
    image[40:120, 80:160], image[40:120, 170:240] = (250, 180, 60), (90, 190, 120)
    for line in range(140, 250, 16):
        cv2.putText(image, "value of field", (80, line), 0, 0.4, (30, 30, 30), 1)
    return image


def xray() -> Image:
    """Two dark lungs with light ribs."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    lungs = sum(np.exp(-9 * (x - side) ** 2 - 1.5 * y**2) for side in (-0.45, 0.45))
    ribs = sum(np.exp(-500 * (y - 0.75 * x**2 + 0.9 - 0.24 * rib) ** 2) for rib in range(8))
    grey = 190 - 120 * lungs + 18 * ribs + np.random.default_rng(0).normal(0, 6, x.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def findings_of(*images: Image) -> dict[str, list[str]]:
    """Which check names which of the images, called 0, 1, 2 …"""
    measures = measure_images(np.stack(images), workers=1)
    names = [str(number) for number in range(len(images))]
    table = pd.DataFrame({"image_id": names, "width": 600, "height": 450})
    found = quality_findings(table, measures)
    return {each.check: each.rows["image_id"].tolist() for each in found}


def test_what_has_no_structure_is_no_dermoscopy_and_is_named() -> None:
    pictures = (
        in_one_colour(255, 255, 255), in_one_colour(210, 160, 140),
        in_one_colour(60, 90, 200), noise(250, 250, 250, spread=1.5),
        noise(210, 160, 140, spread=2),
    )  # fmt: skip
    assert all(math.isnan(dermoscopic(each)) for each in pictures)
    assert findings_of(*pictures)["no-picture"] == ["0", "1", "2", "3", "4"]


def test_pure_noise_is_named_in_the_colours_of_skin_too() -> None:
    rng = np.random.default_rng(1)
    even = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    grey = np.repeat(even[..., :1], 3, axis=2)
    found = findings_of(even, grey, noise(210, 160, 140))
    assert found["no-picture"] == ["0", "1", "2"]


def test_pages_of_text_are_named_on_paper_of_any_colour() -> None:
    pages = (text(255, 255, 255), text(245, 235, 215), text(235, 205, 195))
    assert findings_of(*pages)["page"] == ["0", "1", "2"]


def test_screenshots_and_x_rays_are_named() -> None:
    found = findings_of(screenshot(), xray(), picture())
    assert found["not-skin"] == ["0", "1"]
    assert found["not-dermoscopic"] == ["0"]
    assert not {name for name, images in found.items() if "2" in images}


def test_a_picture_is_lit_from_one_side_by_as_much_as_was_added() -> None:
    ramp = np.linspace(-1, 1, 256)[None, :, None]
    lab = cv2.cvtColor(in_one_colour(190, 150, 130), cv2.COLOR_RGB2LAB).astype(float)
    lab[..., :1] += ramp * 20 * 2.55  # 20 units of L* from the middle to the right
    lit = cv2.cvtColor(np.clip(lab, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    assert uneven_light(np.asarray(lit, np.uint8)) == pytest.approx(20, rel=0.1)
    assert uneven_light(picture()) < 1
    assert findings_of(np.asarray(lit, np.uint8), picture())["uneven-light"] == ["0"]


def test_dermoscopies_are_seldom_named_by_the_checks_for_other_things(
    shared: Path, dermoscopies: list[Image]
) -> None:
    """Measured: 5 of 155 lit from one side, and 9 of 26 smartphone photographs."""
    phone = sorted((shared / "data" / "pad_ufes20").rglob("*_*.*g"))
    originals = sorted((shared / "data" / "odd").glob("ISIC_*_original.jpg"))
    found = findings_of(
        *dermoscopies,
        *[to_square(read_image(path), size=256) for path in [*originals, *phone]],
    )
    assert "no-picture" not in found
    assert "page" not in found
    first = len(dermoscopies) + len(originals)
    lit = [int(name) >= first for name in found["uneven-light"]]
    assert sum(lit) >= 7
    assert len(lit) - sum(lit) <= 6


def test_one_row_an_image_and_a_black_one_is_undefined() -> None:
    images = np.stack([picture(0), np.zeros((256, 256, 3), np.uint8), picture(1)])
    table = measure_images(images)
    assert list(table) == [*ARTEFACTS, *QUALITY]
    assert table.isna().all(axis=1).tolist() == [False, True, False]
    assert table.loc[2].to_dict() == pytest.approx(measure_image(images[2]))


def test_no_images_give_an_empty_table() -> None:
    assert measure_images(np.zeros((0, 256, 256, 3), np.uint8)).shape == (0, 17)


def test_two_processes_measure_what_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_CHUNK", 3)  # three chunks, the last of one image
    images = np.stack([picture(seed, 128) for seed in range(7)])
    np.save(tmp_path / "images.npy", images)
    stored = np.load(tmp_path / "images.npy", mmap_mode="r")
    pd.testing.assert_frame_equal(
        measure_images(stored, workers=2), measure_images(images, workers=1)
    )


class Endless:
    """Many images that are drawn when they are asked for."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, row: int) -> Image:
        return np.full((64, 64, 3), 1 + row % 250, np.uint8)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images() -> None:
    peaks = []
    for count in (70, 140):
        tracemalloc.start()
        measure_images(Endless(count), workers=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The table itself has 17 numbers a row; the images would be 12 kB each.
    assert peaks[1] - peaks[0] < 70 * 64 * 64 * 3 / 3


def test_senseless_arguments_are_refused() -> None:
    with pytest.raises(ConfigError, match="workers is -1"):
        measure_images(Endless(3), workers=-1)
    with pytest.raises(ImageError, match="RGB image"):
        measure_images(np.ones((2, 64, 64), np.uint8))


def test_resolution_names_sides_and_squares() -> None:
    sizes = pd.DataFrame({"width": [600, 256, 300, pd.NA], "height": [450, 256, 900, 20]})
    found = resolution(sizes.astype("Int64"))
    assert found["smallest_side"].tolist()[:3] == [450, 256, 300]
    assert found["megapixels"].tolist()[:3] == [0.27, 0.065536, 0.27]
    assert found["aspect"].tolist()[:3] == [600 / 450, 1, 3]
    assert found["square"].tolist()[:3] == [0, 1, 0]
    assert found.loc[3].isna().all()
