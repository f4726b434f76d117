"""DICOM files that are refused: too large, cut short, broken, or of no known kind."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
)

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image, read_size
from tests.dicoms import compressed, dataset, dicom, written
from tests.imaging.decoding.test_dicom import GRAYS, SKIN, jpeg
from tests.pictures import SIX, encoded


def test_the_pixel_cap_holds_before_anything_is_decoded() -> None:
    made = dataset(SIX, "RGB", Rows=50_000, Columns=50_000)
    with pytest.raises(ImageError, match=r"50,000 × 50,000 pixels; at most 100,000,000"):
        read_image(written(made))
    with pytest.raises(ImageError, match="at most 5 in all"):
        read_image(dicom(SIX, "RGB"), max_pixels=5)


def test_a_deflated_file_is_refused_before_it_is_inflated() -> None:
    made = dataset(np.zeros((2000, 2000, 3), np.uint8), "RGB")
    data = written(made, DeflatedExplicitVRLittleEndian)
    assert len(data) < 100_000
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match="is a deflated DICOM file"):
            read(data)


def test_a_frame_of_another_size_than_the_header_says_is_refused() -> None:
    frame = jpeg(Image.fromarray(SKIN))
    with pytest.raises(ImageError, match=r"claims 3 × 2 pixels, but .* has 48 × 32"):
        read_image(compressed(frame, SIX, "YBR_FULL_422"))
    frame = encoded(Image.fromarray(SKIN), "JPEG2000", no_jp2=True)
    with pytest.raises(ImageError, match=r"claims 3 × 2 pixels, but .* has 48 × 32"):
        read_image(compressed(frame, SIX, "RGB", syntax=JPEG2000))


def test_a_compression_without_a_decoder_is_named() -> None:
    frame = jpeg(Image.fromarray(SKIN))
    data = compressed(frame, SKIN, "RGB", syntax=JPEGLosslessSV1)
    with pytest.raises(
        ImageError,
        match=r"JPEG Lossless.*1\.2\.4\.70\), for which .* pip install python-gdcm",
    ):
        read_image(data)


def test_a_12_bit_jpeg_names_its_compression() -> None:
    frame = bytearray(jpeg(Image.fromarray(SKIN[..., 0])))
    frame[bytes(frame).find(b"\xff\xc0") + 4] = 12
    like = SKIN[..., 0].astype(np.uint16)
    data = compressed(bytes(frame), like, "MONOCHROME2", bits=12, syntax=JPEGExtended12Bit)
    with pytest.raises(ImageError, match=r"JPEG Extended .* cannot be decoded"):
        read_image(data)


@pytest.mark.parametrize("kind", ["HSV", "ARGB", "CMYK", "", "MONOCHROME2"])
def test_other_ways_to_store_colors_are_refused_by_name(kind: str) -> None:
    with pytest.raises(ImageError, match=kind or "nothing named|cannot be decoded"):
        read_image(dicom(SIX, kind))


def test_what_is_no_way_to_store_colors_is_not_quoted() -> None:
    with pytest.raises(ImageError, match=r"something unknown|Unknown.*'…'") as found:
        read_image(dicom(SIX, "MEIER"))
    assert "MEIER" not in str(found.value)


def test_dicom_without_a_picture_is_said() -> None:
    made = dataset(SIX, "RGB")
    del made.Rows
    with pytest.raises(ImageError, match="DICOM without a picture"):
        read_size(written(made))
    made = dataset(SIX, "RGB")
    del made.PixelData
    with pytest.raises(ImageError, match="DICOM without pixels"):
        read_image(written(made))


_WHOLE = [
    dicom(SKIN, "RGB"),
    dicom(GRAYS, "MONOCHROME2", bits=12, WindowCenter=9, WindowWidth=9, RescaleSlope=1,
          RescaleIntercept=0),
    compressed(jpeg(Image.fromarray(SKIN)), SKIN, "YBR_FULL_422"),
    compressed(encoded(Image.fromarray(SKIN), "JPEG2000", no_jp2=True), SKIN, "RGB",
               syntax=JPEG2000),
]  # fmt: skip


@pytest.mark.parametrize("data", _WHOLE)
def test_a_file_cut_short_is_refused(data: bytes) -> None:
    for length in (133, 200, 400, len(data) // 2, len(data) - 200):
        with pytest.raises(ImageError):
            read_image(data[:length])


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(range(4)),
    seed=st.integers(0, 2**32),
    flips=st.integers(1, 8),
    head=st.booleans(),
)
def test_mutated_files_decode_or_raise_image_error(
    kind: int, seed: int, flips: int, head: bool
) -> None:
    chance = random.Random(seed)
    broken = bytearray(_WHOLE[kind])
    for _ in range(flips):
        place = chance.randrange(132, min(len(broken), 1200) if head else len(broken))
        broken[place] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            size = read_size(bytes(broken))
            pixels = read_image(bytes(broken), max_pixels=1_000_000)
        except ImageError as error:
            lines, shape, expected = str(error).splitlines(), None, None
        else:
            lines, shape, expected = ["fine"], pixels.shape, (size[1], size[0], 3)
    assert len(lines) == 1
    assert shape == expected


@pytest.mark.parametrize(
    ("tags", "before"),
    [
        ({"WindowCenter": "1234567890.12345", "WindowWidth": "100"}, b"1234567890.12345"),
        ({"NumberOfFrames": "123456789012"}, b"123456789012"),
        ({}, b"1.2.840.10008.1.2.1"),
    ],
)
def test_no_reason_quotes_what_stands_in_a_header(
    tags: dict[str, str], before: bytes
) -> None:
    """A patient's name may stand where a number or an id should."""
    content = dicom(np.zeros((8, 8), np.uint8), "MONOCHROME2", **tags)
    name = b"Hermine Meier 1950.."[: len(before)]
    with pytest.raises(ImageError) as found:
        read_image(content.replace(before, name))
    assert "Herm" not in str(found.value)
