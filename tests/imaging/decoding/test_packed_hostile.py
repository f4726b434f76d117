"""Containers that are broken, or whose names are no text: an answer or a typed error."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.imaging.decoding import packed
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.inference.inputs import find_sources
from tests.hostile.containers import NAMES, broken, look_through, whole
from tests.hostile.seeds import picture


@pytest.mark.parametrize("number", range(4))
def test_names_that_are_no_utf8_lead_to_their_images(tmp_path: Path, number: int) -> None:
    path = tmp_path / "a.hdf5"
    path.write_bytes(whole()[".hdf5"][number])
    names = packed.members(path)
    assert {name.encode("utf-8", "surrogateescape") for name in names} == set(NAMES[:-2])
    said = [source.image_id for source in find_sources([path])]
    assert r"a\udcff" in said
    with GuardedReader() as reader:
        for name in names:
            assert packed.is_there(path / name)
            assert reader.read_image(path / name).shape[:2] == picture().size[::-1]


def test_a_whole_zip_gives_all_but_what_leads_out_of_it(tmp_path: Path) -> None:
    for number, data in enumerate(whole()[".zip"]):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        assert len(packed.members(path)) == len(NAMES)  # "...jpg" leads nowhere
        assert look_through(path) == []


def examine(folder: Path, count: int, *, seed: int) -> None:
    refused = 0
    for number, container in enumerate(broken(count, seed=seed)):
        # A new name each time, for a container is kept open.
        path = folder / f"{number}{Path(container.name).suffix}"
        path.write_bytes(container.data)
        said = look_through(path)
        path.unlink()
        assert not any("\n" in each for each in said), container.name
        refused += bool(said)
    assert count / 4 < refused


def test_100_broken_containers_end_in_typed_errors(tmp_path: Path) -> None:
    examine(tmp_path, 100, seed=0)


@pytest.mark.slow
def test_5000_broken_containers_end_in_typed_errors(tmp_path: Path) -> None:
    examine(tmp_path, 5000, seed=1)
