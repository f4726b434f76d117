from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    JPEG2000,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image, read_size
from tests.dicoms import compressed, dataset, dicom, written
from tests.pictures import SIX, encoded

# Smooth, as skin is: what JPEG and half-resolution colour can hold.
_Y, _X = np.mgrid[:32, :48]
SKIN = np.stack([120 + 2 * _X, 90 + 3 * _Y, 200 - 2 * _X], axis=2).astype(np.uint8)
GRAYS = (np.arange(64, dtype=np.uint16) * 65).reshape(8, 8)  # 0 to 4095 in 12 bits


def off(data: bytes, expected: np.ndarray) -> int:
    """By how much the worst sample of the picture in `data` is wrong."""
    assert read_size(data) == expected.shape[1::-1]
    pixels = read_image(data)
    assert pixels.shape == (*expected.shape[:2], 3)
    wanted = expected if expected.ndim == 3 else expected[..., None]
    return int(np.abs(pixels.astype(int) - wanted).max())


def jpeg(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "JPEG", **{"quality": 95, **options})


# ------------------------------------------------------------------ colours, uncompressed


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_comes_out_as_it_went_in(planar: int) -> None:
    assert off(dicom(SIX, "RGB", planar=planar), SIX) == 0


@pytest.mark.parametrize("planar", [0, 1])
def test_ybr_full_is_turned_into_rgb(planar: int) -> None:
    values = convert_color_space(SIX, "RGB", "YBR_FULL")
    assert off(dicom(values, "YBR_FULL", planar=planar), SIX) <= 2  # two roundings


def test_ybr_full_422_shares_its_colors_between_neighbours() -> None:
    ybr = convert_color_space(SKIN, "RGB", "YBR_FULL")
    made = dataset(SKIN, "YBR_FULL_422")
    pairs = ybr.reshape(32, 24, 2, 3)
    packed = [pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]]
    made.PixelData = np.stack(packed, axis=2).tobytes()
    assert off(written(made), SKIN) <= 6


def test_rgb_of_16_bits_is_scaled_by_the_bits_that_are_stored() -> None:
    values = SIX.astype(np.uint16) * 257
    assert off(dicom(values, "RGB", bits=16), SIX) == 0
    twelve = np.rint(SIX / 255 * 4095).astype(np.uint16)
    assert off(dicom(twelve, "RGB", bits=12), SIX) == 0


@pytest.mark.parametrize("depth", [8, 16])
def test_a_palette_is_looked_up(depth: int) -> None:
    colors = SIX.reshape(6, 3)
    table = colors if depth == 8 else colors.astype("<u2") * 257
    tags: dict[str, Any] = {}
    for number, name in enumerate(("Red", "Green", "Blue")):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [6, 0, depth]
        tags[f"{name}PaletteColorLookupTableData"] = table[:, number].tobytes()
    places = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert off(dicom(places, "PALETTE COLOR", **tags), SIX) == 0


def test_a_16_bit_palette_that_holds_bytes_is_taken_as_bytes() -> None:
    tags: dict[str, Any] = {}
    for number, name in enumerate(("Red", "Green", "Blue")):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [6, 0, 16]
        words = SIX.reshape(6, 3)[:, number].astype("<u2")
        tags[f"{name}PaletteColorLookupTableData"] = words.tobytes()
    places = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert off(dicom(places, "PALETTE COLOR", **tags), SIX) == 0


def test_the_color_profile_of_the_file_is_applied() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = (
        srgb.replace(b"rXYZ", b"tmp_").replace(b"bXYZ", b"rXYZ").replace(b"tmp_", b"bXYZ")
    )
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert off(dicom(red, "RGB", ICCProfile=swapped), red[..., ::-1]) <= 3


# ------------------------------------------------------------------ greys


def test_12_bit_grays_fill_the_range_of_their_bits() -> None:
    expected = np.rint(GRAYS / 4095 * 255)
    assert off(dicom(GRAYS, "MONOCHROME2", bits=12), expected) == 0
    assert off(dicom(GRAYS, "MONOCHROME1", bits=12), 255 - expected) == 0


