from __future__ import annotations

import errno
import json
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetError, DatasetNotFoundError, RunError
from lentigo.files import digest
from lentigo.imaging import build, worker
from lentigo.imaging.build import Build
from lentigo.imaging.decode import read_image
from lentigo.imaging.resize import least_side, to_square
from lentigo.imaging.store import PixelStore, add_store_columns, build_store, open_store
from lentigo.imaging.worker import Answer, PixelFile
from lentigo.tables import check_table
from tests.pictures import SMALL, draw


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from now on (in this process)."""
    names: list[str] = []
    original = worker.decode_into

    def noted(pixels: PixelFile, row: int, path: str, job: Any) -> Answer:
        names.append(Path(path).stem)
        return original(pixels, row, path, job)

    monkeypatch.setattr("lentigo.imaging.store.decode_into", noted)
    return names


def test_a_row_is_the_decoded_and_resized_file(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 4)
    built = build_store(table, tmp_path / "store", config=SMALL)
    assert built.images.shape == (4, 32, 32, 3)
    for row, path in enumerate(table["path"]):
        expected = to_square(read_image(path, at_least=least_side(32)), size=32)
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
    assert (alone.images == many.images).all()
    assert alone.digest == many.digest
    pd.testing.assert_frame_equal(alone.index, many.index)


def test_nothing_is_decoded_twice(tmp_path: Path, decoded: list[str]) -> None:
    table = draw(tmp_path / "images", 3)
    first = build_store(table, tmp_path / "store", config=SMALL)
    assert len(decoded) == 3
    second = build_store(table, tmp_path / "store", config=SMALL)
    assert len(decoded) == 3
    assert second.digest == first.digest


def test_a_changed_file_is_noticed(tmp_path: Path, decoded: list[str]) -> None:
    table = draw(tmp_path / "images", 3)
    first = build_store(table, tmp_path / "store", config=SMALL)
    before = np.array(first.images)
    Image.new("RGB", (50, 50), (1, 2, 3)).save(table["path"][1])
    decoded.clear()
    second = build_store(table, tmp_path / "store", config=SMALL)
    assert decoded == ["lesion 001"]
    assert (second.images[[0, 2]] == before[[0, 2]]).all()
    assert np.abs(second.images[1].astype(int) - (1, 2, 3)).max() <= 3
    assert second.index["width"].tolist() == [48, 50, 48]
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
    assert (built.images == fresh.images).all()
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


# ------------------------------------------------------------------ killed and resumed

_KILLED = """
import os, signal, sys
import pandas as pd
from lentigo.config import ImagingConfig
from lentigo.imaging.build import Build
from lentigo.imaging.store import build_store
from lentigo.tables import read_table_file

record, done = Build.record, []
def dying(self, answer):
    record(self, answer)
    done.append(answer)
    if len(done) == 25:
        os.kill(os.getpid(), signal.SIGKILL)
