from __future__ import annotations

import os
import struct
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lentigo.config import ImagingConfig
from lentigo.errors import DatasetError, ImageError
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import read_image, read_size
from lentigo.imaging.decoding.zip_members import LARGEST
from lentigo.imaging.store.build import build_store
from lentigo.tables import check_table
from tests.fakes import image_bytes, write_hdf5

PICTURE = image_bytes(seed=1)


def zip_of(path: Path, **members: bytes) -> Path:
    """A zip whose members are called by the names, with .jpg behind them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.jpg", data)
    return path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.zip/x.jpg", ("a.zip", "x.jpg")),
        ("a.zip/deep/down/x.jpg", ("a.zip", "deep/down/x.jpg")),
        ("A.ZIP/x.jpg", None),  # no such file
        ("a.zip", None),
        ("a.zip/", None),
        ("folder.zip/x.jpg", None),
        ("folder.zip/b.zip/x.jpg", ("folder.zip/b.zip", "x.jpg")),
        ("c.hdf5/ISIC_1", ("c.hdf5", "ISIC_1")),
        ("a.zipper/x.jpg", None),
    ],
)
def test_a_path_is_split_where_it_enters_a_file(
    tmp_path: Path, path: str, expected: tuple[str, str] | None
) -> None:
    (tmp_path / "folder.zip").mkdir()
    for name in ("a.zip", "c.hdf5", "folder.zip/b.zip", "a.zipper"):
        (tmp_path / name).write_bytes(b"")
    found = packed.split(tmp_path / path if path != "a.zip/" else f"{tmp_path}/a.zip/")
    assert found == (expected and (str(tmp_path / expected[0]), expected[1]))


def test_a_member_is_read_as_the_file_would_be(tmp_path: Path) -> None:
    container = zip_of(tmp_path / "a.zip", x=PICTURE)
    (tmp_path / "x.jpg").write_bytes(PICTURE)
    assert packed.read_bytes(container / "x.jpg") == PICTURE
    assert (read_image(container / "x.jpg") == read_image(tmp_path / "x.jpg")).all()
    assert read_size(str(container / "x.jpg")) == (24, 16)
    assert packed.is_there(container / "x.jpg")
    assert not packed.is_there(container / "y.jpg")
    assert not packed.is_there(tmp_path / "x.jpg")


@pytest.mark.parametrize("kind", ["void", "fixed", "row", "compressed", "any length"])
def test_each_way_in_which_hdf5_holds_a_file(tmp_path: Path, kind: str) -> None:
    data = PICTURE + b"\0\0"  # NumPy cuts zeros off the end of a string
    row = np.frombuffer(data, np.uint8)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        if kind == "compressed":
            file.create_dataset("ISIC_1", data=row, compression="gzip")
        elif kind == "any length":
            file.create_dataset("ISIC_1", (), h5py.vlen_dtype(np.uint8))[()] = row
        else:
            fixed = np.array(data, f"S{len(data)}")
            values = {"void": np.void(data), "fixed": fixed, "row": row}
            file.create_dataset("ISIC_1", data=values[kind])
    assert packed.read_bytes(tmp_path / "a.hdf5/ISIC_1") == data
    assert packed.members(tmp_path / "a.hdf5") == ["ISIC_1"]
    assert read_size(tmp_path / "a.hdf5/ISIC_1") == (24, 16)


def test_names_that_lead_out_are_no_members(tmp_path: Path) -> None:
    names = [
        "a/x.jpg",
        "./y.jpg",
        "a//z.jpg",
        "../evil.jpg",
        "/etc/evil.jpg",
        "C:/evil.jpg",
    ]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in names:
            file.writestr(name, PICTURE)
        file.mkdir("empty")
    assert packed.members(tmp_path / "a.zip") == ["a/x.jpg", "y.jpg", "a/z.jpg"]
    with pytest.raises(ImageError, match="leads out of the zip"):
        packed.read_bytes(f"{tmp_path}/a.zip/../evil.jpg")


def test_what_is_not_in_there(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", x=PICTURE)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as file:
        file.write(inner, "inner.zip")
    with pytest.raises(ImageError, match="a container inside a zip is not read"):
        read_image(tmp_path / "outer.zip/inner.zip/x.jpg")
    with pytest.raises(ImageError, match="the zip holds no such file"):
        read_image(tmp_path / "outer.zip/x.jpg")
    with pytest.raises(ImageError, match="leads through no zip"):
        packed.read_bytes(tmp_path / "x.jpg")
    write_hdf5(tmp_path / "a.hdf5", ["ISIC_1"])
    with pytest.raises(ImageError, match="no such entry"):
        read_image(tmp_path / "a.hdf5/ISIC_2")


def with_flag(path: Path, flag: int) -> Path:
    """The zip `path` with a flag set in the one entry of its directory."""
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + 8
    data[place : place + 2] = struct.pack("<H", flag)
    path.write_bytes(bytes(data))
    return path


def test_a_member_that_is_locked_or_packed_in_another_way(tmp_path: Path) -> None:
    locked = with_flag(zip_of(tmp_path / "locked.zip", x=PICTURE), 0x1)
    with pytest.raises(ImageError, match="locked by a password"):
        read_image(locked / "x.jpg")
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("x.jpg", PICTURE)
    with pytest.raises(ImageError, match="packed by method 14"):
        read_image(tmp_path / "lzma.zip/x.jpg")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    container = tmp_path / "a.zip"
    with zipfile.ZipFile(container, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("bomb.bmp", "w") as member:
            for _ in range(40):
                member.write(bytes(2**20))
        file.writestr("flat.bmp", bytes(2**20))  # small: a mask may be as flat
    start = time.process_time()
    with pytest.raises(ImageError, match=r"claims 41,943,040 bytes, packed into"):
        packed.read_bytes(container / "bomb.bmp")
    assert time.process_time() - start < 0.2
    assert len(packed.read_bytes(container / "flat.bmp")) == 2**20


def test_a_member_that_claims_to_be_huge(tmp_path: Path) -> None:
    container = zip_of(tmp_path / "a.zip", x=PICTURE)
    data = bytearray(container.read_bytes())
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", LARGEST + 1)
    container.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="at most 300,000,000 are unpacked"):
        packed.read_bytes(container / "x.jpg")


def test_a_member_that_is_larger_than_it_claims_is_not_unpacked_whole(
    tmp_path: Path,
) -> None:
    container = zip_of(tmp_path / "a.zip", x=bytes(10_000))
    data = bytearray(container.read_bytes())
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 100)
    container.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="cannot be unpacked: Bad CRC-32"):
        packed.read_bytes(container / "x.jpg")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_containers_that_are_none(tmp_path: Path, content: bytes) -> None:
    for name in ("a.zip", "a.hdf5"):
        (tmp_path / name).write_bytes(content)
        if name == "a.zip" and content.startswith(b"PK"):
            assert packed.members(tmp_path / name) == []  # an empty zip is one
            continue
        with pytest.raises(DatasetError, match=r"cannot be read: .* download complete\?"):
            packed.members(tmp_path / name)
        with pytest.raises(ImageError, match="cannot be unpacked"):
            read_image(tmp_path / name / "x.jpg")
        assert packed.mark(tmp_path / name / "x.jpg") == packed.GONE


def test_entries_of_hdf5_that_are_no_files_or_lie_elsewhere(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "other.hdf5", ["ISIC_1"])
    (tmp_path / "raw.bin").write_bytes(PICTURE)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["array"] = np.zeros((2, 3))
        file["group/ISIC_1"] = np.void(PICTURE)
        file["link"] = h5py.ExternalLink("other.hdf5", "ISIC_1")
        file["through"] = h5py.ExternalLink("other.hdf5", "/")
        file["soft"] = h5py.SoftLink("/group/ISIC_1")
        raw = [(str(tmp_path / "raw.bin"), 0, len(PICTURE))]
        file.create_dataset("raw", (len(PICTURE),), np.uint8, external=raw)
    assert packed.members(tmp_path / "a.hdf5") == []  # its first entry is an array
    assert packed.read_bytes(tmp_path / "a.hdf5/group/ISIC_1") == PICTURE
    with pytest.raises(ImageError, match=r"an array \(2, 3\) of float64"):
        packed.read_bytes(tmp_path / "a.hdf5/array")
    for name in ("group", "link", "through/ISIC_1", "soft", "raw", "group/../raw", ""):
        with pytest.raises(ImageError, match=r"no such entry|leads through no"):
            packed.read_bytes(f"{tmp_path}/a.hdf5/{name}")


def test_a_mark_changes_with_the_member_and_with_nothing_else(tmp_path: Path) -> None:
    container = zip_of(tmp_path / "a.zip", x=PICTURE, y=PICTURE[:-1])
    before = packed.mark(container / "x.jpg")
    assert before[0] == len(PICTURE)
    assert packed.mark(container / "y.jpg") != before
    os.utime(container, (1, 1))  # as if it had been copied
    assert packed.mark(container / "x.jpg") == before
    zip_of(container, x=PICTURE[:-1] + b"!")
    assert packed.mark(container / "x.jpg") != before

    for second, moment in ((10, 20), (20, 10)):  # each part of the time counts for itself
        with zipfile.ZipFile(container, "w") as archive:
            archive.writestr(zipfile.ZipInfo("x.jpg", (2026, 1, 1, 0, 0, second)), PICTURE)
            archive.writestr(zipfile.ZipInfo("y.jpg", (2026, 1, 1, 0, 0, moment)), PICTURE)
        one, other = (packed.mark(container / name)[1] for name in ("x.jpg", "y.jpg"))
        assert one - other == second - moment
    container.unlink()
    assert packed.mark(container / "x.jpg") == packed.GONE


def test_an_entry_in_a_group_is_there_as_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["first"] = np.void(b"first")
        file["group/second"] = np.void(b"second")
    assert packed.read_bytes(path / "group" / "second") == b"second"
    assert packed.mark(path / "group" / "second") == packed.mark(path / "first")
    assert packed.mark(path / "group" / "third") == packed.GONE
    assert packed.mark(path / "first" / "third") == packed.GONE


def test_a_store_of_packed_images_is_that_of_the_files(tmp_path: Path) -> None:
    pictures = {f"i{seed}": image_bytes(seed=seed) for seed in range(6)}
    container = zip_of(tmp_path / "a.zip", **pictures)
    for name, data in pictures.items():
        (tmp_path / f"{name}.jpg").write_bytes(data)
    small = ImagingConfig(size=32, workers=1)

    def table(folder: Path) -> pd.DataFrame:
        paths = [str(folder / f"{name}.jpg") for name in pictures]
        rows = pd.DataFrame({"image_id": [*pictures], "path": paths})
        return check_table(rows, source="a table")

    loose = build_store(table(tmp_path), tmp_path / "loose", config=small)
    first = build_store(table(container), tmp_path / "store", config=small)
    assert first.index["error"].isna().all()
    assert np.array_equal(first.images, loose.images)
    assert first.digest == loose.digest
    made = (tmp_path / "store/images.npy").stat().st_mtime_ns
    os.utime(container, (1, 1))
    build_store(table(container), tmp_path / "store", config=small)
    assert (tmp_path / "store/images.npy").stat().st_mtime_ns == made
    zip_of(container, **{**pictures, "i3": image_bytes(seed=99)}, i9=b"")
    again = build_store(table(container), tmp_path / "store", config=small)
    changed = (np.asarray(again.images) != first.images).any(axis=(1, 2, 3))
    assert changed.tolist() == [False, False, False, True, False, False]


def test_several_threads_and_more_containers_than_are_kept_open(tmp_path: Path) -> None:
    pictures = [image_bytes(seed=seed) for seed in range(12)]
    paths = [
        zip_of(tmp_path / f"{n}.zip", x=data) / "x.jpg" for n, data in enumerate(pictures)
    ]
    wrong: list[int] = []

    def read_all() -> None:
        for number in 5 * list(range(12)):
            if packed.read_bytes(paths[number]) != pictures[number]:
                wrong.append(number)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_a_damaged_zip_gives_the_picture_or_a_typed_error(
    tmp_path: Path, changes: list[tuple[float, int]], kept: float
) -> None:
    data = bytearray(zip_of(tmp_path / "whole.zip", x=PICTURE, y=PICTURE).read_bytes())
    for place, value in changes:
        data[int(place * len(data))] = value
    (tmp_path / "a.zip").write_bytes(bytes(data[: int(len(data) * kept) + 1]))
    found = outcome(tmp_path / "a.zip/x.jpg")
    assert found == PICTURE or (isinstance(found, str) and "a.zip" in found)
    assert not isinstance(found, str) or "\n" not in found
    np.array([packed.mark(tmp_path / "a.zip/x.jpg")], np.int64)  # it fits into a store


def outcome(path: Path) -> bytes | str:
    try:
        return packed.read_bytes(path)
    except ImageError as error:
        return str(error)