def test_bits_in_the_upper_part_of_a_word_are_read_as_such() -> None:
    expected = np.rint(GRAYS / 4095 * 255)
    upper = (GRAYS << 4).astype(np.uint16)
    assert off(dicom(upper, "MONOCHROME2", bits=12, HighBit=15), expected) == 0
    signed = ((GRAYS.astype(np.int32) - 2048) << 4).astype(np.int16)
    assert off(dicom(signed, "MONOCHROME2", bits=12, HighBit=15), expected) == 0
    with pytest.raises(ImageError, match="highest of its 12 bits is bit 9"):
        read_image(dicom(GRAYS, "MONOCHROME2", bits=12, HighBit=9))


def test_an_inverse_presentation_is_dark_where_values_are_high() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for kind in ("MONOCHROME1", "MONOCHROME2"):
        data = dicom(values, kind, PresentationLUTShape="INVERSE")
        assert off(data, 255 - values) == 0
    assert off(dicom(values, "MONOCHROME2", PresentationLUTShape="IDENTITY"), values) == 0


def test_8_bit_grays_stay() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert off(dicom(values, "MONOCHROME2"), values) == 0


def test_signed_grays_are_black_at_the_lowest_and_white_at_the_highest() -> None:
    values = np.array([[-2048, 0, 2047]], np.int16)
    pixels = read_image(dicom(values, "MONOCHROME2", bits=12))
    assert pixels[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # PS3.3 C.11.2.1.2: x <= c - 0.5 - (w - 1) / 2 is black, above c - 0.5 + ... white
        ("LINEAR", [0, 0, round(255 * ((150 - 149.5) / 100 + 0.5)), 255, 255]),
        ("LINEAR_EXACT", [0, 0, round(255 * ((150 - 150) / 101 + 0.5)), 255, 255]),
        (
            "SIGMOID",
            [round(255 / (1 + np.exp(4 * d / 101))) for d in (150, 51, 0, -51, -850)],
        ),
    ],
)
def test_a_window_is_applied_as_the_standard_says(shape: str, expected: list[int]) -> None:
    values = np.array([[0, 99, 150, 201, 1000]], np.uint16)
    data = dicom(values, "MONOCHROME2", bits=12, WindowCenter=150, WindowWidth=101,
                 VOILUTFunction=shape)  # fmt: skip
    assert read_image(data)[0, :, 0].tolist() == expected


def test_the_first_of_several_windows_counts_and_a_senseless_one_does_not() -> None:
    values = np.array([[0, 50, 100]], np.uint16)
    two = {"WindowCenter": [50.5, 9], "WindowWidth": [101, 3]}
    assert read_image(dicom(values, "MONOCHROME2", bits=12, **two))[0, :, 0].tolist() == [
        0, 128, 255,
    ]  # fmt: skip
    none = {"WindowCenter": 50, "WindowWidth": 0}
    assert read_image(dicom(values, "MONOCHROME2", bits=12, **none)).max() == 6  # of 4095


def test_rescaling_comes_before_the_window() -> None:
    values = np.array([[0, 500, 1000]], np.uint16)
    tags: dict[str, float] = {
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
    }  # -1000, 0, 1000
    tags |= {"WindowCenter": 0.5, "WindowWidth": 1001}
    data = dicom(values, "MONOCHROME2", bits=12, **tags)
    assert read_image(data)[0, :, 0].tolist() == [0, 128, 255]


def test_rescaling_without_a_window_keeps_the_range_of_the_bits() -> None:
    tags = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    data = dicom(GRAYS, "MONOCHROME2", bits=12, **tags)
    assert off(data, np.rint(GRAYS / 4095 * 255)) == 0


def test_a_voi_table_is_looked_up() -> None:
    table = pydicom.Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.LUTData = np.array([0, 10, 200, 255], "<u2").tobytes()
    values = np.array([[0, 1], [2, 3]], np.uint8)
    data = dicom(values, "MONOCHROME2", VOILUTSequence=[table])
    assert read_image(data)[..., 0].tolist() == [[0, 10], [200, 255]]


# ------------------------------------------------------------------ compressed


