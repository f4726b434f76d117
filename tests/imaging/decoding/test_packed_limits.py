"""What it costs to open a container is no fault of the images in it."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.errors import DatasetError, ImageError
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.decoding.zip_members import LARGEST
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.imaging.store import pool
from lentigo.imaging.store.build import build_store
from lentigo.tables import check_table
from tests.fakes import image_bytes

PICTURE = image_bytes(seed=1)
STRICT = Limits(seconds=0.3)


def crowded(path: Path, count: int) -> Path:
    """A zip whose directory names one stored picture `count` times: 0.000.jpg …"""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("0000000.jpg", PICTURE)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    entry, end = data[start:-22], data[-22:]
    entries = [entry.replace(b"0000000", f"{n:07}".encode()) for n in range(count)]
    listed = b"".join(entries)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), start, 0)
    assert len(tail) == len(end)
    path.write_bytes(data[:start] + listed + tail)
    return path


def test_a_zip_of_many_members_is_opened_on_its_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = crowded(tmp_path / "a.zip", 120_000)
    names = ["0000000.jpg"]  # zipfile compares the name with that before the bytes
    paths = [str(container / name) for name in names]
    table = pd.DataFrame({"image_id": names, "path": paths})
    monkeypatch.setattr(pool, "LIMITS", STRICT)
    store = build_store(
        check_table(table, source="test"), tmp_path / "store",
        config=ImagingConfig(size=32, workers=1),
    )  # fmt: skip
    assert store.failed["error"].tolist() == []
    with GuardedReader(limits=STRICT) as reader:
        process = None
        for _ in range(2):
            assert reader.read_image(paths[0]).shape == (16, 24, 3)
            assert process in {None, reader._children[0]._process}
            process = reader._children[0]._process


def bmp(side: int) -> bytes:
    row = -(-side * 3 // 4) * 4
    head = struct.pack("<2sIHHI", b"BM", 54 + row * side, 0, 0, 54)
    size = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, row * side, 0, 0, 0, 0)
    return head + size + bytes(row * side)


def test_packed_bytes_earn_what_loose_ones_do(tmp_path: Path) -> None:
    """With the same limits per byte: 4.5 MB, in a process that may take one more MB."""
    data = bmp(1224)
    (tmp_path / "x.bmp").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x.bmp", data)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["row"] = np.frombuffer(data, np.uint8)
        file.create_dataset("any", (), h5py.vlen_dtype(np.uint8))[()] = np.frombuffer(
            data, np.uint8
        )
    assert packed.length(tmp_path / "a.zip" / "x.bmp") == len(data)
    assert packed.length(tmp_path / "a.hdf5" / "row") == len(data)
    assert packed.length(tmp_path / "a.hdf5" / "any") >= len(data)
    assert packed.length(tmp_path / "a.zip" / "y.bmp") == 0
    limits = Limits(seconds=0.02, seconds_per_megapixel=0, seconds_per_megabyte=1)
    with GuardedReader(limits=limits) as reader:
        for path in ("x.bmp", "a.zip/x.bmp", "a.hdf5/row", "a.hdf5/any"):
            assert reader.read_image(tmp_path / path).shape == (1224, 1224, 3)


def test_a_claim_beyond_what_is_unpacked_earns_nothing_more(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x.bmp", b"BM")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "a.zip").write_bytes(data)
    assert packed.length(tmp_path / "a.zip" / "x.bmp") == LARGEST
    with GuardedReader() as reader, pytest.raises(ImageError, match="claims 4,294,967,294"):
        reader.read_image(tmp_path / "a.zip" / "x.bmp")


@pytest.mark.slow
def test_a_large_bmp_is_read_from_a_zip_as_it_is_loose(tmp_path: Path) -> None:
    data = bmp(9486)  # 270 MB
    (tmp_path / "x.bmp").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("x.bmp", data)
    with GuardedReader() as reader:
        for path in ("x.bmp", "a.zip/x.bmp"):
            assert reader.read_square(tmp_path / path, size=32)[1] == (9486, 9486)


@pytest.mark.parametrize("name", ["pipe.zip", "pipe.hdf5"])
def test_a_pipe_that_is_called_a_container_is_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DatasetError, match="is no ordinary file"):
        packed.members(tmp_path / name)
    assert not packed.is_there(tmp_path / name / "a.jpg")
