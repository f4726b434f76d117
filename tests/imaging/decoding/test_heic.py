"""HEIC and AVIF as phones write them: upright, in true colours, refused where broken."""

from __future__ import annotations

import logging
import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from lentigo.errors import ImageError
from lentigo.imaging.decoding.color_codes import profile_of
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.decoding.image import read_image, read_size
from lentigo.imaging.decoding.square import read_square
from lentigo.imaging.sandbox.reader import GuardedReader
from tests.hostile.mutants import mutants
from tests.hostile.seeds import HEIC
from tests.pictures import encoded, plain

RED, GREEN, BLUE, WHITE = (200, 60, 60), (60, 160, 60), (60, 60, 200), (230, 230, 230)
P3 = {"red": (0.68, 0.32), "green": (0.265, 0.69), "blue": (0.15, 0.06),
      "white": (0.3127, 0.329)}  # fmt: skip


def corners(name: str) -> list[tuple[int, ...]]:
    """The colours of the corners: top left, top right, bottom left, bottom right."""
    pixels = read_image(HEIC / name)
    return [tuple(map(int, pixels[y, x])) for y in (5, -5) for x in (5, -5)]


def near(found: object, wanted: object, *, by: int = 2) -> bool:
    return bool(np.abs(np.array(found) - np.array(wanted)).max() <= by)


@pytest.mark.parametrize("name", ["plain", "alpha", "deep", "several"])
def test_colours_come_out_as_they_were_drawn(name: str) -> None:
    """Whatever the alpha plane (here zero), of 10 bits, and of two images the primary."""
    assert read_image(HEIC / f"{name}.heic").shape == (48, 64, 3)
    assert read_size(HEIC / f"{name}.heic") == (64, 48)
    assert near(corners(f"{name}.heic"), [RED, GREEN, BLUE, WHITE])


def test_a_gray_picture_is_gray() -> None:
    assert near(corners("gray.heic"), [(n, n, n) for n in (102, 119, 76, 230)])


def test_a_turn_is_done_once_though_exif_says_it_again() -> None:
    assert read_size(HEIC / "turned.heic") == (48, 64)
    assert near(corners("turned.heic"), [BLUE, RED, WHITE, GREEN])


def test_display_p3_becomes_srgb() -> None:
    # (200, 60, 60) by the formulas of SMPTE EG 432-1 and IEC 61966-2-1.
    assert near(corners("p3.heic")[0], (217, 42, 51))
    assert near(corners("p3.heic")[3], WHITE)


def test_the_brightness_of_an_hdr_screen_is_refused_with_a_way_out() -> None:
    with pytest.raises(ImageError, match=r"HDR screen \(PQ\).*Save it as an ordinary JPEG"):
        read_image(HEIC / "pq.heic")


def test_an_avif_that_declares_display_p3_becomes_srgb() -> None:
    file = BytesIO()
    Image.new("RGB", (64, 48), RED).save(file, "AVIF", quality=95, subsampling="4:4:4")
    data = bytearray(file.getvalue())
    place = data.index(b"colrnclx") + 8
    assert near(read_image(bytes(data))[5, 5], RED)
    data[place : place + 4] = struct.pack(">HH", 12, 13)
    assert near(read_image(bytes(data))[5, 5], (217, 42, 51), by=3)


def numbers(primaries: dict[str, tuple[float, float]], transfer: int) -> dict[str, float]:
    said = {"transfer_characteristics": float(transfer)}
    for corner, (x, y) in primaries.items():
        said |= {f"color_primary_{corner}_x": x, f"color_primary_{corner}_y": y}
    return said


def test_a_profile_is_made_only_where_colours_differ_from_srgb() -> None:
    srgb = P3 | {"red": (0.64, 0.33), "green": (0.3, 0.6)}
    assert profile_of({}, "x") is None
    assert all(profile_of(numbers(srgb, code), "x") is None for code in (1, 2, 6, 13))
    for said in (numbers(P3, 1), numbers(srgb, 8)):
        made = profile_of(said, "x")
        assert made is not None
        ImageCms.ImageCmsProfile(BytesIO(made))
    assert profile_of(numbers(dict.fromkeys(P3, (0.3, 0.3)), 13), "x") is None


def test_a_bomb_is_refused_by_its_claim_and_a_lie_by_the_decoder() -> None:
    data = bytearray((HEIC / "plain.heic").read_bytes())
    place = data.index(b"ispe") + 8
    with pytest.raises(ImageError, match="64 × 48 pixels; at most 3,071 in all"):
        read_image(bytes(data), max_pixels=64 * 48 - 1)
    for claim in ((50_000, 50_000), (20_000, 20_000), (128, 96), (32, 24), (0, 0)):
        data[place : place + 8] = struct.pack(">II", *claim)
        with pytest.raises(ImageError, match=r"cannot be decoded|broken|claims|bomb"):
            read_image(bytes(data))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_file_cut_short_is_refused(share: float) -> None:
    data = (HEIC / "plain.heic").read_bytes()
    with pytest.raises(ImageError):
        read_image(data[: int(len(data) * share)])


def test_what_a_file_tells_without_its_pixels() -> None:
    facts = file_facts([HEIC / "turned.heic", HEIC / "plain.heic"])
    assert facts["kind"].tolist() == ["HEIC", "HEIC"]
    assert facts[["width", "height"]].to_numpy().tolist() == [[48, 64], [64, 48]]


def test_the_square_is_the_same_under_guard() -> None:
    square, full = read_square(HEIC / "turned.heic", size=32)
    assert full == (48, 64)
    with GuardedReader() as reader:
        guarded = reader.read_square(HEIC / "turned.heic", size=32)
    assert np.array_equal(guarded[0], square)


def test_200_broken_files_end_in_pixels_or_in_a_typed_error() -> None:
    ends_typed(200)


@pytest.mark.slow
def test_5000_broken_files_end_in_pixels_or_in_a_typed_error() -> None:
    ends_typed(5000)


def ends_typed(count: int) -> None:
    with GuardedReader() as reader:
        read = 0
        for each in mutants(count, only="HEIC"):
            try:
                pixels = reader.read_image(each.data)
            except ImageError:
                continue
            read += pixels.ndim == 3
    assert 0 < read < count


def test_of_several_pictures_the_main_one_is_read_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, other = plain("RGB", "red", (64, 48)), plain("RGB", "blue", (64, 48))
    small = plain("RGB", "blue", (32, 24))  # a preview, or a map for bright screens
    logger = logging.getLogger("lentigo")
    logger.addHandler(caplog.handler)
    try:
        read_image(HEIC / "several.heic")
        read_image(HEIC / "plain.heic")
        for beside in ([other, other], [small]):
            data = encoded(first, "MPO", save_all=True, append_images=beside)
            assert read_image(data)[0, 0].argmax() == 0
    finally:
        logger.removeHandler(caplog.handler)
    said = list(dict.fromkeys(record.getMessage() for record in caplog.records))
    assert len(said) == 2
    assert said[0].endswith("several.heic holds 2 pictures; only the main one is read.")
    assert said[1].endswith("holds 3 pictures; only the main one is read.")
