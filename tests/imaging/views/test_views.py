"""Views: each beside an independent implementation or a calculation by hand."""

from __future__ import annotations

import colorsys
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2hsv, rgb2lab
from skimage.filters import gaussian

from lentigo.config.views import INPUT_VIEWS, VIEW_ROWS
from lentigo.errors import ImageError, UnknownNameError
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.views import VIEWS, network_input, outline, view_image
from lentigo.imaging.views.blur import gaussian_blur, hsv_blur, hsv_local_mean, local_mean
from lentigo.imaging.views.color import clahe, gray, hls, hsv, lab
from lentigo.imaging.views.constancy import max_rgb, shades_of_gray
from lentigo.imaging.views.pigment import haemoglobin, melanin

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


def noise(side: int = 40, *, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def plain(*color: int, side: int = 30) -> Image:
    return np.full((side, side, 3), color, dtype=np.uint8)


@pytest.fixture(scope="module")
def real(shared: Path) -> list[Image]:
    """Three real lesions at 96 pixels, and a hairy original."""
    small = sorted((shared / "data/ham10000/HAM10000_images_part_1").glob("*.jpg"))[:3]
    large = sorted((shared / "data/odd").glob("ISIC_0014616*.jpg"))
    if not small or not large:
        pytest.skip("the real images are not there")
    return [to_square(read_image(path), size=96) for path in [*small, *large]]


def levels(ours: Image, theirs: Floats) -> float:
    """The largest difference, in grey levels."""
    return float(np.abs(ours.astype(float) - theirs).max())


def hue_apart(ours: Image, theirs: Floats) -> Floats:
    """How far two hues of the circle 0–180 are apart."""
    apart = np.abs(ours.astype(float) - theirs) % 180
    return np.asarray(np.minimum(apart, 180 - apart))


def check_against_others(image: Image) -> None:
    """Every colour space within one level of scikit-image, the integer Lab within three."""
    luma = image @ np.array([0.299, 0.587, 0.114])
    assert levels(gray(image), luma) <= 1
    theirs = rgb2hsv(image) * [180, 255, 255]
    assert hue_apart(hsv(image)[..., 0], theirs[..., 0]).max() <= 1
    assert levels(hsv(image)[..., 1:], theirs[..., 1:]) <= 1
    wanted = rgb2lab(image) * [2.55, 1, 1] + [0, 128, 128]
    assert levels(lab(image), wanted) <= 3
    blurred = gaussian(
        image.astype(float),
        sigma=0.02 * min(image.shape[:2]),
        mode="mirror",
        channel_axis=2,
    )
    assert levels(gaussian_blur(image, sigma=0.02), blurred) <= 2


def test_colours_and_blur_agree_with_scikit_image_on_noise() -> None:
    check_against_others(noise(64))


def test_colours_and_blur_agree_with_scikit_image_on_real_lesions(
    real: list[Image],
) -> None:
    for image in real:
        check_against_others(image)


def test_hls_is_hue_lightness_saturation_in_this_order() -> None:
    image = noise(16)
    flat = image.reshape(-1, 3) / 255
    theirs = np.array([colorsys.rgb_to_hls(*pixel) for pixel in flat]) * [180, 255, 255]
    ours = hls(image).reshape(-1, 3)
    assert hue_apart(ours[:, 0], theirs[:, 0]).max() <= 1
    assert levels(ours[:, 1:], theirs[:, 1:]) <= 1


@pytest.mark.parametrize(
    ("color", "in_hsv", "in_hls"),
    [
        ((255, 0, 0), (0, 255, 255), (0, 128, 255)),
        ((0, 255, 0), (60, 255, 255), (60, 128, 255)),
        ((0, 0, 255), (120, 255, 255), (120, 128, 255)),
        ((90, 90, 90), (0, 0, 90), (0, 90, 0)),
        ((0, 0, 0), (0, 0, 0), (0, 0, 0)),
    ],
)
def test_pure_colours_have_the_documented_numbers(
    color: tuple[int, int, int], in_hsv: tuple[int, ...], in_hls: tuple[int, ...]
) -> None:
    assert hsv(plain(*color))[0, 0].tolist() == list(in_hsv)
    assert hls(plain(*color))[0, 0].tolist() == list(in_hls)


def test_local_mean_is_that_of_the_notebooks_at_200_pixels() -> None:
    """`4·x − 4·blur(x, σ = 25.6) + 128` of the HSV image, but for a rounding, times 4."""
    image = noise(200)
    numbers = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    blurred = cv2.GaussianBlur(numbers, (0, 0), 25.6)
    theirs = cv2.addWeighted(numbers, 4, blurred, -4, 128)
    assert levels(hsv_local_mean(image), theirs.astype(float)) <= 4


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (3, 2), (40, 17), (224, 224), (300, 451)]
)
@pytest.mark.parametrize("sigma", [0.001, 0.01, 0.05, 0.128, 0.5])
def test_local_mean_is_its_formula_at_every_size(
    shape: tuple[int, int], sigma: float
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    image[shape[0] // 2 :] = 255 * (image[shape[0] // 2 :] > 127)  # and hard edges
    image[:, : shape[1] // 3] = 0
    pixels = sigma * min(shape)
    values = image.astype(float)
    blurred = gaussian_filter(values, (pixels, pixels, 0), mode="mirror")
    wanted = np.clip(4 * values - 4 * blurred + 128, 0, 255)
    assert levels(local_mean(image, sigma=sigma), wanted) <= 1
    assert levels(gaussian_blur(image, sigma=sigma), blurred) <= (4 if pixels <= 4 else 1)


def test_local_mean_is_four_times_the_difference_from_the_surroundings() -> None:
    image = to_square(noise(12), size=100)  # soft blobs
    blurred = gaussian(image.astype(float), sigma=12.8, mode="mirror", channel_axis=2)
    wanted = np.clip(4 * (image - blurred) + 128, 0, 255)
    assert levels(local_mean(image), wanted) <= 4 * 1.5


def test_a_wide_blur_is_that_of_opencv() -> None:
    image = to_square(noise(8), size=400)
    direct = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.128 * 400)
    assert levels(gaussian_blur(image, sigma=0.128), direct.astype(float)) <= 1


def test_the_hue_of_blurred_reds_is_red() -> None:
    """Reds on both sides of hue 0: as numbers their mean would be cyan."""
    image = plain(200, 0, 10, side=64)
    image[:, ::2] = (200, 10, 0)
    hues = hsv(image)[..., 0]
    assert {int(hues.min()), int(hues.max())} == {1, 179}
    assert hue_apart(hsv_blur(image, sigma=0.05)[..., 0], np.zeros((64, 64))).max() <= 2


def test_clahe_of_one_tile_without_limit_is_histogram_equalisation_of_lightness() -> None:
    image = noise(32) // 4 + 60
    lightness = lab(image)[..., 0]
    share = np.searchsorted(np.sort(lightness.ravel()), np.arange(256), side="right")
    wanted = (share / lightness.size * 255)[lightness]
    even = clahe(image, clip=10_000, tiles=1)
    # Back from Lab to RGB, colours outside of RGB are cut; judged where none is.
    inside = ((even > 0) & (even < 255)).all(axis=2)
    assert inside.mean() > 0.5
    assert np.abs(lab(even)[..., 0].astype(float) - wanted)[inside].max() <= 3


def test_shades_of_gray_is_the_formula_of_the_paper() -> None:
    image = (noise() * [1.0, 0.8, 0.6]).astype(np.uint8)
    light = ((image / 255) ** 6).mean(axis=(0, 1)) ** (1 / 6)
    wanted = np.minimum(image * np.sqrt((light**2).mean()) / light, 255)
    assert levels(shades_of_gray(image), wanted) <= 0.5 + 1e-6


def test_max_rgb_takes_the_brightest_of_each_channel_for_white() -> None:
    image = plain(100, 50, 20)
    image[0, 0] = (200, 100, 50)  # the light: gains are sqrt(17500) / (200, 100, 50)
    white = np.sqrt((200**2 + 100**2 + 50**2) / 3)
    assert max_rgb(image)[0, 0].tolist() == [round(white)] * 3
    assert max_rgb(image)[1, 1].tolist() == [
        round(white * part) for part in (0.5, 0.5, 0.4)
    ]


@pytest.mark.parametrize("view", [shades_of_gray, max_rgb])
def test_the_colour_of_the_light_is_undone(view: object) -> None:
    image = to_square(noise(6), size=60)
    tinted = (image * [1.0, 0.7, 0.5]).astype(np.uint8)
    ratios = []
    for picture in (image, tinted):
        mean = VIEWS[view.__name__](picture).reshape(-1, 3).mean(axis=0)  # type: ignore[attr-defined]
        ratios.append(mean / mean.sum())
    assert np.allclose(ratios[0], ratios[1], atol=0.02)


def test_pigment_maps_are_logarithms_of_reflectance() -> None:
    stored = np.array([200, 120, 90]) / 255
    red, green, _ = ((stored + 0.055) / 1.055) ** 2.4
    image = plain(200, 120, 90)
    assert melanin(image)[0, 0] == round(255 / 1.5 * np.log10(1 / red))
    assert haemoglobin(image)[0, 0] == round(255 * np.log10(red / green))
    assert melanin(plain(255, 0, 0)).max() == 0
    assert melanin(plain(0, 0, 0)).min() == 255


@pytest.mark.parametrize("value", [0, 1, 77, 255])
def test_a_grey_picture_has_a_defined_answer_in_every_view(value: int) -> None:
    image = plain(value, value, value)
    shown = {name: view_image(image, name) for name in VIEWS}
    one = {name: np.unique(view.reshape(-1, view.shape[2] if view.ndim == 3 else 1), axis=0)
           for name, view in shown.items()}  # fmt: skip
    assert all(len(colors) == 1 for colors in one.values()), "one colour stays one"
    for name in ("rgb", "gaussian_blur", "shades_of_gray", "max_rgb", "dullrazor",
                 "crop_frame"):  # fmt: skip
        assert one[name].tolist() == [[value] * 3], name
    assert one["local_mean"].tolist() == [[128] * 3]
    assert one["hsv"].tolist() == one["hsv_blur"].tolist() == [[0, 0, value]]
    assert one["hls"].tolist() == [[0, value, 0]]
    assert one["lab"][0][1:].tolist() == [128, 128]
    assert one["haemoglobin"].tolist() == [[0]]


def test_one_colour_becomes_grey_under_white_light_and_a_black_channel_stays() -> None:
    light = round(np.sqrt((200**2 + 150**2 + 100**2) / 3))
    for view in (shades_of_gray, max_rgb):
        assert np.unique(view(plain(200, 150, 100))).tolist() == [light]
        assert np.array_equal(view(plain(200, 0, 100)), plain(200, 0, 100))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 33), st.integers(1, 33), st.integers(0, 3))
