"""Small files that are made to cost much: bombs, loops, and lies on purpose."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, JPEGLSLossless

from tests.dicoms import compressed, dataset, written
from tests.hostile.seeds import JPEG_LS, picture, seeds
from tests.pictures import SIX, encoded, png_chunk

_PNG = b"\x89PNG\r\n\x1a\n"
_END = png_chunk(b"IEND", b"")


def _png(width: int, height: int, *chunks: bytes, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", pixels or zlib.compress(bytes((3 * width + 1) * height)))
    return _PNG + png_chunk(b"IHDR", header) + b"".join(chunks) + body + _END


def _tiff(*entries: tuple[int, int, int, int], rest: bytes = b"") -> bytes:
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return (
        head + b"".join(struct.pack("<HHII", *each) for each in entries) + bytes(4) + rest
    )


def _tiff_of(width: int, height: int, *, rest: bytes = b"") -> bytes:
    return _tiff(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1),
        (262, 3, 1, 1), (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, height),
        (279, 4, 1, width * height % 2**32), rest=rest,
    )  # fmt: skip


def huge_claims() -> dict[str, bytes]:
    """Pictures of more than 100 megapixels, by their headers alone."""
    bmp = bytearray(seeds()["BMP"][0])
    struct.pack_into("<II", bmp, 18, 50_000, 50_000)
    jpeg = bytearray(seeds()["JPEG"][4])
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 65_500, 65_500)
    webp = bytearray(seeds()["WebP"][2])
    webp[24:30] = b"\xfe\x3f\0\xfe\x3f\0"
    return {
        "50,000 x 50,000.png": _png(50_000, 50_000, pixels=b"no pixels"),
        "flat 50,000 x 50,000.png": _png(50_000, 50_000, pixels=_flat(50_000)),
        "50,000 x 50,000.tif": _tiff_of(50_000, 50_000),
        "50,000 x 50,000.bmp": bytes(bmp),
        "65,500 x 65,500.jpg": bytes(jpeg),
        "16,383 x 16,383.webp": bytes(webp),
        "50,000 x 50,000.ppm": b"P6 50000 50000 255 " + bytes(100),
        "65,535 x 65,535.dcm": written(dataset(SIX, "RGB", Rows=65_535, Columns=65_535)),
    }


def _flat(side: int) -> bytes:
    """A real bomb: 7.5 GB of black, packed into 7 MB."""
    packer = zlib.compressobj(9)
    band = bytes((3 * side + 1) * 100)
    first = packer.compress(band) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(band) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (side // 100 - 1)


def _png_texts(kind: bytes, lead: bytes, count: int) -> bytes:
    text = zlib.compress(bytes(40_000_000), 9)
    return _png(64, 48, *[png_chunk(kind, lead + text)] * count)


def _tiff_of_everything(count: int) -> bytes:
    """Each of many tags claims the whole file as its value."""
    rest = bytes(500_000)
    return _tiff(*((1000 + n, 2, 500_000, 8) for n in range(count)), rest=rest)


def _exif_of_everything(count: int) -> bytes:
    exif = _tiff_of_everything(count)
    return _png(64, 48, png_chunk(b"eXIf", exif))


def _scans(count: int, side: int) -> bytes:
    """A progressive JPEG whose every scan goes over all blocks and says nothing."""
    image = Image.new("L", (side, side), 128)
    whole = encoded(image, "JPEG", progressive=True)
    start = whole.index(b"\xff\xda")
    length = 2 + int.from_bytes(whole[start + 2 : start + 4])
    end = whole.index(b"\xff", start + length)
    # A refinement of AC 1 to 63, all blocks in runs of 32,767 without anything in them.
    table = b"\xff\xc4\0\x14\x10" + bytes([1]) + bytes(15) + b"\xe0"
    runs = -(-((side // 8) ** 2) // 32767) + 1
    bits = ("0" + format(32767 - 16384, "014b")) * runs
    packed = int(bits + "1" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8)
    scan = b"\xff\xda\0\x08\x01\x01\x00\x01\x3f\x00" + packed.replace(b"\xff", b"\xff\0")
    return whole[:end] + table + scan * count + b"\xff\xd9"


def _deep_sequences(depth: int) -> bytes:
    """Sequences in sequences, without lengths, in a group that is read."""
    made = written(dataset(SIX, "RGB"))
    at = made.index(b"\x28\0\x02\0")
    nested = b"\x28\0\0\x30SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * depth
    return made[:at] + nested + made[at:]


def _fragments(count: int) -> bytes:
    made = dataset(SIX, "RGB")
    made.PixelData = encapsulate([bytes(2)])
    data = written(made, JPEG2000)
    item = b"\xfe\xff\0\xe0\0\0\0\0"
    end = data.rindex(b"\xfe\xff\xdd\xe0")
    return data[:end] + item * count + data[end:]


def _larger_inside(kind: str) -> bytes:
    """A header of 3 × 2 pixels around a compressed picture that is said to be huge."""
    if kind == "jls":
        made = dataset(np.zeros((48, 64), np.uint8), "MONOCHROME2")
        written(made)
        made.compress(JPEGLSLossless, generate_instance_uid=False)
        data = bytearray(written(made, JPEGLSLossless))
        struct.pack_into(">HH", data, data.index(b"\xff\xf7") + 5, 65_000, 65_000)
        return bytes(data)
    frame = bytearray(encoded(picture(), "JPEG2000", no_jp2=True))
    struct.pack_into(">II", frame, frame.index(b"\xff\x51") + 6, 60_000, 60_000)
    return compressed(bytes(frame), SIX, "RGB", syntax=JPEG2000)


def _many_tiles() -> bytes:
    """A JPEG 2000 of one tile a pixel, each of which has to be made ready."""
    frame = bytearray(encoded(picture(2000, 2000), "JPEG2000", no_jp2=True))
    at = frame.index(b"\xff\x51")
    struct.pack_into(">II", frame, at + 22, 8, 8)
    return compressed(
        bytes(frame), np.zeros((2000, 2000, 3), np.uint8), "RGB", syntax=JPEG2000
    )


def _frames() -> bytes:
    return written(dataset(SIX, "RGB", NumberOfFrames=2**31 - 1))


def _private(count: int) -> bytes:
    made: Any = dataset(SIX, "RGB")
    item = Dataset()
    item.PatientName = "Secret^Name"
    made.ReferencedImageSequence = [item] * count
    return written(made)


COSTLY: dict[str, Callable[[], bytes]] = {
    "texts of 40 MB.png": lambda: _png_texts(b"zTXt", b"k\0\0", 60),
    "international texts.png": lambda: _png_texts(b"iTXt", b"k\0\1\0\0\0", 60),
    "profile of 40 MB.png": lambda: _png_texts(b"iCCP", b"k\0\0", 1),
    "a million chunks.png": lambda: _png(64, 48, png_chunk(b"abCd", b"") * 1_000_000),
    "a million texts.png": lambda: _png(64, 48, png_chunk(b"tEXt", b"k\0v") * 300_000),
    "too few rows.png": lambda: _png(9000, 9000, pixels=zlib.compress(bytes(100))),
    "long profile.png": lambda: _png(
        64, 48, png_chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(3_000_000)))
    ),
    "tags that are the file.tif": lambda: _tiff_of_everything(20_000),
    "exif that is the file.png": lambda: _exif_of_everything(20_000),
    "a million strips.tif": lambda: _tiff(
        (256, 4, 1, 8), (257, 4, 1, 1_000_000), (258, 3, 1, 8), (259, 3, 1, 5),
        (262, 3, 1, 1), (273, 4, 1_000_000, 300), (277, 3, 1, 1), (278, 4, 1, 1),
        (279, 4, 1_000_000, 300), rest=struct.pack("<I", 8) * 1_000_000,
    ),
    "directory that is its own.tif": lambda: _tiff((330, 4, 1, 8), (34665, 4, 1, 8)),
    "many samples.tif": lambda: _tiff(
        (256, 4, 1, 3000), (257, 4, 1, 3000), (258, 3, 1, 8), (277, 3, 1, 65535),
        (262, 3, 1, 2), (273, 4, 1, 8), (279, 4, 1, 100),
    ),
    "4,000 scans.jpg": lambda: _scans(4000, 4000),
    "100,000 scans.jpg": lambda: _scans(100_000, 1000),
    "grey that ends at once.jpg": lambda: _grown_jpeg(),
    "segments.jpg": lambda: b"\xff\xd8" + b"\xff\xe1\0\x06ABCD" * 1_000_000,
    "exif in parts.jpg": lambda: b"\xff\xd8" + b"".join(
        b"\xff\xe1" + struct.pack(">H", 65_002 + 6) + b"Exif\0\0" + bytes(65_000)
        for _ in range(200)
    ) + seeds()["JPEG"][4][2:],
    "remark without end.ppm": lambda: b"P3\n#" + b"x" * 20_000_000,
    "number without end.ppm": lambda: b"P3\n64 48\n255\n" + b"1" * 20_000_000,
    "spaces without end.ppm": lambda: b"P3\n64 48\n255\n" + b" " * 20_000_000,
    "ascii of 4 million.ppm": lambda: b"P1\n4000 4000\n" + b"1 " * 16_000_000,
    "runs that end at once.bmp": lambda: _grown_bmp(),
    "moves.bmp": lambda: _moving_bmp(),
    "deep sequences.dcm": lambda: _deep_sequences(20_000),
    "a million fragments.dcm": lambda: _fragments(1_000_000),
    "larger inside.dcm": lambda: _larger_inside("j2k"),
    **({"larger inside (jpeg-ls).dcm": lambda: _larger_inside("jls")} if JPEG_LS else {}),
    "many tiles.dcm": _many_tiles,
    "two thousand million frames.dcm": _frames,
    "a sequence of 20,000.dcm": lambda: _private(20_000),
}  # fmt: skip
"""By the name of the file; each is at most 40 MB and claims at most 100 megapixels."""


def _grown_jpeg() -> bytes:
    data = bytearray(seeds()["JPEG"][1])
    struct.pack_into(">HH", data, data.index(b"\xff\xc2") + 5, 9999, 9999)
    return bytes(data)


def _grown_bmp() -> bytes:
    data = bytearray(seeds()["BMP"][4])
    struct.pack_into("<II", data, 18, 9999, 9999)
    return bytes(data[: int.from_bytes(data[10:14], "little")]) + b"\0\1"


def _moving_bmp() -> bytes:
    data = bytearray(seeds()["BMP"][4])
    struct.pack_into("<II", data, 18, 2000, 2000)
    return bytes(data[: int.from_bytes(data[10:14], "little")]) + b"\0\2\xff\xff" * 100_000
