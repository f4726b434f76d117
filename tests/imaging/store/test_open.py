"""A store that is open, or cannot be opened."""

from __future__ import annotations

import json
import logging
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.errors import DatasetError
from lentigo.imaging.store.build import (
    PixelStore,
    build_store,
    open_store,
)
from tests.pictures import SMALL, draw


def test_positions_name_what_is_not_there(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 3)
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert built.positions(["lesion 002", "lesion 000"]).tolist() == [2, 0]
    assert built.positions(pd.Series(["lesion 001"], dtype="string")).tolist() == [1]
    assert built.positions([]).tolist() == []
    with pytest.raises(DatasetError, match="has no image a, b, c and 1 more"):
        built.positions(["a", "b", "lesion 001", "c", "d"])


def test_a_pickled_store_is_opened_again_not_copied(tmp_path: Path) -> None:
    built = build_store(draw(tmp_path / "images", 3), tmp_path / "store", config=SMALL)
    packed = pickle.dumps(built)
    assert len(packed) < 1000
    again: PixelStore = pickle.loads(packed)
    assert isinstance(again.images, np.memmap)
    assert np.array_equal(again.images, built.images)


def test_the_store_is_read_only(tmp_path: Path) -> None:
    built = build_store(draw(tmp_path / "images", 1), tmp_path / "store", config=SMALL)
    with pytest.raises(ValueError, match="read-only"):
        built.images[0][:] = 1


def test_the_digest_knows_content_and_not_places(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 3)
    shutil.copytree(tmp_path / "images", tmp_path / "moved")
    moved = table.assign(path=table["path"].str.replace("/images/", "/moved/"))
    first = build_store(table, tmp_path / "a", config=SMALL)
    second = build_store(moved, tmp_path / "b", config=SMALL)
    other = build_store(table, tmp_path / "c", config=ImagingConfig(size=33))
    assert first.digest == second.digest
    assert first.digest != other.digest


def test_a_damaged_store_is_refused_and_built_again(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 3)
    built = build_store(table, tmp_path / "store", config=SMALL)
    expected = np.array(built.images)
    del built
    with (tmp_path / "store" / "images.npy").open("r+b") as file:
        file.truncate(500)
    with pytest.raises(DatasetError, match="is damaged"):
        open_store(tmp_path / "store")
    again = build_store(table, tmp_path / "store", config=SMALL)
    assert np.array_equal(again.images, expected)


def test_a_store_of_an_earlier_version_opens_and_is_built_anew(
    tmp_path: Path,
    decoded: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, folder = draw(tmp_path / "images", 3), tmp_path / "store"
    built = build_store(table, folder, config=SMALL)
    settings = json.loads((folder / "store.json").read_text())
    del settings["files"]
    for version in (0, 4, "1"):
        (folder / "store.json").write_text(json.dumps({**settings, "format": version}))
        with pytest.raises(DatasetError, match="from another version"):
            open_store(folder)
    (folder / "store.json").write_text(json.dumps({**settings, "format": 1}))
    old = open_store(folder)
    assert np.array_equal(old.images, built.images)
    assert old.take(np.array([1])).digest != built.take(np.array([1])).digest
    decoded.clear()
    monkeypatch.setattr(logging.getLogger("lentigo"), "propagate", True)
    with caplog.at_level("INFO", logger="lentigo"):
        assert build_store(table, folder, config=SMALL).digest == built.digest
    assert len(decoded) == 3
    assert "of an earlier version" in caplog.text