def test_any_shape_comes_out_as_promised(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    for name in VIEWS:
        view = view_image(image, name)
        assert view.dtype == np.uint8
        assert view.size
        if name != "crop_frame":
            assert view.shape[:2] == (height, width), name
        assert (view.shape[2] if view.ndim == 3 else 1) == VIEW_ROWS[name].channels, name
    assert np.array_equal(image, before), "an image is never changed in place"


def test_the_names_are_those_of_the_functions_and_of_the_settings() -> None:
    assert list(VIEWS) == list(VIEW_ROWS) == list(INPUT_VIEWS)
    assert [view.__name__ for view in VIEWS.values()] == list(VIEWS)
    for view in VIEWS.values():
        assert "255" in (view.__doc__ or "") or "hsv" in (view.__doc__ or ""), view


def test_the_settings_know_the_views_without_opencv() -> None:
    code = (
        "import sys; from lentigo.config import ImagingConfig; "
        "ImagingConfig(view='lab'); print(*({'cv2', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_view_is_found_by_hyphens_and_a_misspelt_one_by_its_neighbours() -> None:
    image = noise()
    assert np.array_equal(view_image(image, "Local-Mean"), local_mean(image))
    with pytest.raises(UnknownNameError, match="Did you mean dullrazor"):
        view_image(image, "dulrazor")


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8),
     np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))],
)  # fmt: skip
def test_what_is_no_rgb_image_of_bytes_is_refused(image: Image) -> None:
    with pytest.raises(ImageError, match=r"\(height, width, 3\) of type uint8"):
        view_image(image, "gray")


