from __future__ import annotations

import errno
import os
import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lentigo
from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetError
from lentigo.files import digest
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.store import decode_process as worker
from lentigo.imaging.store.build import (
    PixelStore,
    add_store_columns,
    build_store,
    open_store,
)
from lentigo.imaging.store.decode_process import DecodedFile
from lentigo.imaging.store.journal import Ledger, can_be_kept
from lentigo.imaging.store.place import check_squares
from lentigo.imaging.store.unfinished import Missing
from lentigo.tables import check_table
from tests.cohorts import tiny_config
from tests.pictures import SHARDED, SMALL, draw


def test_a_file_that_was_emptied_since_is_not_served_by_what_it_held(
    tmp_path: Path,
) -> None:
    table = draw(tmp_path / "images", 3)
    build_store(table, tmp_path / "store", config=SMALL)
    Path(table["path"][1]).write_bytes(b"")
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert built.index["error"].notna().tolist() == [False, True, False]
    assert not built.images[1].any()


def test_a_row_is_the_decoded_and_resized_file(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 4)
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert built.images.shape == (4, 32, 32, 3)
    for row, path in enumerate(table["path"]):
        expected = to_square(read_image(path), size=32)  # too small to be scaled
        assert (built.images[row] == expected).all()
        assert built.index["sha256"][row] == digest(Path(path))
    assert built.index["width"].tolist() == [48] * 4
    assert built.index["height"].tolist() == [40] * 4
    assert built.index["error"].isna().all()
    assert not (tmp_path / "store" / "unfinished").exists()


def test_processes_give_the_same_as_one(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 21)
    alone = build_store(table, tmp_path / "a", config=SMALL)
    many = build_store(table, tmp_path / "b", config=ImagingConfig(size=32, workers=3))
    assert np.array_equal(alone.images, many.images)
    assert alone.digest == many.digest
    pd.testing.assert_frame_equal(alone.index, many.index)


def test_nothing_is_decoded_twice(tmp_path: Path, decoded: list[str]) -> None:
    table = draw(tmp_path / "images", 3)
    first = build_store(table, tmp_path / "store", config=SMALL)
    assert len(decoded) == 3
    second = build_store(table, tmp_path / "store", config=SMALL)
    assert len(decoded) == 3
    assert second.digest == first.digest


def _repaint(path: str, color: tuple[int, int, int], *, seconds: int) -> None:
    """An even picture of 48 × 40, whatever its name; every colour takes 5,814 bytes."""
    Image.new("RGB", (48, 40), color).save(path, "BMP")
    os.utime(path, (seconds, seconds))
    assert Path(path).stat().st_size == 54 + 48 * 40 * 3


@pytest.mark.parametrize("config", [SMALL, SHARDED], ids=["one file", "sharded"])
def test_a_changed_file_is_noticed(
    tmp_path: Path, decoded: list[str], config: ImagingConfig
) -> None:
    table = draw(tmp_path / "images", 30)
    _repaint(table["path"][2], (9, 9, 9), seconds=1_000_000)
    first = build_store(table, tmp_path / "store", config=config)
    before = np.array(first.images)
    Image.new("RGB", (50, 50), (1, 2, 3)).save(table["path"][1])  # of another length
    _repaint(table["path"][2], (4, 5, 6), seconds=1_000_001)  # as long as it was
    os.utime(table["path"][20], (1_000_000, 1_000_000))  # touched, nothing else
    decoded.clear()
    second = build_store(table, tmp_path / "store", config=config)
    assert decoded == ["lesion 001", "lesion 002", "lesion 020"]
    after = np.array(second.images)
    assert np.abs(after[1].astype(int) - (1, 2, 3)).max() <= 3
    assert (after[2] == (4, 5, 6)).all()
    same = [row for row in range(30) if row not in {1, 2}]
    assert np.array_equal(after[same], before[same])
    assert second.index["width"].tolist() == [48, 50, *[48] * 28]
    assert second.digest != first.digest


