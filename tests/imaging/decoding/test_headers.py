"""Headers built byte by byte: what each says, at its limits, in either byte order."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from lentigo.imaging.decoding.headers import (
    _frame,
    ijg_quality,
    read_exif,
    read_jpeg,
    read_png,
    says_more_after_pixels,
)
from lentigo.imaging.decoding.rgb import scaled, to_eight_bits
from lentigo.imaging.decoding.several import _is_copy


def exif(order: str = "<", **tags: Any) -> bytes:
    """A block of EXIF: texts as ASCII, numbers as SHORT; `taken` is in the inner part."""
    names = {"make": 0x010F, "model": 0x0110, "turn": 0x0112, "software": 0x0131,
             "date": 0x0132, "note": 0x9999}  # fmt: skip
    taken = tags.pop("taken", None)
    count = len(tags) + (taken is not None)
    end = 8 + 2 + 12 * count + 4
    entries, texts = b"", b""
    for name, value in tags.items():
        if isinstance(value, int):
            entries += struct.pack(f"{order}HHIHH", names[name], 3, 1, value, 0)
            continue
        text = value.encode() + b"\0"
        if len(text) <= 4:
            entries += struct.pack(f"{order}HHI4s", names[name], 2, len(text), text)
        else:
            place = end + len(texts)
            entries += struct.pack(f"{order}HHII", names[name], 2, len(text), place)
            texts += text
    if taken is not None:
        entries += struct.pack(f"{order}HHII", 0x8769, 4, 1, end + len(texts))
        text = taken.encode() + b"\0"
        after = end + len(texts) + 2 + 12 + 4
        texts += struct.pack(f"{order}H", 1)
        texts += struct.pack(f"{order}HHII", 0x9003, 2, len(text), after) + bytes(4) + text
    start = b"II*\0" if order == "<" else b"MM\0*"
    return (
        start + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", count)
        + entries + bytes(4) + texts
    )  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_in_either_byte_order(order: str) -> None:
    block = exif(order, make="Heine", model="iC1", software="X", turn=6,
                 taken="2020:01:02 23:59:00", note="private")  # fmt: skip
    assert read_exif(block) == {
        "make": "Heine", "model": "iC1", "software": "X", "orientation": 6, "dated": True,
        "hour": 23,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "facts"),
    [
        ({"taken": "2020:01:02 00:00:00"}, {"dated": True, "hour": 0}),
        ({"taken": "2020:01:02 24:00:00"}, {"dated": True}),
        ({"taken": "2020:01:02"}, {"dated": True}),
        ({"date": "2020:01:02 07:00:00"}, {"dated": True, "hour": 7}),
        (  # the date of taking counts more than that of the file
            {"date": "2020:01:02 07:00:00", "taken": "2020:01:02 08:00:00"},
            {"dated": True, "hour": 8},
        ),
        ({"turn": 0}, {"dated": False}),
        ({"turn": 1}, {"dated": False, "orientation": 1}),
        ({"turn": 8}, {"dated": False, "orientation": 8}),
        ({"turn": 9}, {"dated": False}),
        ({"make": "  "}, {"dated": False}),
        ({"make": "abc"}, {"dated": False, "make": "abc"}),  # in the entry itself
        ({"make": "abcd"}, {"dated": False, "make": "abcd"}),  # after the entries
        ({"make": "a" * 64}, {"dated": False, "make": "a" * 64}),
        ({"make": "a" * 65}, {"dated": False, "make": "a" * 64}),
    ],
)
def test_facts_of_exif(tags: dict[str, Any], facts: dict[str, Any]) -> None:
    assert read_exif(exif(**tags)) == facts


@pytest.mark.parametrize("block", [b"", b"II*\0", b"XX*\0" + bytes(20), b"II*\0\xff\0\0\0"])
def test_what_is_no_exif_has_no_facts(block: bytes) -> None:
    assert "make" not in read_exif(block)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame(height: int = 30, width: int = 40, *codes: int) -> bytes:
    parts = b"".join(bytes([number, code, 0]) for number, code in enumerate(codes))
    return struct.pack(">BHHB", 8, height, width, len(codes)) + parts


def jpeg(*segments: bytes) -> Any:
    return read_jpeg(BytesIO(b"\xff\xd8" + b"".join(segments) + b"\xff\xda rest"))


@pytest.mark.parametrize(
    ("codes", "mode", "said"),
    [
        ((0x22,), "L", "grey"),
        ((0x11, 0x11, 0x11), "YCbCr", "4:4:4"),
        ((0x21, 0x11, 0x11), "YCbCr", "4:2:2"),
        ((0x12, 0x11, 0x11), "YCbCr", "4:4:0"),
        ((0x22, 0x11, 0x11), "YCbCr", "4:2:0"),
        ((0x41, 0x11, 0x11), "YCbCr", "4:1:1"),
        ((0x22, 0x21, 0x21), "YCbCr", "other"),
        ((0x11, 0x11, 0x11, 0x11), "CMYK", "other"),
    ],
)
def test_a_frame_tells_its_colours_and_their_sampling(
    codes: tuple[int, ...], mode: str, said: str
) -> None:
    assert _frame(0xC0, frame(30, 40, *codes)) == {
        "width": 40, "height": 30, "mode": mode, "progressive": False, "subsampling": said,
    }  # fmt: skip


def test_a_frame_that_is_cut_tells_what_is_left() -> None:
    whole = frame(30, 40, 0x11, 0x11, 0x11)
    assert _frame(0xC0, whole[:5]) == {}
    assert "subsampling" not in _frame(0xC0, whole[:8])
    assert _frame(0xC0, whole[:8])["width"] == 40


@pytest.mark.parametrize(
    ("marker", "progressive"),
    [(0xC0, False), (0xC1, False), (0xC2, True), (0xC6, True), (0xCA, True), (0xCE, True)],
)
def test_the_marker_tells_a_progressive_file(marker: int, progressive: bool) -> None:
    assert jpeg(segment(marker, frame(30, 40, 0x11)))["progressive"] == progressive


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_tables_among_the_markers_are_no_frame(marker: int) -> None:
    assert "width" not in jpeg(segment(marker, frame(30, 40, 0x11)))


def test_segments_are_passed_over_or_padded_and_end_with_the_pixels() -> None:
    own = segment(0xC0, frame(30, 40, 0x11))
    found = jpeg(segment(0xE7, b"unknown"), b"\xff\x01", b"\xff\xd3", b"\xff\xff", own)
    assert (found["width"], found["height"]) == (40, 30)
    late = segment(0xE2, b"ICC_PROFILE\0")
    assert jpeg(own, late)["icc"]
    assert not jpeg(own, b"\xff\xda", late)["icc"]
    assert not jpeg(own, b"\xff\xd9", late)["icc"]
    assert not jpeg(own, b"\xff\xe7\0\1", late)["icc"]  # a length that cannot be
    assert not jpeg(segment(0xE2, b"FPXR\0"))["icc"]
    assert not jpeg(segment(0xE1, b"http://ns.adobe.com"))["exif"]


@pytest.mark.parametrize(("turn", "swapped"), [(4, False), (5, True), (8, True)])
def test_a_picture_on_its_side_has_its_sides_exchanged(turn: int, swapped: bool) -> None:
    own = segment(0xE1, b"Exif\0\0" + exif(turn=turn))
    found = jpeg(own, segment(0xC0, frame(30, 40, 0x11)))
    assert found["exif"]
    assert (found["width"], found["height"]) == ((30, 40) if swapped else (40, 30))


@pytest.mark.parametrize("sides", [(0, 40), (30, 0)])
def test_a_side_of_nothing_is_no_size(sides: tuple[int, int]) -> None:
    found = jpeg(segment(0xC0, frame(*sides, 0x11)))
    assert "width" not in found
    assert "height" not in found


def test_the_first_table_tells_the_quality_in_one_byte_or_two() -> None:
    steps = np.clip(np.arange(64) + 10, 1, 255).astype(np.uint8)
    narrow, wide = steps.tobytes(), steps.astype(">u2").tobytes()
    one = jpeg(segment(0xDB, b"\1" + bytes(64) + b"\0" + narrow))
    two = jpeg(segment(0xDB, b"\x11" + bytes(128) + b"\x10" + wide))
    assert one["quality"] == two["quality"] == ijg_quality(narrow)
    assert one["tables"] != two["tables"]
    assert "quality" not in jpeg(segment(0xDB, b"\0" + narrow[:63]))
    assert ijg_quality(narrow[:63]) is None
    assert ijg_quality(bytes([1] * 64)) == 100
    assert ijg_quality(bytes([255] * 64)) == 1


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + bytes(4)


def png(*chunks: bytes) -> BytesIO:
    return BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def head(bits: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, bits, colour, 0, 0, interlaced))


@pytest.mark.parametrize(
    ("bits", "colour", "mode"),
    [(8, 0, "L"), (16, 0, "L;16"), (8, 2, "RGB"), (16, 2, "RGB;16"), (8, 3, "P"),
     (8, 4, "LA"), (8, 6, "RGBA")],
)  # fmt: skip
def test_a_png_tells_its_mode(bits: int, colour: int, mode: str) -> None:
    assert read_png(png(head(bits, colour))) == {
        "icc": False, "exif": False, "width": 40, "height": 30, "mode": mode,
        "progressive": False,
    }  # fmt: skip


def test_chunks_of_a_png() -> None:
    turned = chunk(b"eXIf", exif(turn=6))
    found = read_png(png(head(interlaced=1), chunk(b"iCCP", b"x" * 70), turned))
    assert found["progressive"]
    assert found["icc"]
    assert (found["exif"], found["width"], found["height"]) == (True, 30, 40)
    assert "width" not in read_png(png(chunk(b"IHDR", bytes(12))))


@pytest.mark.parametrize("kind", [b"eXIf", b"tEXt", b"zTXt", b"iTXt"])
def test_what_a_png_says_after_its_pixels(kind: bytes) -> None:
    said, pixels = chunk(kind, b"text"), chunk(b"IDAT", b"pixels")
    assert says_more_after_pixels(png(head(), pixels, pixels, said))
    assert not says_more_after_pixels(png(head(), said, pixels, chunk(b"tIME", b"1")))


@pytest.mark.parametrize(
    ("highest", "white"),
    [(255, 255), (256, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (4096, 16383),
     (16383, 16383), (16384, 65535), (65535, 65535)],
)  # fmt: skip
def test_white_is_that_of_the_smallest_depth_that_holds_all(
    highest: int, white: int
) -> None:
    found = to_eight_bits(np.array([[0, highest]], np.uint16))
    assert found.tolist() == [[0, round(255 * highest / white)]]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 1.5, 255.0], [0, 2, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 1e6], [0, 255]),
        ([-5.0, -5.0], [0, 0]),
        ([np.nan, 1.0, np.inf], [0, 255, 0]),
        ([np.nan, np.nan], [0, 0]),
    ],
)
def test_numbers_of_any_kind_as_grey(given: list[float], shown: list[int]) -> None:
    assert to_eight_bits(np.array([given])).tolist() == [shown]


def test_every_row_is_scaled_and_what_lies_beyond_is_cut() -> None:
    rows = np.repeat(np.arange(600.0)[:, None], 2, axis=1)
    expected = np.rint(np.clip((rows - 100) / 400, 0, 1) * 255)
    assert np.array_equal(scaled(rows, 100, 500), expected)


class Page:
    """As much of a page of a TIFF as tells whether it is a copy."""

    def __init__(self, size: tuple[int, int], **tags: int) -> None:
        self.size = size
        self.tag_v2 = {254: tags.get("kind", 0), 255: tags.get("old", 0)}


@pytest.mark.parametrize(
    ("size", "tags", "copy"),
    [
        ((50, 25), {}, True),
        ((100, 50), {}, False),  # as large
        ((99, 50), {}, False),
        ((50, 26), {}, False),  # 3.8 % more upright
        ((70, 34), {}, True),  # 2.9 % wider
        ((70, 33), {}, False),
        ((100, 50), {"kind": 1}, True),
        ((100, 50), {"kind": 2}, False),  # a page of several
        ((100, 50), {"kind": 4}, True),  # a mask
        ((100, 50), {"old": 2}, True),
        ((100, 50), {"old": 1}, False),
    ],
)
def test_a_page_is_a_copy_if_it_is_smaller_and_as_wide(
    size: tuple[int, int], tags: dict[str, int], copy: bool
) -> None:
    page: Any = Page(size, **tags)
    assert _is_copy(page, (100, 50)) == copy