@pytest.mark.parametrize("tag", ["YBR_FULL_422", "YBR_FULL", "RGB", "YBR_PARTIAL_420"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_is_as_it_is_outside_dicom_whatever_the_tag_says(
    tag: str, subsampling: int
) -> None:
    frame = jpeg(Image.fromarray(SKIN), subsampling=subsampling)  # with a JFIF marker
    data = compressed(frame, SKIN, tag)
    assert (read_image(data) == read_image(frame)).all()
    assert off(data, SKIN) <= 12


def _without_markers(data: bytes) -> bytes:
    """A JPEG without its application markers, and with numbers for component names."""
    kept, place = data[:2], 2
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
        if not 0xE0 <= data[place + 1] <= 0xEF:
            kept += data[place:end]
        place = end
    rest = bytearray(kept + data[place:])
    for marker, first, step in ((b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)):
        start = bytes(rest).find(marker)
        for number in range(3):
            rest[start + first + number * step] = number + 1
    return bytes(rest)


def test_a_jpeg_without_markers_is_rgb_if_the_tag_says_so() -> None:
    frame = _without_markers(jpeg(Image.fromarray(SKIN), keep_rgb=True))
    assert off(compressed(frame, SKIN, "RGB"), SKIN) <= 12


@pytest.mark.parametrize("tag", ["YBR_FULL_422", "RGB"])
def test_a_jpeg_without_markers_whose_colors_are_coarse_is_ybr(tag: str) -> None:
    frame = _without_markers(jpeg(Image.fromarray(SKIN), subsampling=1))
    assert off(compressed(frame, SKIN, tag), SKIN) <= 12


def test_a_jpeg_that_names_its_components_rgb_is_rgb() -> None:
    frame = jpeg(Image.fromarray(SKIN), keep_rgb=True)
    assert off(compressed(frame, SKIN, "YBR_FULL_422"), SKIN) <= 12


def test_exif_inside_a_dicom_jpeg_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    frame = jpeg(Image.fromarray(SKIN), exif=exif)
    assert off(compressed(frame, SKIN, "YBR_FULL_422"), SKIN) <= 12


def test_a_gray_jpeg_goes_through_the_window_and_the_sense_of_monochrome1() -> None:
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (8, 1))
    frame = jpeg(Image.fromarray(ramp), quality=100)
    assert off(compressed(frame, ramp, "MONOCHROME2"), ramp) <= 2
    assert off(compressed(frame, ramp, "MONOCHROME1"), 255 - ramp) <= 2


def test_a_large_jpeg_may_come_out_smaller() -> None:
    large = np.asarray(Image.fromarray(SKIN).resize((960, 640)))
    data = compressed(jpeg(Image.fromarray(large)), large, "YBR_FULL_422")
    assert read_image(data, at_least=320).shape == (320, 480, 3)
    assert read_size(data) == (960, 640)


@pytest.mark.parametrize("tag", ["RGB", "YBR_RCT", "YBR_FULL"])
def test_jpeg_2000_that_undoes_its_own_transform_is_rgb_whatever_the_tag_says(
    tag: str,
) -> None:
    frame = encoded(Image.fromarray(SKIN), "JPEG2000", no_jp2=True, mct=1)
    assert off(compressed(frame, SKIN, tag, syntax=JPEG2000Lossless), SKIN) == 0


def test_jpeg_2000_without_a_transform_is_what_the_tag_says() -> None:
    plain = encoded(Image.fromarray(SKIN), "JPEG2000", no_jp2=True, mct=0)
    assert off(compressed(plain, SKIN, "RGB", syntax=JPEG2000), SKIN) == 0
    ybr = convert_color_space(SKIN, "RGB", "YBR_FULL")
    frame = encoded(Image.fromarray(ybr), "JPEG2000", no_jp2=True, mct=0)
    assert off(compressed(frame, SKIN, "YBR_FULL", syntax=JPEG2000), SKIN) <= 2


def test_gray_jpeg_2000_of_16_bits() -> None:
    values = (np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64)
    frame = encoded(Image.fromarray(values), "JPEG2000", no_jp2=True)
    data = compressed(frame, values, "MONOCHROME2", bits=16, syntax=JPEG2000Lossless)
    assert off(data, np.rint(values / 65535 * 255)) == 0


@pytest.mark.parametrize("photometric", ["RGB", "MONOCHROME2"])
def test_run_lengths_are_read(photometric: str) -> None:
    values = SIX if photometric == "RGB" else SIX[..., 0].copy()
    made = dataset(values, photometric)
    written(made)  # gives it the uncompressed file meta that compress asks for
    made.compress(RLELossless, generate_instance_uid=False)
    assert off(written(made, RLELossless), values) == 0


def test_of_several_frames_the_first_is_read_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frames = [jpeg(Image.fromarray(picture)) for picture in (SKIN, 255 - SKIN)]
    data = compressed(frames, SKIN, "YBR_FULL_422")
    logger = logging.getLogger("lentigo")
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, "lentigo"):
            assert off(data, SKIN) <= 12
    finally:
        logger.removeHandler(caplog.handler)
    assert "holds 2 frames; only the first one is read" in caplog.text
    several = dicom(SIX, "RGB", NumberOfFrames=2, PixelData=SIX.tobytes() * 2)
    assert off(several, SIX) == 0


