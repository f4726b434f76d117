"""Zips and HDF5 files of pictures, whole and broken, with names of every kind."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from lentigo.errors import DatasetError, ImageError
from lentigo.imaging.decoding import packed
from tests.hostile import mutants
from tests.hostile.seeds import seeds

NAMES = (b"ISIC_1", b"a\xff", b"\xe9t\xe9", "Läsion".encode(), b"\x1b[31mred", b" ", b"..")
"""The second and third are no UTF-8."""

DEEDS = (mutants.flip, mutants.flip_head, mutants.cut, mutants.insert, mutants.delete)
"""Those that know nothing of a format."""


class Container(NamedTuple):
    """A broken container, and how it came to be."""

    name: str
    data: bytes


@cache
def whole() -> dict[str, tuple[bytes, ...]]:
    """Containers by the ending of their names."""
    kinds = ("void", "row", "compressed", "any length")
    return {
        ".zip": (_zip(zipfile.ZIP_STORED), _zip(zipfile.ZIP_DEFLATED)),
        ".hdf5": tuple(map(_hdf5, kinds)),
    }


def broken(count: int, *, seed: int = 0) -> Iterator[Container]:
    """`count` broken containers, in turn of every kind and every deed."""
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        suffix = (".zip", ".hdf5")[number % 2]
        deed = DEEDS[number // 2 % len(DEEDS)]
        data = chance.choice(whole()[suffix])
        for _ in range(chance.randint(1, 3)):
            data = deed(data, "", chance) if len(data) > 2 else data
        yield Container(f"{number} {deed.__name__}{suffix}", data)


def look_through(path: Path) -> list[str]:
    """What was wrong with a container and what is in it; any other error is raised."""
    said = []
    try:
        names = packed.members(path)[:20]
    except DatasetError as error:
        said.append(str(error))
        names = ["ISIC_1"]
    for name in names:
        inner = path / name
        try:
            packed.is_there(inner)
            packed.read_bytes(inner)
        except ImageError as error:
            said.append(str(error))
    return said


def _zip(method: int) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as packing:
        for name in NAMES:
            packing.writestr(f"{name.decode('cp437')}.jpg", seeds()["JPEG"][0])
    return file.getvalue()


def _hdf5(kind: str) -> bytes:
    picture = np.frombuffer(seeds()["JPEG"][4], np.uint8)
    file = BytesIO()
    with h5py.File(file, "w") as packing:
        for number, name in enumerate(NAMES[:-2]):
            place = f"entry {number}"
            if kind == "void":
                packing.create_dataset(place, data=np.void(picture.tobytes()))
            elif kind == "any length":
                made = packing.create_dataset(place, (), h5py.vlen_dtype(np.uint8))
                made[()] = picture
            else:
                how: dict[str, Any] = (
                    {"compression": "gzip"} if kind == "compressed" else {}
                )
                packing.create_dataset(place, data=picture, **how)
            packing.id.links.move(place.encode(), packing.id, name)
    return file.getvalue()