def test_rows_added_removed_and_moved_are_copied(
    tmp_path: Path, decoded: list[str]
) -> None:
    table = draw(tmp_path / "images", 6)
    build_store(table.iloc[[0, 1, 2, 3]], tmp_path / "store", config=SMALL)
    decoded.clear()
    other = table.iloc[[5, 3, 0]]
    built = build_store(other, tmp_path / "store", config=SMALL)
    assert decoded == ["lesion 005"]
    fresh = build_store(other, tmp_path / "fresh", config=SMALL)
    assert np.array_equal(built.images, fresh.images)
    assert built.digest == fresh.digest
    pd.testing.assert_frame_equal(built.index, fresh.index)
    assert built.index["image_id"].tolist() == ["lesion 005", "lesion 003", "lesion 000"]


def test_bad_files_are_rows_with_their_reason(tmp_path: Path, decoded: list[str]) -> None:
    table = draw(tmp_path / "images", 6)
    Path(table["path"][0]).write_text("no picture")
    Path(table["path"][1]).write_bytes(Path(table["path"][1]).read_bytes()[:700])
    Path(table["path"][2]).unlink()
    table.loc[3, "path"] = pd.NA
    table.loc[4, "path"] = str(tmp_path)
    built = build_store(table, tmp_path / "store", config=SMALL)
    reasons = built.index["error"].tolist()
    assert "holds no JPEG" in reasons[0]
    assert "truncated" in reasons[1]
    assert reasons[2].endswith("lesion 002.png is not there, or is no file.")
    assert reasons[3] == "no file"
    assert reasons[4] == f"{tmp_path} is not there, or is no file."
    assert pd.isna(reasons[5])
    for row in range(2):
        assert table["path"][row] in reasons[row]
    assert (built.images[:5] == 0).all()
    assert built.images[5].any()
    assert len(built.failed) == 5
    assert len(built) == 6
    decoded.clear()
    build_store(table, tmp_path / "store", config=SMALL)
    assert decoded == []


def test_a_file_that_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    table = draw(tmp_path / "images", 2)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "_LARGEST_FILE", 100)
        patched.setattr("sys.executable", "")  # nothing to start: it is done here
        assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 2
    assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 0
    assert len(decoded) == 4


def test_a_file_that_appears_later_is_decoded(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 2)
    hidden = tmp_path / "hidden.png"
    Path(table["path"][0]).rename(hidden)
    assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 1
    hidden.rename(table["path"][0])
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert len(built.failed) == 0
    assert built.images[0].any()