def test_a_mirrored_or_read_only_array_is_an_image_like_any_other() -> None:
    image = noise()
    locked = image.copy()
    locked.setflags(write=False)
    for name in VIEWS:
        assert np.array_equal(view_image(locked, name), view_image(image, name)), name
        straight = view_image(np.ascontiguousarray(image[:, ::-1]), name)
        assert np.array_equal(view_image(image[:, ::-1], name), straight), name


def test_views_are_stacked_as_channels_in_order() -> None:
    image = noise()
    stacked = network_input(image, ("rgb", "gray", "hsv"))
    assert stacked.shape == (40, 40, 7)
    assert np.array_equal(stacked[..., :3], image)
    assert np.array_equal(stacked[..., 3], gray(image))
    assert np.array_equal(stacked[..., 4:], hsv(image))
    assert network_input(image, ("rgb",)) is image


def framed(side: int = 200, *, radius: float = 0.45) -> Image:
    """Skin seen through a round hole in black."""
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    image = plain(200, 160, 140, side=side)
    image[np.hypot(rows, columns) > radius * side] = 8
    return image


def test_a_round_frame_is_cut_away() -> None:
    part = view_image(framed(), "crop_frame")
    assert (gray(part) < 100).mean() < 0.005
    inscribed = 2 * 0.45 * 200 / np.sqrt(2)
    assert min(part.shape[:2]) >= 0.95 * inscribed, "not more than needed"
    stacked = network_input(framed(), ("crop_frame",))
    assert stacked.shape == (200, 200, 3)


