from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from lentigo.errors import ImageError
from lentigo.imaging.decoding import image
from lentigo.imaging.decoding.image import IMAGE_SUFFIXES, read_image, read_size
from tests.pictures import SIX, encoded, plain, png_chunk


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (plain("1", 1), "PNG", (255, 255, 255)),
        (plain("1", 0), "TIFF", (0, 0, 0)),
        (plain("L", 128), "JPEG", (128, 128, 128)),
        (plain("L", 128), "PNG", (128, 128, 128)),
        (plain("L", 128), "PPM", (128, 128, 128)),
        (plain("LA", (128, 10)), "PNG", (128, 128, 128)),
        (plain("RGB", (200, 100, 50)), "PNG", (200, 100, 50)),
        (plain("RGB", (200, 100, 50)), "BMP", (200, 100, 50)),
        (plain("RGB", (200, 100, 50)), "TIFF", (200, 100, 50)),
        (plain("RGB", (200, 100, 50)), "PPM", (200, 100, 50)),
        (plain("RGBA", (200, 100, 50, 0)), "PNG", (200, 100, 50)),  # alpha means nothing
        (plain("RGBA", (200, 100, 50, 128)), "TIFF", (200, 100, 50)),
        (plain("RGB", (200, 100, 50)).quantize(4), "PNG", (200, 100, 50)),
        (plain("CMYK", (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (plain("CMYK", (0, 0, 0, 127)), "TIFF", (128, 128, 128)),
        (plain("I;16", 65535), "PNG", (255, 255, 255)),
        (plain("I;16", 4095), "PNG", (255, 255, 255)),  # white of a 12-bit camera
        (plain("I;16", 2056), "TIFF", (128, 128, 128)),  # 2056 / 4095 of white
        (plain("F", 0.5), "TIFF", (128, 128, 128)),  # 127.5 rounds to the even number
        (plain("F", -3.0), "TIFF", (0, 0, 0)),  # even, and outside every usual range
    ],
)
def test_every_mode_becomes_the_rgb_it_stands_for(
    image: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    pixels = read_image(encoded(image, kind))
    assert pixels.shape == (4, 5, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == expected).all(), pixels[0, 0]


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (plain("CMYK", (0, 255, 255, 0)), "JPEG", (255, 0, 0)),  # Pillow writes Adobe's way
        (plain("YCbCr", (128, 128, 128)), "JPEG", (128, 128, 128)),
        (plain("YCbCr", (76, 85, 255)), "TIFF", (254, 0, 0)),
        (plain("RGB", (255, 0, 0)), "JPEG", (254, 0, 0)),
        (plain("LAB", (255, 128, 128)), "TIFF", (255, 255, 255)),
        (plain("RGB", (200, 100, 50)), "WEBP", (200, 100, 50)),
        (plain("RGBA", (200, 100, 50, 255)), "WEBP", (200, 100, 50)),
    ],
)
def test_lossy_kinds_come_close(
    image: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    pixels = read_image(encoded(image, kind)).astype(int)
    assert np.abs(pixels - expected).max() <= 6, pixels[0, 0]


def test_a_palette_with_transparent_entries_keeps_its_colors() -> None:
    image = plain("RGB", (200, 100, 50)).quantize(4)
    data = encoded(image, "PNG", transparency=b"\x00\x80\xff")
    assert (read_image(data) == (200, 100, 50)).all()


def test_a_16_bit_ramp_is_scaled_by_its_full_range() -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    pixels = read_image(encoded(Image.fromarray(ramp), "PNG"))
    assert (pixels[..., 0].ravel() == np.arange(256)).all()


def test_samples_that_are_not_finite_are_black() -> None:
    values = np.array([[0.0, np.nan, 1.0, np.inf]], np.float32)
    pixels = read_image(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :, 0].tolist() == [0, 0, 255, 0]


def test_negative_and_huge_samples_are_stretched_from_lowest_to_highest() -> None:
    values = np.array([[-100, 0, 100]], np.int32)
    pixels = read_image(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    upright = np.kron(SIX, np.ones((16, 16, 1), np.uint8))  # whole JPEG blocks
    stored = _as_camera_stores(upright, orientation)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    lossless: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    if kind == "JPEG":
        lossless = {"quality": 100, "subsampling": 0}
    data = encoded(Image.fromarray(stored), kind, exif=exif, **lossless)
    assert read_size(data) == (48, 32)
    assert np.abs(read_image(data).astype(int) - upright).max() <= (
        2 if kind == "JPEG" else 0
    )


def _as_camera_stores(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """By the EXIF standard: the sides of the scene that stored row 0 and column 0 show."""
    turned = {
        1: upright,  # top, left
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
        5: upright.swapaxes(0, 1),  # left, top
        6: upright.swapaxes(0, 1)[::-1],  # right, top
        7: upright.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
        8: upright.swapaxes(0, 1)[:, ::-1],  # left, bottom
    }[orientation]
    return np.ascontiguousarray(turned)


def test_compressed_tiff_is_turned_once() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = np.ascontiguousarray(np.rot90(SIX, 1))
    data = encoded(Image.fromarray(stored), "TIFF", exif=exif, compression="tiff_lzw")
    assert read_size(data) == (3, 2)
    assert (read_image(data) == SIX).all()


def test_an_orientation_after_the_pixels_of_a_png_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(SIX, 1)))
    body = encoded(stored, "PNG")[:-12]
    chunk = exif.tobytes().removeprefix(b"Exif\0\0")
    data = body + png_chunk(b"eXIf", chunk) + png_chunk(b"IEND", b"")
    assert read_size(data) == (3, 2)
    assert (read_image(data) == SIX).all()
    # An image as large as may be is looked into; a larger one is refused when it is read.
    monkeypatch.setattr(image, "MAX_PIXELS", 6)
    assert read_size(data) == (3, 2)
    monkeypatch.setattr(image, "MAX_PIXELS", 5)
    assert read_size(data) == (2, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    data = encoded(Image.fromarray(SIX), "PNG", exif=exif)
    assert (read_image(data) == SIX).all()


@pytest.mark.parametrize(
    "content", [b"MM\0*\xff\xff\xff\xffrubbish", b"XX*\0rubbish", b"MM"]
)
def test_broken_exif_does_not_cost_the_image_nor_turn_it(content: bytes) -> None:
    data = encoded(Image.fromarray(SIX), "PNG", exif=b"Exif\0\0" + content)
    assert (read_image(data) == SIX).all()


def test_a_color_profile_is_applied() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    data = encoded(plain("RGB", (200, 100, 50)), "PNG", icc_profile=profile.tobytes())
    assert (read_image(data) == (200, 100, 50)).all()  # does not fit RGB: ignored
    data = encoded(plain("RGB", (200, 100, 50)), "PNG", icc_profile=lab.tobytes())
    assert (read_image(data) == (200, 100, 50)).all()


@pytest.mark.parametrize("profile", [b"x", b"\0" * 200, b"acsp" * 100])
def test_a_broken_color_profile_is_ignored(profile: bytes) -> None:
    data = encoded(plain("RGB", (200, 100, 50)), "PNG", icc_profile=profile)
    assert (read_image(data) == (200, 100, 50)).all()


def srgb_called(name: str) -> bytes:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


@pytest.mark.parametrize("name", ["sRGB", "test"])
def test_a_profile_with_swapped_primaries_shows_the_other_color(name: str) -> None:
    profile = srgb_called(name)
    # Red and blue change places in the table of tags.
    for old, new in ((b"rXYZ", b"tmp_"), (b"bXYZ", b"rXYZ"), (b"tmp_", b"bXYZ")):
        profile = profile.replace(old, new)
    data = encoded(plain("RGB", (255, 0, 0)), "PNG", icc_profile=profile)
    assert np.abs(read_image(data).astype(int) - (0, 0, 255)).max() <= 3


@pytest.mark.parametrize("name", ["sRGB", "AdoB", "P3__"])
def test_what_does_nothing_is_left_out_whatever_it_is_called(name: str) -> None:
    data = encoded(Image.fromarray(SIX), "PNG", icc_profile=srgb_called(name))
    assert (read_image(data) == SIX).all()


def test_a_profile_that_makes_everything_black_is_ignored() -> None:
    profile = bytearray(srgb_called("sRGB"))
    for tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
        entry = profile.index(tag)
        place = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        profile[place + 8 : place + 20] = bytes(12)
    data = encoded(Image.fromarray(SIX), "PNG", icc_profile=bytes(profile))
    assert (read_image(data) == SIX).all()


# ------------------------------------------------------------------ sources and sizes


def test_path_text_bytes_and_open_file_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lesion 1.png"
    path.write_bytes(encoded(Image.fromarray(SIX), "PNG"))
    with path.open("rb") as file:
        assert (read_image(file) == SIX).all()
        assert not file.closed
    for source in (path, str(path), path.read_bytes()):
        assert (read_image(source) == SIX).all()
        assert read_size(source) == (3, 2)


def test_the_result_is_the_callers_own() -> None:
    pixels = read_image(encoded(Image.fromarray(SIX), "PNG"))
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize(
    ("at_least", "expected"),
    [
        (None, (640, 960)),
        (640, (640, 960)),
        (320, (320, 480)),
        (80, (80, 120)),
        (1, (80, 120)),
    ],
)
def test_a_jpeg_is_decoded_smaller_but_never_too_small(
    at_least: int | None, expected: tuple[int, int]
) -> None:
    data = encoded(plain("RGB", (200, 100, 50), (960, 640)), "JPEG")
    assert read_image(data, at_least=at_least).shape[:2] == expected
    assert read_size(data) == (960, 640)


def test_all_suffixes_are_lower_case_with_a_dot() -> None:
    assert all(
        suffix.startswith(".") and suffix == suffix.lower() for suffix in IMAGE_SUFFIXES
    )


# ------------------------------------------------------------------ real odd files


def test_every_odd_file_behaves_as_its_manifest_says(shared: Path) -> None:
    odd = shared / "data" / "odd"
    manifest = pd.read_csv(odd / "manifest.csv").set_index("file")
    present = manifest[[(odd / name).exists() for name in manifest.index]]
    assert len(present) >= 20
    for name, row in present.iterrows():
        path = odd / str(name)
        if row["decodes_in_pillow"] != "yes":
            with pytest.raises(ImageError, match="truncated"):
                read_image(path)
            continue
        size = int(row["width"]), int(row["height"])
        if row["exif_orientation"] in {5, 6, 7, 8}:
            size = size[::-1]
        assert read_size(path) == size, name
        pixels = read_image(path)
        assert pixels.shape == (size[1], size[0], 3), name
        assert np.ptp(pixels) > 60, name  # a picture, not black


def test_one_photo_in_all_orientations(shared: Path) -> None:
    folder = shared / "data" / "odd" / "exif_orientations"
    with Image.open(folder / "padlock-406986_640_no_exif.jpg") as image:
        stored = np.asarray(image.convert("RGB")).astype(int)
    # The files hold the same pixels and differ in their orientation only.
    expected = {
        "no_orientation": stored,
        "horizontal": stored,
        "mirror_horizontal": stored[:, ::-1],
        "rotate_180": stored[::-1, ::-1],
        "mirror_vertical": stored[::-1],
        "mirror_horizontal_rotate_270": stored.transpose(1, 0, 2),
        "rotate_90": np.rot90(stored, -1),
        "mirror_horizontal_rotate_90": np.rot90(stored[::-1, :], -1)[::-1, ::-1],
        "rotate_270": np.rot90(stored, 1),
    }
    for name, pixels in expected.items():
        upright = read_image(folder / f"padlock-406986_640_{name}.jpg")
        assert upright.shape == pixels.shape, name
        difference = np.abs(upright - pixels).mean()
        assert difference < 3, (name, difference)


def test_the_cmyk_sample_is_black_with_red_letters(shared: Path) -> None:
    for name in ("pillow_pil_sample_cmyk.jpg", "pillow_tiff_strip_cmyk_jpeg.tif"):
        pixels = read_image(shared / "data" / "odd" / name).astype(int)
        assert np.median(pixels) < 20
        red, green, blue = pixels[2, 5]  # inside the red mark in the corner
        assert red > 200
        assert max(green, blue) < 60


def test_the_lab_portrait_has_the_colors_of_its_gray_twin(shared: Path) -> None:
    color = read_image(shared / "data" / "odd" / "pillow_hopper.Lab.tif").astype(float)
    gray = read_image(shared / "data" / "odd" / "pillow_hopper_gray.jpg")[..., 0].astype(
        float
    )
    luma = color @ [0.299, 0.587, 0.114]
    assert np.corrcoef(luma.ravel(), gray.ravel())[0, 1] > 0.98
    assert color[40, 100, 2] > color[40, 100, 0]  # the background is blue
