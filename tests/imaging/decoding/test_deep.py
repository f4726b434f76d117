"""Colours of 10 to 16 bits, in every way that they lie in files; tifffile is the oracle."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.rgb import to_eight_bits

CASES = Path(__file__).parents[2] / "cases"
Samples = NDArray[np.uint16]


def samples(bits: int, *, alpha: bool = False) -> Samples:
    """A wedge of each colour with some noise in it, (45, 37, 3 or 4)."""
    slope = np.add.outer(np.linspace(0, 0.6, 45), np.linspace(0, 0.4, 37))
    planes = [slope, slope**0.7, slope**1.6, np.full(slope.shape, 0.5)]
    shown = np.stack(planes[: 4 if alpha else 3], axis=-1)
    shown[5:9, 5:20, :3] = np.random.default_rng(0).random((4, 15, 3))
    values: Samples = np.rint(shown * (2**bits - 1)).astype(np.uint16)
    return values


def tiff(values: Samples, **how: Any) -> bytes:
    file = BytesIO()
    planar = how.get("planarconfig") == 2
    data = np.ascontiguousarray(np.moveaxis(values, 2, 0)) if planar else values
    extra = ["unassalpha"] if values.shape[-1] == 4 else None
    tifffile.imwrite(
        file, data, photometric="rgb", metadata=None, extrasamples=extra, **how
    )
    return file.getvalue()


def off(content: bytes, values: Samples) -> int:
    """How far the picture in a file is from its samples in 8 bits."""
    expected = to_eight_bits(values[..., :3]).astype(int)
    return int(abs(read_image(content) - expected).max())


@pytest.mark.parametrize(
    ("case", "name", "most"),
    [
        ("19-linear-srgb-profile", "linear.png", 3),
        ("21-planar-16-bit-tiff", "planar.tif", 1),
        ("23-12-bits-in-a-16-bit-png", "twelve_bits.png", 2),
    ],
)
def test_the_cases_look_as_they_should(case: str, name: str, most: int) -> None:
    expected = np.asarray(Image.open(CASES / case / "as_it_should_look.png")).astype(int)
    assert abs(read_image(CASES / case / name) - expected).mean() <= most


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("planar", [1, 2])
def test_every_tiff_is_as_bright_as_its_depth_says(
    bits: int, alpha: bool, planar: int
) -> None:
    values = samples(bits, alpha=alpha)
    for tile, order, rows in product((None, (16, 32)), "<>", (7, 45)):
        how = {"tile": tile} if tile else {"rowsperstrip": rows}
        assert off(tiff(values, planarconfig=planar, byteorder=order, **how), values) <= 1


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_compressed_tiffs_are_read_or_refused(predictor: bool, order: str) -> None:
    how: dict[str, Any] = {
        "compression": "zlib",
        "predictor": predictor,
        "byteorder": order,
    }
    for bits in (12, 16):
        values = samples(bits)
        assert off(tiff(values, planarconfig=1, **how), values) <= 1
    assert off(tiff(values, planarconfig=2, **how), values) <= 1
    with pytest.raises(ImageError, match="uses 14 of its 16 bits or fewer"):
        read_image(tiff(samples(12), planarconfig=2, **how))


@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
def test_deep_grey_is_inverted_where_0_is_white(kind: str) -> None:
    values = samples(16)[..., 0]
    file = BytesIO()
    tifffile.imwrite(file, values, photometric=kind, metadata=None)
    shown = values if kind == "minisblack" else 65535 - values
    assert off(file.getvalue(), np.dstack([shown] * 3)) == 0


def png(values: Samples, kind: int) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    height, width = values.shape[:2]
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    chunks = (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_every_png_is_as_bright_as_its_depth_says(bits: int) -> None:
    color, clear = samples(bits), samples(bits, alpha=True)
    gray = np.dstack([color[..., :1]] * 3)
    assert off(png(color, 2), color) <= 1
    assert off(png(clear, 6), clear) <= 1
    assert off(png(gray[..., :1], 0), gray) <= 1
    assert off(png(np.dstack([gray[..., 0], clear[..., 3]]), 4), gray) <= 1
    # Another encoder, whose rows are filtered.
    assert off(cv2.imencode(".png", color[..., ::-1])[1].tobytes(), color) <= 1


@pytest.mark.parametrize("bits", [12, 16])
def test_every_ppm_is_as_bright_as_its_depth_says(bits: int) -> None:
    values = samples(bits)
    for white in (2**bits - 1, 65535):
        header = f"P6 37 45 {white}\n".encode()
        assert off(header + values.astype(">u2").tobytes(), values) <= 1


def test_a_profile_survives_the_second_look() -> None:
    """Twelve bits and a linear profile: both are applied."""
    with Image.open(CASES / "19-linear-srgb-profile" / "linear.png") as linear:
        profile = linear.info["icc_profile"]
    values = samples(12)
    plain = Image.fromarray(to_eight_bits(values))
    file = BytesIO()
    plain.save(file, "PNG", icc_profile=profile)
    expected = read_image(file.getvalue()).astype(int)
    content = png(values, 2)
    body = b"p\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body
    chunk += struct.pack(">I", zlib.crc32(b"iCCP" + body))
    deep = read_image(content[:33] + chunk + content[33:])
    assert abs(deep - expected).max() <= 1
