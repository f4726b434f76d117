from __future__ import annotations

import os
import random
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image, read_size
from tests.pictures import SIX, encoded, plain, png_chunk


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"no pixels")
    )
    with pytest.raises(ImageError, match=r"50,000 × 50,000 pixels; at most 100,000,000"):
        read_image(bomb)


@pytest.mark.parametrize(
    ("kind", "told"), [("TIFF", "2 pages"), ("PNG", "2 frames"), ("WEBP", "2 frames")]
)
def test_several_pictures_in_one_file_are_refused(kind: str, told: str) -> None:
    lesions = [Image.effect_noise((30, 20), sigma).convert("RGB") for sigma in (5, 90)]
    whole = encoded(lesions[0], kind, save_all=True, append_images=lesions[1:])
    with pytest.raises(ImageError, match=rf"holds {told}.* only one picture a file"):
        read_image(whole)
    assert read_image(encoded(lesions[0], kind, save_all=True)).shape == (20, 30, 3)


def test_a_preview_or_a_mask_beside_a_page_is_no_second_picture() -> None:
    page = plain("RGB", (200, 120, 90), (60, 40))
    preview = plain("RGB", (200, 120, 90), (30, 20))
    data = encoded(page, "TIFF", save_all=True, append_images=[preview])
    assert read_image(data).shape == (40, 60, 3)
    other = encoded(page, "TIFF", save_all=True, append_images=[plain("RGB", 0, (20, 30))])
    with pytest.raises(ImageError, match="holds 2 pages"):
        read_image(other)
    mask = plain("L", 0, (60, 40))
    mask.encoderinfo = {"tiffinfo": {254: 4}}
    with_mask = encoded(page, "TIFF", save_all=True, append_images=[mask])
    assert read_image(with_mask).shape == (40, 60, 3)


def test_the_pixel_cap_is_the_callers_to_set() -> None:
    data = encoded(Image.fromarray(SIX), "PNG")
    assert read_image(data, max_pixels=6).shape == (2, 3, 3)
    with pytest.raises(ImageError, match="at most 5 in all"):
        read_image(data, max_pixels=5)


def test_no_setting_lifts_the_cap_beyond_what_a_camera_has() -> None:
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")
    with pytest.raises(ImageError, match=r"at most 250,000,000 in all are read\. Scale it"):
        read_image(bomb, max_pixels=10**12)


def test_pillows_own_limit_neither_warns_nor_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    assert (read_image(encoded(Image.fromarray(SIX), "PNG")) == SIX).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.jpg is empty."),
        (
            b"just a text\nfile",
            "x.jpg holds no JPEG, PNG, TIFF, BMP, WebP, HEIC, AVIF, PPM or DICOM image.",
        ),
        (b"<html>404</html>", "x.jpg holds no JPEG"),
        (encoded(plain("RGB", 0), "GIF"), "x.jpg is a GIF picture, which is not read"),
        (b"\xff\xd8\xff\xe0", "x.jpg cannot be decoded"),
        (b"\x89PNG\r\n\x1a\n", "x.jpg cannot be decoded"),
        (b"RIFF\0\0\0\0AVI LIST", "x.jpg cannot be decoded"),
        (b"BM" + b"\0" * 60, "x.jpg cannot be decoded"),
        (b"II*\0\x08\0\0\0\0\0", "x.jpg cannot be decoded"),
        (b"P6 0 0 255 ", "x.jpg cannot be decoded"),
    ],
)
def test_what_is_no_image_is_one_line_that_names_the_file(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    for read in (read_image, read_size):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert message in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "PPM"])
@pytest.mark.parametrize("at_least", [None, 8])
def test_a_file_cut_short_is_refused(kind: str, at_least: int | None) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError):
        read_image(data[: len(data) // 2], at_least=at_least)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nothing\.jpg does not exist"):
        read_image(tmp_path / "nothing.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(str(tmp_path))
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "file" / "x.jpg")
    with pytest.raises(ImageError, match="null"):
        read_image("a\0b.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="no ordinary file"):
        read_image(tmp_path / "pipe.jpg")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(Image.fromarray(SIX), "PNG"))
    path.chmod(0)
    with pytest.raises(ImageError, match="cannot be read: Permission denied"):
        read_image(path)


# ------------------------------------------------------------------ mutated bytes

_PICTURE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8))
_EXIF = Image.Exif()
_EXIF[ExifTags.Base.Orientation] = 6
_WHOLE = [
    encoded(_PICTURE, "JPEG", exif=_EXIF),
    encoded(_PICTURE.convert("CMYK"), "JPEG"),
    encoded(_PICTURE, "PNG", exif=_EXIF),
    encoded(_PICTURE.convert("P"), "PNG", transparency=b"\x01\x02"),
    encoded(_PICTURE, "TIFF", exif=_EXIF),
    encoded(_PICTURE, "TIFF", compression="tiff_lzw"),
    encoded(_PICTURE.convert("L").convert("F"), "TIFF"),
    encoded(_PICTURE, "BMP"),
    encoded(_PICTURE, "WEBP"),
    encoded(_PICTURE.convert("L"), "PPM"),
]


@settings(max_examples=300, deadline=None)
@given(
    data=st.sampled_from(_WHOLE),
    seed=st.integers(0, 2**32),
    flips=st.integers(0, 8),
    cut=st.floats(0, 1),
    head=st.booleans(),
)
def test_mutated_files_decode_or_raise_image_error(
    data: bytes, seed: int, flips: int, cut: float, head: bool
) -> None:
    chance = random.Random(seed)
    broken = bytearray(data if cut > 0.2 else data[: int(5 * cut * len(data))])
    for _ in range(flips if broken else 0):
        place = chance.randrange(min(len(broken), 200) if head else len(broken))
        broken[place] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            width, height = read_size(bytes(broken))
            pixels = read_image(bytes(broken), max_pixels=1_000_000)
        except ImageError as error:
            lines, shape, expected = str(error).splitlines(), None, None
        else:
            lines, shape, expected = ["fine"], pixels.shape, (height, width, 3)
    assert len(lines) == 1
    assert shape == expected