Build.record = dying
config = ImagingConfig(size=32, workers=2)
build_store(read_table_file(sys.argv[1]), sys.argv[2], config=config)
"""


@pytest.fixture
def killed(tmp_path: Path) -> tuple[pd.DataFrame, Path]:
    """A table of 60 images and a store whose build was killed after 25 of them."""
    table = draw(tmp_path / "images", 60)
    table.to_parquet(tmp_path / "table.parquet")
    script = tmp_path / "script.py"
    script.write_text(_KILLED)
    arguments = [sys.executable, str(script), str(tmp_path / "table.parquet")]
    arguments.append(str(tmp_path / "store"))
    ended = subprocess.run(arguments, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    return table, tmp_path / "store"


def test_a_killed_build_goes_on_where_it_was(
    killed: tuple[pd.DataFrame, Path], tmp_path: Path, decoded: list[str]
) -> None:
    table, folder = killed
    with pytest.raises(DatasetNotFoundError, match="no finished pixel store"):
        open_store(folder)
    resumed = build_store(table, folder, config=SMALL)
    assert len(decoded) == 35
    whole = build_store(table, tmp_path / "whole", config=SMALL)
    assert (resumed.images == whole.images).all()
    assert resumed.digest == whole.digest
    pd.testing.assert_frame_equal(resumed.index, whole.index)
    assert not (folder / "unfinished").exists()


@pytest.fixture
def interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[pd.DataFrame, Path]:
    """A table of 40 images and a store whose build was broken off after 25 of them."""
    table = draw(tmp_path / "images", 40)
    record, done = Build.record, []

    def interrupting(self: Build, answer: Answer) -> None:
        record(self, answer)
        done.append(answer)
        if len(done) == 25:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Build, "record", interrupting)
        with pytest.raises(KeyboardInterrupt):
            build_store(table, tmp_path / "store", config=SMALL)
    return table, tmp_path / "store"


def test_what_the_end_damaged_is_decoded_again(
    interrupted: tuple[pd.DataFrame, Path], tmp_path: Path, decoded: list[str]
) -> None:
    table, folder = interrupted
    journal = folder / "unfinished" / "journal.jsonl"
    rows = [json.loads(line)[2]["row"] for line in journal.read_text().splitlines()]
    with journal.open("a") as file:
        file.write('[12345, 678, {"row": 5')
    pixels = PixelFile(folder / "unfinished" / "images.npy")
    pixels.clear(rows[0])  # as after a power cut that lost a page
    pixels.close()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(table["path"][rows[1]])
    resumed = build_store(table, folder, config=SMALL)
    assert len(decoded) == 15 + 2
    whole = build_store(table, tmp_path / "whole", config=SMALL)
    assert (resumed.images == whole.images).all()
    assert resumed.digest == whole.digest


def test_an_interrupted_build_of_another_table_is_begun_anew(
    interrupted: tuple[pd.DataFrame, Path], decoded: list[str]
) -> None:
    table, folder = interrupted
    assert len(build_store(table.iloc[:10], folder, config=SMALL)) == 10
    assert len(decoded) == 10


def test_a_kill_while_files_are_put_in_place(tmp_path: Path, decoded: list[str]) -> None:
    table = draw(tmp_path / "images", 3)
    folder = tmp_path / "store"
    build_store(table, folder, config=SMALL)
    decoded.clear()
    (folder / "unfinished").mkdir()
    for name in ("index.parquet", "store.json"):
        shutil.move(folder / name, folder / "unfinished" / name)
    assert len(build_store(table, folder, config=SMALL).failed) == 0
    assert decoded == []


# ------------------------------------------------------------------ full disks


def test_a_full_disk_seen_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = draw(tmp_path / "images", 3)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(PixelFile, "write", full)
        with pytest.raises(RunError, match=r"No space left on device\. Free some space"):
            build_store(table, tmp_path / "store", config=SMALL)
    assert len(build_store(table, tmp_path / "store", config=SMALL).failed) == 0


def test_too_little_room_is_said_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    table = draw(tmp_path / "images", 3)
    usage = shutil.disk_usage(tmp_path)
    little: Callable[[Path], Any] = lambda _: usage._replace(free=100)  # noqa: E731
    monkeypatch.setattr("lentigo.imaging.build.shutil.disk_usage", little)
    with pytest.raises(RunError, match=r"needs 0 MB, but only 0 MB are free"):
        build_store(table, tmp_path / "store", config=SMALL)
    assert decoded == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Cannot write"):
        build_store(table, tmp_path / "file" / "store", config=SMALL)


# ------------------------------------------------------------------ the open store


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
    assert (again.images == built.images).all()


def test_the_store_is_read_only(tmp_path: Path) -> None:
    built = build_store(draw(tmp_path / "images", 1), tmp_path / "store", config=SMALL)
    with pytest.raises(ValueError, match="read-only"):
        built.images[0] = 1


def test_the_digest_knows_content_and_not_places(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 3)
    shutil.copytree(tmp_path / "images", tmp_path / "moved")
    moved = table.assign(path=table["path"].str.replace("/images/", "/moved/"))
    first = build_store(table, tmp_path / "a", config=SMALL)
    second = build_store(moved, tmp_path / "b", config=SMALL)
    other = build_store(table, tmp_path / "c", config=ImagingConfig(size=33))
    assert first.digest == second.digest
    assert first.digest != other.digest


def test_columns_are_filled_and_broken_files_noted(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 4)
    table.attrs["notes"] = ["Something else."]
    Path(table["path"][1]).write_text("no picture")
    table.loc[2, "path"] = pd.NA
    table.loc[2, "width"] = 77
    built = build_store(table, tmp_path / "store", config=SMALL)
    filled = add_store_columns(table.iloc[::-1], built)
    assert filled["image_id"].tolist() == table["image_id"].tolist()[::-1]
    filled = filled.sort_index()
    assert filled["width"].tolist() == [48, pd.NA, 77, 48]
    assert filled["height"].tolist() == [40, pd.NA, pd.NA, 40]
    assert filled["sha256"][0] == digest(Path(table["path"][0]))
    assert filled["sha256"][1] == digest(Path(table["path"][1]))
    first, second = filled.attrs["notes"]
    assert first == "Something else."
    assert second.startswith("1 image file cannot be used: ")
    assert "lesion 001.jpg holds no JPEG" in second
    assert table.attrs["notes"] == ["Something else."]
    assert check_table(filled, source="filled")["width"].dtype == "Int64"


def test_a_damaged_store_is_refused_and_built_again(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 3)
    built = build_store(table, tmp_path / "store", config=SMALL)
    expected = np.array(built.images)
    del built
    with (tmp_path / "store" / "images.npy").open("r+b") as file:
        file.truncate(500)
    with pytest.raises(DatasetError, match="is damaged"):
        open_store(tmp_path / "store")
    assert (build_store(table, tmp_path / "store", config=SMALL).images == expected).all()


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
    decoded = Answer(0, sha256="0" * 64, width=1, height=1)
    assert build.can_be_kept(decoded)
    assert build.can_be_kept(replace(decoded, error="is truncated"))
    assert not build.can_be_kept(Answer(0, error="could not be read"))
