from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image, read_scaled
from lentigo.imaging.decoding.square import Fit, least_side, read_square, to_square

# Four columns by two rows, each column of one value.
COLUMNS = np.broadcast_to(
    np.array([10, 60, 110, 160], np.uint8)[None, :, None], (2, 4, 3)
).copy()


def enlarged(
    image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], times: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.kron(image, np.ones((times, times, 1), np.uint8))


def test_stretch_keeps_all_columns() -> None:
    square = to_square(enlarged(COLUMNS, 32), size=64, fit="stretch")
    assert square.shape == (64, 64, 3)
    assert square[32, [8, 24, 40, 56], 0].tolist() == [10, 60, 110, 160]


def test_a_strip_is_refused_before_it_becomes_a_square() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (501, 100), (200, 120, 90)).save(buffer, "PNG")
    with pytest.raises(ImageError, match=r"x\.png has 501 × 100 pixels; no dermosc"):
        read_square(buffer.getvalue(), size=8, name="x.png")
    buffer = io.BytesIO()
    Image.new("RGB", (100, 500), (200, 120, 90)).save(buffer, "PNG")
    assert read_square(buffer.getvalue(), size=8)[1] == (100, 500)


def test_crop_keeps_the_middle_square() -> None:
    square = to_square(enlarged(COLUMNS, 32), size=64, fit="crop")
    assert square[32, [16, 48], 0].tolist() == [60, 110]


def test_pad_adds_black_above_and_below() -> None:
    square = to_square(enlarged(COLUMNS, 32), size=64, fit="pad")
    assert (square[:16] == 0).all()
    assert (square[48:] == 0).all()
    assert square[32, [8, 24, 40, 56], 0].tolist() == [10, 60, 110, 160]


def test_pad_of_an_upright_picture_adds_black_at_the_sides() -> None:
    square = to_square(enlarged(COLUMNS, 32).swapaxes(0, 1).copy(), size=64, fit="pad")
    assert (square[:, :16] == 0).all()
    assert (square[:, 48:] == 0).all()


def test_shrinking_averages_rather_than_picks() -> None:
    stripes = (
        np.tile(np.array([0, 255], np.uint8), 512)[None, :, None].repeat(64, 0).repeat(3, 2)
    )
    square = to_square(stripes, size=32)
    assert np.abs(square.astype(int) - 127).max() <= 2


@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    fit=st.sampled_from(["stretch", "crop"]),
    value=st.integers(0, 255),
)
def test_an_even_picture_stays_even(width: int, height: int, fit: Fit, value: int) -> None:
    square = to_square(np.full((height, width, 3), value, np.uint8), size=16, fit=fit)
    assert square.shape == (16, 16, 3)
    assert (square == value).all()


@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3)])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_a_thread_of_an_image_still_gives_a_square(
    shape: tuple[int, ...], fit: Fit
) -> None:
    assert to_square(np.full(shape, 9, np.uint8), size=32, fit=fit).max() == 9


def test_a_file_is_read_just_as_array_by_array() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((800, 600)).save(buffer, "JPEG")
    data = buffer.getvalue()
    square, size = read_square(data, size=64, fit="crop")
    assert size == (800, 600)
    decoded = read_image(data, at_least=least_side(64))
    assert decoded.shape[:2] == (150, 200)  # a quarter: 600 / 8 would be less than 122
    assert (square == to_square(decoded, size=64, fit="crop")).all()


def psnr(
    ours: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    reference: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> float:
    error = float(np.mean((ours.astype(float) - reference) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(521, 522), (515, 513), (1041, 1037)])
def test_a_scaled_decode_is_not_displaced(
    size: tuple[int, int], orientation: int, fit: Fit
) -> None:
    """521 columns at a quarter are 130.25, in an array of 131: the rest is made up.

    Pillow's own exif_transpose of the full picture is the reference.
    """
    rng = np.random.default_rng(0)
    soft = rng.integers(0, 256, (60, 60, 3), np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    buffer = io.BytesIO()
    Image.fromarray(soft).resize(size).save(buffer, "JPEG", quality=95, exif=exif)
    fast, _ = read_square(buffer.getvalue(), size=64, fit=fit)
    upright = ImageOps.exif_transpose(Image.open(buffer)).convert("RGB")
    full = to_square(np.array(upright), size=64, fit=fit)
    scaled, _, covered = read_scaled(buffer.getvalue(), at_least=least_side(64))
    part = 8 if max(size) > 1000 else 4
    assert scaled.shape[:2] == tuple(-(-side // part) for side in upright.size[::-1])
    assert covered[2] - covered[0] == upright.width / part
    assert covered[3] - covered[1] == upright.height / part
    # As if all of the array were picture: what the box is there to avoid.
    displaced = psnr(to_square(scaled, size=64, fit=fit), full)
    assert psnr(fast, full) > 40  # noise as fine as the square is the hardest case
    assert psnr(fast, full) > displaced + 3


def test_the_scaled_decode_is_close_to_the_full_one() -> None:
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize(
        (1600, 1200)
    )
    buffer = io.BytesIO()
    smooth.save(buffer, "JPEG", quality=92)
    fast, _ = read_square(buffer.getvalue(), size=128)
    full = to_square(read_image(buffer.getvalue()), size=128)
    error = np.mean((fast.astype(float) - full) ** 2)
    assert 10 * np.log10(255**2 / error) > 45
