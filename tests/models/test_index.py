"""The index of a model folder holds no names, and is read as warily as the rest of it."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lentigo.errors import ModelError
from lentigo.models.index import Index, read_index, salted, write_index


def index() -> Index:
    return Index(
        features=np.eye(3, 2, dtype=np.float16),
        mean=np.zeros(4, np.float32),
        components=np.eye(2, 4, dtype=np.float32),
        spreads=np.ones(2, np.float32),
        rest=np.ones(1, np.float32),
        ids=np.array([salted(b"s" * 32, name) for name in "abc"], "S16"),
        groups=np.array([salted(b"s" * 32, name) for name in "aab"], "S16"),
        melanoma=np.array([1, 0, -1], np.int8),
        diagnosis=np.array([0, 1, -1], np.int16),
        diagnoses=np.array(["melanoma", "nevus"]),
        prints=np.zeros(3, np.uint64),
        salt=np.array([b"s" * 32], "S32"),
        names=np.array([], dtype=np.str_),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_index(index(), tmp_path / "index.npz")
    found = read_index(tmp_path / "index.npz")
    for each in dataclasses.fields(Index):
        assert (getattr(found, each.name) == getattr(index(), each.name)).all(), each.name
    assert [found.label(row) for row in range(3)] == ["melanoma", "nevus", ""]
    assert found.digest("a") == found.ids[0]


def test_an_index_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    arrays = {each.name: getattr(index(), each.name) for each in dataclasses.fields(Index)}
    earlier = {name: own for name, own in arrays.items() if not name.startswith("early")}
    np.savez(tmp_path / "index.npz", **earlier)
    found = read_index(tmp_path / "index.npz")
    assert found.early_distance(np.ones((2, 3), np.float32)) is None
    assert found.early_distance(None) is None


def test_no_name_is_in_the_file(tmp_path: Path) -> None:
    own = dataclasses.replace(index(), ids=np.array([salted(b"s", "Maria")] * 3, "S16"))
    write_index(own, tmp_path / "index.npz")
    assert b"Maria" not in (tmp_path / "index.npz").read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": np.ones((3, 2), np.float64)},
        {"features": np.full((3, 2), np.inf, np.float16)},
        {"groups": np.array([b"a"], "S16")},
        {"components": np.zeros((3, 4), np.float32)},
        {"diagnosis": np.array([0, 1, 5], np.int16)},
        {"rest": np.zeros(1, np.float32)},
        {"early_mean": np.zeros(3, np.float32)},
        {"early_rest": np.zeros(1, np.float32)},
        {"early_rest": np.ones(1, np.float64)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    write_index(dataclasses.replace(index(), **wrong), tmp_path / "index.npz")
    with pytest.raises(ModelError, match="is no index of a model"):
        read_index(tmp_path / "index.npz")


def test_packed_files_and_objects_are_refused(tmp_path: Path) -> None:
    arrays = {each.name: getattr(index(), each.name) for each in dataclasses.fields(Index)}
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    objects = np.array([{}, {}], dtype=object)
    np.savez(tmp_path / "objects.npz", **{**arrays, "names": objects})
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("packed", "objects", "text"):
        with pytest.raises(ModelError, match="is no index of a model"):
            read_index(tmp_path / f"{name}.npz")


def test_an_array_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    """A header of 80 TB and no data: it is not given the memory first."""
    path = tmp_path / "index.npz"
    write_index(index(), path)
    with zipfile.ZipFile(path) as found:
        members = {each: found.read(each) for each in found.namelist()}
    for shape in ((10**13, 4), (10**30, 4), (3, 1)):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f2", "fortran_order": False, "shape": shape}
        )
        with zipfile.ZipFile(path, "w") as changed:
            for name, content in members.items():
                own = header.getvalue() if name == "features.npy" else content
                changed.writestr(name, own)
        with pytest.raises(ModelError, match=r"features\.npy is shorter or longer"):
            read_index(path)
