"""Files that were whole once: bytes turned, cut, doubled, and fields that lie."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tests.hostile.seeds import seeds

_WORDS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 4096, 9999, 32767, 32768, 65535)
_LONGS = (*_WORDS, 65536, 10**6, 2**24, 2**31 - 1, 2**31, 2**32 - 8, 2**32 - 1)


class Mutant(NamedTuple):
    """A broken file, and how it came to be."""

    kind: str
    deed: str
    number: int
    data: bytes

    @property
    def name(self) -> str:
        """What errors call it; the ending is that of the original."""
        return f"{self.kind} {self.number} {self.deed}.{_SUFFIX.get(self.kind, 'img')}"


_SUFFIX = {"DICOM": "dcm"}


def mutants(count: int, *, seed: int = 0, only: str | None = None) -> Iterator[Mutant]:
    """`count` mutants, in turn of every kind (or of one), every original and every deed."""
    whole = seeds()
    kinds, deeds = [only] if only else list(whole), list(DEEDS)
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        kind = kinds[number % len(kinds)]
        deed = deeds[number // len(kinds) % len(deeds)]
        original = chance.choice(whole[kind])
        data = DEEDS[deed](original, kind, chance)
        yield Mutant(kind, deed, number, data)


# ------------------------------------------------------------------ deeds that know nothing


def flip(data: bytes, kind: str, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        place = chance.randrange(len(broken))
        broken[place] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    return bytes(broken)


def flip_head(data: bytes, kind: str, chance: random.Random) -> bytes:
    """The start says what the rest is; of DICOM the first 128 bytes say nothing."""
    start = 128 if kind == "DICOM" else 0
    head = data[start : start + (900 if kind == "DICOM" else 200)]
    return data[:start] + flip(head, kind, chance) + data[start + len(head) :]


def cut(data: bytes, kind: str, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def insert(data: bytes, kind: str, chance: random.Random) -> bytes:
    place, length = chance.randrange(len(data)), chance.choice([1, 7, 64, 1000, 20_000])
    rubbish = chance.choice(
        [bytes(length), b"\xff" * length, chance.randbytes(length), data[:length]]
    )
    return data[:place] + rubbish + data[place:]


def delete(data: bytes, kind: str, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.choice([1, 2, 16, 200, 1000]) :]


def splice(data: bytes, kind: str, chance: random.Random) -> bytes:
    """The start of one file and the end of another one of its kind."""
    other = chance.choice(seeds()[kind])
    return data[: chance.randrange(1, len(data))] + other[chance.randrange(len(other)) :]


# ------------------------------------------------------------------ deeds that know formats


def swap_blocks(data: bytes, kind: str, chance: random.Random) -> bytes:
    """Two chunks, segments or elements change places, or one comes twice or never."""
    places = sorted({0, *BLOCKS[kind](data), len(data)})
    blocks = [data[start:end] for start, end in pairwise(places)]
    one, two = chance.randrange(len(blocks)), chance.randrange(len(blocks))
    deed = chance.choice(["swap", "double", "many", "drop"])
    if deed == "swap":
        blocks[one], blocks[two] = blocks[two], blocks[one]
    elif deed == "drop":
        del blocks[one]
    else:
        blocks.insert(two, blocks[one] * (2 if deed == "double" else 300))
    return b"".join(blocks)


def lie_in_field(data: bytes, kind: str, chance: random.Random) -> bytes:
    """Up to three sizes, counts, lengths or offsets say something else."""
    broken = bytearray(data)
    fields = FIELDS[kind](data)
    for _ in range(chance.randint(1, 3) if fields else 0):
        place, code = chance.choice(fields)
        most = 256 ** struct.calcsize(code)
        values = [value for value in _LONGS if value < most]
        if place + struct.calcsize(code) <= len(broken):
            struct.pack_into(code, broken, place, chance.choice(values))
    return _sealed(bytes(broken)) if kind == "PNG" else bytes(broken)


def grow(data: bytes, kind: str, chance: random.Random) -> bytes:
    """Width and height become large, but no larger than what is read."""
    broken = bytearray(data)
    for place, code in SIZES[kind](data):
        if place + struct.calcsize(code) <= len(broken):
            struct.pack_into(code, broken, place, chance.choice([500, 3000, 9000]))
    if kind == "PPM":
        words = data.split(maxsplit=9)
        width = words.index(b"64") if b"64" in words else 1
        start = data.index(words[width])
        size = chance.choice([b"500 9000", b"9000 9000", b"3000 20000"])
        return data[:start] + size + data[start + 5 :]
    return _sealed(bytes(broken)) if kind == "PNG" else bytes(broken)


DEEDS: dict[str, Callable[[bytes, str, random.Random], bytes]] = {
    deed.__name__: deed
    for deed in (
        flip, flip_head, cut, insert, delete, splice, swap_blocks, lie_in_field, grow
    )
}  # fmt: skip

Fields = list[tuple[int, str]]


def _png_chunks(data: bytes) -> list[int]:
    places, place = [], 8
    while place + 12 <= len(data):
        places.append(place)
        place += 12 + int.from_bytes(data[place : place + 4])
    return places


def _sealed(data: bytes) -> bytes:
    """A PNG whose checksums are right again, so that its lies are believed."""
    broken = bytearray(data)
    for place in _png_chunks(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if end + 4 <= len(data):
            struct.pack_into(">I", broken, end, zlib.crc32(data[place + 4 : end]))
    return bytes(broken)


def _png_fields(data: bytes) -> Fields:
    small = [(24 + n, "B") for n in range(5)]
    return [(16, ">I"), (20, ">I"), *small, *((at, ">I") for at in _png_chunks(data))]


def _jpeg_segments(data: bytes) -> list[int]:
    places, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        places.append(place)
        if data[place + 1] == 0xDA:
            break
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return places


def _jpeg_fields(data: bytes) -> Fields:
    lengths = [(at + 2, ">H") for at in _jpeg_segments(data)]
    insides = [(at + n, "B") for at in _jpeg_segments(data) for n in (1, 4, 5, 6, 9, 11)]
    return lengths + insides + _jpeg_sizes(data)


def _jpeg_sizes(data: bytes) -> Fields:
    frames = [at for at in _jpeg_segments(data) if data[at + 1] in {0xC0, 0xC1, 0xC2}]
    return [(at + n, ">H") for at in frames for n in (5, 7)]


def _tiff_entries(data: bytes) -> list[int]:
    order = _tiff_order(data)
    if data[2:4] in {b"\0*", b"*\0"}:
        start = struct.unpack_from(order + "I", data, 4)[0]
        count = struct.unpack_from(order + "H", data, start)[0]
        return [start + 2 + 12 * n for n in range(count)]
    start = struct.unpack_from(order + "Q", data, 8)[0]
    return [
        start + 8 + 20 * n for n in range(struct.unpack_from(order + "Q", data, start)[0])
    ]


def _tiff_order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def _tiff_fields(data: bytes) -> Fields:
    order = _tiff_order(data)
    fields = [(4, order + "I")]
    for at in _tiff_entries(data):
        fields += [(at, order + "H"), (at + 2, order + "H"), (at + 4, order + "I")]
        fields += [(at + 8, order + "I"), (at + 8, order + "H")]
    return fields


def _tiff_sizes(data: bytes) -> Fields:
    order = _tiff_order(data)
    at = [at for at in _tiff_entries(data) if _tag(data, at) in {256, 257}]
    step, code = (12, order + "Q") if data[2:4] in {b"+\0", b"\0+"} else (8, order + "I")
    short = [struct.unpack_from(order + "H", data, each + 2)[0] == 3 for each in at]
    return [
        (each + step, order + "H" if is_short else code)
        for each, is_short in zip(at, short, strict=True)
    ]


def _tag(data: bytes, at: int) -> int:
    return int(struct.unpack_from(_tiff_order(data) + "H", data, at)[0])


def _bmp_fields(data: bytes) -> Fields:
    return [(at, "<I") for at in (2, 10, 14, 18, 22, 30, 34, 46, 50)] + [
        (26, "<H"),
        (28, "<H"),
    ]


def _riff_chunks(data: bytes) -> list[int]:
    places, place = [], 12
    while place + 8 <= len(data):
        places.append(place)
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + length + length % 2
    return places


def _webp_fields(data: bytes) -> Fields:
    lengths = [(at + 4, "<I") for at in _riff_chunks(data)]
    insides = [(at + n, "<H") for at in _riff_chunks(data) for n in (8, 12, 14, 15)]
    return [(4, "<I"), *lengths, *insides]


def _webp_sizes(data: bytes) -> Fields:
    at = _riff_chunks(data)[0]
    if data[at : at + 4] == b"VP8 ":
        return [(at + 14, "<H"), (at + 16, "<H")]
    return [(at + 12, "<H"), (at + 15, "<H")] if data[at : at + 4] == b"VP8X" else []


def _ppm_fields(data: bytes) -> Fields:
    return [(at, "B") for at in range(min(len(data), 30))]


_ELEMENT = re.compile(rb"(?s)(?:\x28\0|\xe0\x7f|\x02\0|\x08\0|\xfe\xff).\0|\xfe\xff\0\xe0")


def _dicom_elements(data: bytes) -> list[int]:
    return [found.start() for found in _ELEMENT.finditer(data, 132, min(len(data), 4000))]


def _dicom_fields(data: bytes) -> Fields:
    elements = _dicom_elements(data)
    lengths = [(at + n, code) for at in elements for n, code in ((6, "<H"), (4, "<I"))]
    return lengths + [(at + 8, "<H") for at in elements] + [(at, "<H") for at in elements]


def _dicom_sizes(data: bytes) -> Fields:
    codes = (b"\x28\0\x10\0", b"\x28\0\x11\0")
    return [(data.index(code) + 8, "<H") for code in codes if code in data]


_BOX = re.compile(
    rb"ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|pixi|av1C|colr|ipma|mdat|irot|"
    rb"imir|hvcC|idat|iref|auxC"
)


def _avif_boxes(data: bytes) -> list[int]:
    return [found.start() - 4 for found in _BOX.finditer(data[:2000])]


def _avif_fields(data: bytes) -> Fields:
    boxes = _avif_boxes(data)
    insides = [(at + n, ">H") for at in boxes for n in (8, 12, 14, 18)]
    return [(at, ">I") for at in boxes] + insides


def _avif_sizes(data: bytes) -> Fields:
    at = data.index(b"ispe") if b"ispe" in data else len(data)
    return [(at + 8, ">I"), (at + 12, ">I")]


BLOCKS: dict[str, Callable[[bytes], list[int]]] = {
    "JPEG": _jpeg_segments, "PNG": _png_chunks, "WebP": _riff_chunks,
    "DICOM": _dicom_elements, "TIFF": _tiff_entries, "AVIF": _avif_boxes,
    "HEIC": _avif_boxes,
    "BMP": lambda data: [2, 14, 18, 22, 26, 30, 34, 54, 200],
    "PPM": lambda data: [found.end() for found in re.finditer(rb"\s", data[:300])],
}  # fmt: skip
FIELDS: dict[str, Callable[[bytes], Fields]] = {
    "JPEG": _jpeg_fields, "PNG": _png_fields, "WebP": _webp_fields, "DICOM": _dicom_fields,
    "TIFF": _tiff_fields, "BMP": _bmp_fields, "PPM": _ppm_fields, "AVIF": _avif_fields,
    "HEIC": _avif_fields,
}  # fmt: skip
SIZES: dict[str, Callable[[bytes], Fields]] = {
    "JPEG": _jpeg_sizes, "PNG": lambda data: [(16, ">I"), (20, ">I")],
    "WebP": _webp_sizes, "DICOM": _dicom_sizes, "TIFF": _tiff_sizes, "AVIF": _avif_sizes,
    "HEIC": _avif_sizes,
    "BMP": lambda data: [(18, "<I"), (22, "<I")], "PPM": lambda data: [],
}  # fmt: skip