@pytest.mark.parametrize("config", [SMALL, SHARDED], ids=["one file", "sharded"])
def test_a_part_of_the_table_leaves_the_store_as_it_is(
    tmp_path: Path, decoded: list[str], config: ImagingConfig
) -> None:
    table = draw(tmp_path / "images", 30)
    whole = build_store(table, tmp_path / "store", config=config)
    decoded.clear()
    part = table.iloc[[25, 3, 14]]
    mine = build_store(part, tmp_path / "store", config=config)
    assert decoded == []
    assert len(mine) == 3
    assert mine.images.shape == (3, 32, 32, 3)
    assert np.array_equal(mine.images, whole.images[[25, 3, 14]])
    assert mine.index["image_id"].tolist() == part["image_id"].tolist()
    assert mine.positions(["lesion 014"]).tolist() == [2]
    assert mine.digest == build_store(part, tmp_path / "alone", config=config).digest
    assert len(open_store(tmp_path / "store")) == 30
    again: PixelStore = pickle.loads(pickle.dumps(mine))
    assert np.array_equal(again.images, mine.images)
    assert again.take(np.array([2, 0])).index["image_id"].tolist() == [
        "lesion 014",
        "lesion 025",
    ]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_store_that_may_not_be_written_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    table = draw(tmp_path / "images", 3)
    built = build_store(table, tmp_path / "store", config=SMALL)
    original = Path.open

    def refusing(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "w" in mode or "+" in mode:  # the superuser of a test machine may write all
            raise OSError(code, os.strerror(code), str(self))
        return original(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", refusing)
    again = build_store(table, tmp_path / "store", config=SMALL)
    assert np.array_equal(again.images, built.images)
    monkeypatch.undo()


def test_more_memory_for_more_images_is_little(tmp_path: Path) -> None:
    """The ledger of a build, and the list of what is left, in bytes an image."""
    count = 20_000
    paths = pd.Series([f"/images/{row:08}.jpg" for row in range(count)], dtype="string")
    tracemalloc.start()
    ledger = Ledger(count)
    for row in range(count):
        ledger.put(
            DecodedFile(row, sha256=f"{row:064x}", width=6000, height=4000, checksum=row)
        )
    left = Missing(np.arange(count), paths)
    chunks = [left[start : start + 8] for start in range(0, count, 8)]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / count < 100
    assert list(chunks[1]) == [(row, f"/images/{row:08}.jpg") for row in range(8, 16)]
    columns = ledger.columns()
    assert columns["sha256"][count - 1] == f"{count - 1:064x}"
    assert columns["width"].eq(6000).all()
    assert columns["error"].isna().all()


def test_other_settings_are_refused(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 1)
    build_store(table, tmp_path / "store", config=SMALL)
    with pytest.raises(ConfigError, match=r"32 px \(stretch\), but 48 px \(stretch\)"):
        build_store(table, tmp_path / "store", config=ImagingConfig(size=48))
    with pytest.raises(ConfigError, match=r"32 px \(crop\) are asked for"):
        build_store(table, tmp_path / "store", config=ImagingConfig(size=32, fit="crop"))


def test_another_pixel_cap_is_applied_to_what_is_there(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 2)
    strict = ImagingConfig(size=32, max_pixels=100)
    assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 0
    assert len(build_store(table, tmp_path / "store", config=strict).failed) == 2
    assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 0


def test_one_file_in_two_rows(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 2)
    table["path"] = table["path"][0]
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert (built.images[0] == built.images[1]).all()


def test_columns_are_filled_and_broken_files_noted(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 4)
    Path(table["path"][1]).write_text("no picture")
    table.loc[2, "path"] = pd.NA
    table.loc[2, "width"] = 77
    built = build_store(table, tmp_path / "store", config=SMALL)
    found = add_store_columns(table.iloc[::-1], built)
    filled = found.table
    assert filled["image_id"].tolist() == table["image_id"].tolist()[::-1]
    filled = filled.sort_index()
    assert filled["width"].tolist() == [48, pd.NA, 77, 48]
    assert filled["height"].tolist() == [40, pd.NA, pd.NA, 40]
    assert filled["sha256"][0] == digest(Path(table["path"][0]))
    assert filled["sha256"][1] == digest(Path(table["path"][1]))
    (note,) = found.notes
    assert note.startswith("1 image file cannot be used: ")
    assert "lesion 001.jpg holds no JPEG" in note
    assert check_table(filled, source="filled")["width"].dtype == "Int64"


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 1).iloc[:0]
    with pytest.raises(DatasetError, match="no image to put"):
        build_store(table, tmp_path / "store", config=SMALL)


def test_the_real_odd_files_go_through(shared: Path, tmp_path: Path) -> None:
    odd = shared / "data" / "odd"
    paths = sorted(path for path in odd.iterdir() if path.is_file())
    rows = {
        "image_id": [path.name for path in paths],
        "path": [str(path) for path in paths],
    }
    table = check_table(pd.DataFrame(rows), source="odd")
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert built.failed["image_id"].tolist() == [
        "manifest.csv",
        "pillow_truncated_image.png",
        "pillow_truncated_jpeg.jpg",
    ]


def test_answers_say_whether_another_try_makes_sense() -> None:
    decoded = DecodedFile(0, sha256="0" * 64, width=1, height=1)
    assert can_be_kept(decoded)
    assert can_be_kept(replace(decoded, error="is truncated"))
    assert not can_be_kept(DecodedFile(0, error="could not be read"))


def test_a_training_is_refused_another_size_before_anything_is_decoded(
    tmp_path: Path,
) -> None:
    labelled = draw(tmp_path / "images", 2).assign(melanoma=[True, False])
    store = tmp_path / "pixels"
    store.mkdir()
    (store / "store.json").write_text('{"size": 96, "fit": "stretch"}')
    config = tiny_config(imaging__store=store, imaging__size=64)
    with pytest.raises(ConfigError, match=r"--set imaging\.size=96 .*--size 96 of audit"):
        lentigo.train(labelled, config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    check_squares(store, size=96, fit="stretch")
    (store / "store.json").write_text("damaged")
    check_squares(store, size=64, fit="stretch")  # told when it is opened