def test_a_black_bar_is_cut_to_the_line() -> None:
    image = plain(200, 160, 140, side=100)
    image[:10] = 0
    part = view_image(image, "crop_frame")
    assert 86 <= part.shape[0] <= 90
    assert part.shape[1] == 100


def test_a_dark_lesion_in_the_middle_is_no_frame() -> None:
    image = plain(200, 160, 140, side=100)
    image[30:70, 30:70] = 5
    assert np.array_equal(view_image(image, "crop_frame"), image)
    assert np.array_equal(view_image(plain(0, 0, 0), "crop_frame"), plain(0, 0, 0))


def test_the_outline_runs_along_the_mask_and_nowhere_else() -> None:
    image = plain(200, 160, 140, side=100)
    mask = np.zeros((50, 50), dtype=bool)
    mask[10:40, 10:40] = True  # 20 to 80 in the image
    drawn = outline(image, mask, color=(0, 255, 255), width=0.03)
    changed = (drawn != image).any(axis=2)
    assert (drawn[50, 18:24] == (0, 255, 255)).all(axis=1).any()
    assert not changed[30:70, 30:70].any()
    assert not changed[:14].any()
    assert np.array_equal(outline(image, np.zeros((50, 50), bool)), image)


@pytest.mark.parametrize("shape", [(50, 80), (0, 4), (4,), (50, 50, 3)])
def test_a_mask_of_another_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="mask"):
        outline(plain(1, 2, 3), np.zeros(shape, bool))


def test_the_defaults_of_blurred_views_are_those_that_their_texts_name() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(hsv_blur(noise), hsv(gaussian_blur(noise, sigma=0.01)))
    assert np.array_equal(gaussian_blur(noise), gaussian_blur(noise, sigma=0.01))
    # With a gain of 4 a pixel 32 grey levels above its surroundings is 255, and 31 less.
    plain = np.full((101, 101, 3), 100, np.uint8)
    for above, expected in ((32, 255), (16, 128 + 4 * 16), (0, 128)):
        plain[50, 50] = 100 + above
        assert local_mean(plain)[50, 50].tolist() == pytest.approx([expected] * 3, abs=1)
