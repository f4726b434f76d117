"""One store for several tables: what it holds is used by all and lost by none."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetError
from lentigo.imaging.store.build import (
    PixelStore,
    add_store_columns,
    build_store,
    open_store,
)
from lentigo.imaging.store.merge import serving_rows
from lentigo.imaging.store.unfinished import list_files
from tests.pictures import SHARDED, SMALL, draw

Decoded = list[str]


def names(store: PixelStore) -> list[str]:
    return [str(name) for name in store.index["image_id"]]


@pytest.mark.parametrize("config", [SMALL, SHARDED], ids=["one file", "sharded"])
def test_another_table_is_added_and_nothing_is_lost(
    tmp_path: Path, decoded: Decoded, config: ImagingConfig
) -> None:
    table, folder = draw(tmp_path / "images", 30), tmp_path / "store"
    first, second = table.iloc[:20], table.iloc[[25, 3, 22]]
    before = build_store(first, folder, config=config)
    pixels, digest = np.array(before.images), before.digest
    decoded.clear()
    mine = build_store(second, folder, config=config)
    assert decoded == ["lesion 025", "lesion 022"]
    assert names(mine) == ["lesion 025", "lesion 003", "lesion 022"]
    alone = build_store(second, tmp_path / "alone", config=config)
    assert np.array_equal(mine.images, alone.images)
    assert mine.digest == alone.digest
    pd.testing.assert_frame_equal(mine.index, alone.index)
    decoded.clear()
    again = build_store(first, folder, config=config)
    assert decoded == []
    assert np.array_equal(again.images, pixels)
    assert again.digest == digest
    assert len(open_store(folder)) == 22


def test_files_that_are_gone_stay_in_the_store(tmp_path: Path, decoded: Decoded) -> None:
    """Of the table itself, and of another one that is added to."""
    table, folder = draw(tmp_path / "images", 6), tmp_path / "store"
    before = np.array(build_store(table.iloc[:4], folder, config=SMALL).images)
    for path in table["path"][:4]:
        Path(path).unlink()
    decoded.clear()
    build_store(table.iloc[4:], folder, config=SMALL)
    assert np.array_equal(build_store(table.iloc[:4], folder, config=SMALL).images, before)
    again = build_store(table, folder, config=SMALL)
    assert decoded == ["lesion 004", "lesion 005"]
    assert len(again.failed) == 0


def test_the_same_files_under_other_names_are_used_as_they_are(
    tmp_path: Path, decoded: Decoded
) -> None:
    """As the tables of a combined one, whose ids have the data set in front."""
    table, folder = draw(tmp_path / "images", 5), tmp_path / "store"
    before = build_store(table, folder, config=SMALL)
    stored = (folder / "index.parquet").read_bytes()
    decoded.clear()
    other = table.assign(image_id="ham:" + table["image_id"])
    mine = build_store(other, folder, config=SMALL)
    assert decoded == []
    assert (folder / "index.parquet").read_bytes() == stored
    assert names(mine) == other["image_id"].tolist()
    assert isinstance(mine.images, np.memmap)
    assert np.array_equal(mine.images, before.images)
    assert mine.digest == build_store(other, tmp_path / "alone", config=SMALL).digest
    assert mine.positions(["ham:lesion 003"]).tolist() == [3]
    again: PixelStore = pickle.loads(pickle.dumps(mine))
    assert names(again) == names(mine)
    part = again.take(np.array([4, 1]))
    assert names(part) == ["ham:lesion 004", "ham:lesion 001"]
    again = pickle.loads(pickle.dumps(part))
    assert names(again) == names(part)
    assert np.array_equal(again.images, before.images[[4, 1]])


def test_a_store_is_asked_by_paths_where_the_names_are_others(tmp_path: Path) -> None:
    table, folder = draw(tmp_path / "images", 5), tmp_path / "store"
    build_store(table, folder, config=SMALL)
    store = open_store(folder)
    other = table.iloc[[3, 1]].copy()
    other["image_id"] = ["b:3", "lesion 004"]  # the second is the name of another file
    rows = store.positions(other["image_id"], paths=other["path"])
    assert rows.tolist() == [3, 1]
    assert names(store.of(other)) == ["b:3", "lesion 004"]
    filled = add_store_columns(other, store).table
    assert filled["sha256"].tolist() == store.index["sha256"].iloc[[3, 1]].tolist()
    moved = table.assign(path="elsewhere/" + table["path"])  # known by name alone
    assert store.positions(moved["image_id"], paths=moved["path"]).tolist() == [*range(5)]
    with pytest.raises(DatasetError, match="has no image b:3"):
        store.positions(other["image_id"].iloc[:1], paths=pd.Series(["gone"]))


def test_images_without_a_file_are_found_under_other_names(tmp_path: Path) -> None:
    table, folder = draw(tmp_path / "images", 4), tmp_path / "store"
    table.loc[2, "path"] = pd.NA
    build_store(table, folder, config=SMALL)
    other = table.assign(image_id=["b:0", "b:1", "b:2", "b:3"])
    assert build_store(other, folder, config=SMALL).failed["image_id"].tolist() == ["b:2"]
    found = open_store(folder).of(other)
    assert names(found) == other["image_id"].tolist()
    assert found.failed["image_id"].tolist() == ["b:2"]
    # An id that is a picture's elsewhere, here without a file, does not get that picture.
    without = table.assign(path=pd.Series([pd.NA] * 4, dtype="string"))
    assert len(open_store(folder).of(without).failed) == 4


def test_a_changed_file_of_another_name_is_decoded_in_its_place(
    tmp_path: Path, decoded: Decoded
) -> None:
    table, folder = draw(tmp_path / "images", 4), tmp_path / "store"
    build_store(table, folder, config=SMALL)
    Path(table["path"][2]).write_bytes(Path(table["path"][0]).read_bytes())
    decoded.clear()
    other = table.iloc[1:3].assign(image_id=["x", "y"])
    mine = build_store(other, folder, config=SMALL)
    assert decoded == ["lesion 002"]
    whole = open_store(folder)
    assert names(whole) == table["image_id"].tolist()
    assert np.array_equal(whole.images[2], whole.images[0])
    assert np.array_equal(mine.images, whole.images[1:3])


def test_rows_that_became_others_are_not_taken_for_them(tmp_path: Path) -> None:
    """A pickled store is opened again in another process, perhaps after a new build."""
    table, folder = draw(tmp_path / "images", 5), tmp_path / "store"
    mine = build_store(table.iloc[:3], folder, config=SMALL)
    part = mine.take(np.array([2, 0]))
    pickled = [pickle.dumps(store) for store in (mine, part)]
    build_store(table, folder, config=SMALL)  # in the table's order: the rows stay
    assert names(pickle.loads(pickled[1])) == names(part)
    build_store(table.iloc[::-1], folder, config=SMALL)
    assert names(open_store(folder))[:3] == names(mine)
    Path(table["path"][4]).write_bytes(Path(table["path"][3]).read_bytes())
    build_store(table.iloc[::-1], folder, config=SMALL)
    assert names(open_store(folder)) == table["image_id"].tolist()[::-1]
    for store in pickled:
        with pytest.raises(DatasetError, match="made anew while it was in use"):
            pickle.loads(store)


def test_a_store_that_is_being_replaced_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, folder = draw(tmp_path / "images", 5), tmp_path / "store"
    build_store(table.iloc[:3], folder, config=SMALL)
    read = pd.read_parquet

    def meanwhile(path: Path) -> pd.DataFrame:
        monkeypatch.undo()
        build_store(table, folder, config=SMALL)
        return read(path)

    monkeypatch.setattr(pd, "read_parquet", meanwhile)
    with pytest.raises(DatasetError, match="just being replaced by another process"):
        open_store(folder)
    assert len(open_store(folder)) == 5


def test_one_id_for_two_files_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    table, other = draw(tmp_path / "a", 3), draw(tmp_path / "b", 5)
    store = build_store(table, tmp_path / "store", config=SMALL)
    with pytest.raises(ConfigError, match="other files as lesion 000, lesion 001") as said:
        build_store(other, tmp_path / "store", config=SMALL)
    assert "Give another folder" in str(said.value)
    assert build_store(table, tmp_path / "store", config=SMALL).digest == store.digest


def test_an_id_that_had_no_picture_may_have_one_now(tmp_path: Path) -> None:
    table, folder = draw(tmp_path / "images", 3), tmp_path / "store"
    without = table.copy()
    without.loc[0, "path"] = pd.NA
    without.loc[1, "path"] = str(tmp_path / "gone.jpg")
    assert len(build_store(without, folder, config=SMALL).failed) == 2
    assert len(build_store(table, folder, config=SMALL).failed) == 0
    assert len(open_store(folder)) == 3


def test_what_others_could_not_decode_is_not_tried_for_this_table(
    tmp_path: Path, decoded: Decoded
) -> None:
    table, folder = draw(tmp_path / "images", 4), tmp_path / "store"
    strict = ImagingConfig(size=32, max_pixels=100)
    assert len(build_store(table.iloc[:2], folder, config=strict).failed) == 2
    decoded.clear()
    build_store(table.iloc[2:], folder, config=SMALL)
    assert decoded == ["lesion 002", "lesion 003"]
    assert len(open_store(folder).failed) == 2
    # Too large for the other limit is no verdict under this one.
    assert len(build_store(table, folder, config=SMALL).failed) == 0


def test_images_of_an_earlier_version_are_not_mixed_with_others(tmp_path: Path) -> None:
    table, folder = draw(tmp_path / "images", 4), tmp_path / "store"
    build_store(table.iloc[:2], folder, config=SMALL)
    settings = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**settings, "format": 1}))
    with pytest.raises(ConfigError, match="of an earlier version, and 2 of its images"):
        build_store(table.iloc[2:], folder, config=SMALL)
    assert len(build_store(table, folder, config=SMALL).failed) == 0


def test_serving_rows_against_a_search_one_by_one(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 12)
    table["path"] = table["path"].where(table.index < 11, table["path"][0])
    store = build_store(table, tmp_path / "store", config=SMALL)
    os.utime(table["path"][4], (5, 5))
    rng = np.random.default_rng(1)
    for _ in range(20):
        asked = table.iloc[rng.permutation(12)[:8]].copy()
        asked["image_id"] = asked["image_id"].where(rng.random(8) < 0.5, "x")
        files = list_files(asked)
        found = serving_rows(store, files, SMALL)
        for row, file in zip(found, files.itertuples(), strict=True):
            known = store.index
            same = known["path"].eq(str(file.path)) & known["modified"].eq(
                int(str(file.modified))
            )
            assert (row in np.flatnonzero(same)) == same.any()
            assert (row < 0) == (not same.any())


def test_an_image_whose_file_the_table_lost_is_named_with_what_to_do(
    tmp_path: Path,
) -> None:
    table, folder = draw(tmp_path / "images", 3), tmp_path / "store"
    build_store(table, folder, config=SMALL)
    lost = table.assign(path=table["path"].where(table["image_id"] != "lesion 001"))
    with pytest.raises(
        ConfigError, match=r"lesion 001, but this table finds no file"
    ) as told:
        build_store(lost, folder, config=SMALL)
    assert "leave its row out" in str(told.value)