# ------------------------------------------------------------------ the door


def test_nothing_about_the_patient_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    reader = pydicom.dcmread

    def spy(*args: Any, **options: Any) -> pydicom.Dataset:
        seen.append(reader(*args, **options))
        return seen[-1]

    monkeypatch.setattr(pydicom, "dcmread", spy)
    data = dicom(SIX, "RGB")
    assert b"SECRET-ID" in data
    assert (read_image(data) == SIX).all()
    groups = {element.tag.group for each in seen for element in each}
    assert groups <= {0x0008, 0x0028, 0x7FE0}
    assert not any(b"SECRET" in repr(each).encode() for each in seen)


def test_a_file_without_preamble_is_read_if_it_is_called_dcm(tmp_path: Path) -> None:
    made = dataset(SIX, "RGB")
    written(made, ImplicitVRLittleEndian)
    path = tmp_path / "old.dcm"
    del made.file_meta
    made.save_as(path, implicit_vr=True, little_endian=True)
    assert path.read_bytes()[128:132] != b"DICM"
    assert (read_image(path) == SIX).all()
    (tmp_path / "old.jpg").write_bytes(path.read_bytes())
    with pytest.raises(ImageError, match="holds no JPEG"):
        read_image(tmp_path / "old.jpg")


def test_a_jpeg_that_is_called_dcm_is_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(jpeg(Image.fromarray(SKIN)))
    assert read_image(path).shape == SKIN.shape


_BUNDLED = sorted(Path(pydicom.__file__).parent.glob("data/test_files/**/*.dcm"))


def test_every_file_that_comes_with_pydicom_gives_a_picture_or_an_image_error() -> None:
    refused = []
    for path in _BUNDLED:
        try:
            pixels = read_image(path)
        except ImageError as error:
            refused.append(str(error))
        else:
            assert read_size(path) == pixels.shape[1::-1]
    assert len(_BUNDLED) >= 60
    assert len(_BUNDLED) - len(refused) >= 35
    assert all(str(_BUNDLED[0].parent) in said and "\n" not in said for said in refused)


# Nine stripes: red, green, blue in full and in pale, black, dark and light grey.
_STRIPES = [(255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255),
            (128, 128, 255), (0, 0, 0), (64, 64, 64), (192, 192, 192)]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [path for path in _BUNDLED if path.name.startswith("SC_rgb_") and "jls" not in path.name
     and "small" not in path.name and path.name not in
     {"SC_rgb_jpeg.dcm", "SC_rgb_jpeg_app14_dcmd.dcm", "SC_rgb_jpeg_dcmd.dcm",
      "SC_rgb_jpeg_gdcm.dcm"}],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_one_test_picture_has_its_colors_in_every_encoding(path: Path) -> None:
    pixels = read_image(path).astype(int)
    for number, color in enumerate(_STRIPES):
        assert np.abs(pixels[5 + 10 * number, 50] - color).max() <= 8, (number, color)
