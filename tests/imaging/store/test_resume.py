from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, DatasetNotFoundError, RunError
from lentigo.files import digest
from lentigo.imaging.store.build import build_store, open_store
from lentigo.imaging.store.decode_process import DecodedFile, PixelFile
from lentigo.imaging.store.shards import pixel_files
from lentigo.imaging.store.unfinished import Build
from tests.pictures import SHARDED, SMALL, draw

# ------------------------------------------------------------------ killed and resumed

_KILLED = """
import os, signal, sys
from lentigo.config import ImagingConfig
from lentigo.imaging.store.unfinished import Build
from lentigo.imaging.store.build import build_store
from lentigo.tables import read_table_file

record, done = Build.record, []
def dying(self, answer):
    record(self, answer)
    done.append(answer)
    if len(done) == 25:
        os.kill(os.getpid(), signal.SIGKILL)
Build.record = dying
settings = {{"workers": 2, "shard_mb": {shard_mb}}}
config = ImagingConfig(size=32).model_copy(update=settings)
build_store(read_table_file(sys.argv[1]), sys.argv[2], config=config)
"""


@pytest.fixture(params=[SMALL, SHARDED], ids=["one file", "sharded"])
def config(request: pytest.FixtureRequest) -> ImagingConfig:
    """Settings of a store in one file, and in several of 13 images each."""
    settings: ImagingConfig = request.param
    return settings


@pytest.fixture
def killed(tmp_path: Path, config: ImagingConfig) -> tuple[pd.DataFrame, Path]:
    """A table of 60 images and a store whose build was killed after 25 of them."""
    table = draw(tmp_path / "images", 60)
    table.to_parquet(tmp_path / "table.parquet")
    script = tmp_path / "script.py"
    script.write_text(_KILLED.format(shard_mb=config.shard_mb))
    arguments = [sys.executable, str(script), str(tmp_path / "table.parquet")]
    arguments.append(str(tmp_path / "store"))
    ended = subprocess.run(arguments, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    return table, tmp_path / "store"


def test_a_killed_build_goes_on_where_it_was(
    killed: tuple[pd.DataFrame, Path],
    tmp_path: Path,
    decoded: list[str],
    config: ImagingConfig,
) -> None:
    table, folder = killed
    files = pixel_files(folder / "unfinished")
    assert len(files) == (1 if config is SMALL else 5)  # 13 × 5 are enough for 60
    with pytest.raises(DatasetNotFoundError, match="no finished pixel store"):
        open_store(folder)
    resumed = build_store(table, folder, config=config)
    assert len(decoded) == 35
    whole = build_store(table, tmp_path / "whole", config=SMALL)
    assert np.array_equal(resumed.images, whole.images)
    assert resumed.digest == whole.digest
    pd.testing.assert_frame_equal(resumed.index, whole.index)
    assert not (folder / "unfinished").exists()
    assert [path.name for path in pixel_files(folder)] == [path.name for path in files]


@pytest.fixture
def interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: ImagingConfig
) -> tuple[pd.DataFrame, Path]:
    """A table of 40 images and a store whose build was broken off after 25 of them."""
    table = draw(tmp_path / "images", 40)
    record, done = Build.record, []

    def interrupting(self: Build, answer: DecodedFile) -> None:
        record(self, answer)
        done.append(answer)
        if len(done) == 25:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Build, "record", interrupting)
        with pytest.raises(KeyboardInterrupt):
            build_store(table, tmp_path / "store", config=config)
    return table, tmp_path / "store"


def test_what_the_end_damaged_is_decoded_again(
    interrupted: tuple[pd.DataFrame, Path],
    tmp_path: Path,
    decoded: list[str],
    config: ImagingConfig,
) -> None:
    table, folder = interrupted
    journal = folder / "unfinished" / "journal.jsonl"
    rows = [json.loads(line)[2]["row"] for line in journal.read_text().splitlines()]
    with journal.open("a") as file:
        file.write('[12345, 678, {"row": 5')
    pixels = PixelFile(folder / "unfinished")
    pixels.clear(rows[0])  # as after a power cut that lost a page
    pixels.close()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(table["path"][rows[1]])
    resumed = build_store(table, folder, config=config)
    assert len(decoded) == 15 + 2
    whole = build_store(table, tmp_path / "whole", config=SMALL)
    assert np.array_equal(resumed.images, whole.images)
    assert resumed.digest == whole.digest


def test_a_file_that_changed_meanwhile_is_decoded_again(
    interrupted: tuple[pd.DataFrame, Path], decoded: list[str], config: ImagingConfig
) -> None:
    table, folder = interrupted
    journal = (folder / "unfinished" / "journal.jsonl").read_text().splitlines()
    row = json.loads(journal[0])[2]["row"]
    path = Path(table["path"][row])
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-2] + b"xx")  # as long as it was
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    resumed = build_store(table, folder, config=config)
    assert len(decoded) == 16
    assert path.stem in decoded
    assert resumed.index["sha256"][row] == digest(path)


def test_an_interrupted_build_of_another_table_is_not_thrown_away(
    interrupted: tuple[pd.DataFrame, Path], decoded: list[str], config: ImagingConfig
) -> None:
    table, folder = interrupted
    with pytest.raises(ConfigError, match=r"unfinished is the unfinished build of another"):
        build_store(table.iloc[:10], folder, config=config)
    assert len(build_store(table, folder, config=config)) == 40
    assert len(decoded) == 15


@pytest.mark.parametrize("moved", range(7))
def test_a_kill_while_files_are_put_in_place(
    tmp_path: Path, decoded: list[str], config: ImagingConfig, moved: int
) -> None:
    """Whichever files have been moved by then, the first `moved` of them."""
    table = draw(tmp_path / "images", 40)
    folder = tmp_path / "store"
    build_store(table, folder, config=config)
    decoded.clear()
    (folder / "unfinished").mkdir()
    names = [path.name for path in pixel_files(folder)] + ["index.parquet", "store.json"]
    for name in names[min(moved, len(names) - 1) :]:
        shutil.move(folder / name, folder / "unfinished" / name)
    if moved == 0:  # the earlier store was in other pieces, still there at the kill
        other = "images.npy" if config is not SMALL else "images-0000.npy"
        np.save(folder / other, np.zeros((1, 32, 32, 3), np.uint8))
    assert len(build_store(table, folder, config=config).failed) == 0
    assert decoded == []
    assert sorted(path.name for path in folder.iterdir()) == sorted([".lock", *names])


@pytest.mark.parametrize(("first", "second"), [(SMALL, SHARDED), (SHARDED, SMALL)])
def test_a_store_is_divided_otherwise_when_it_is_built_anew(
    tmp_path: Path, decoded: list[str], first: ImagingConfig, second: ImagingConfig
) -> None:
    table, folder = draw(tmp_path / "images", 40), tmp_path / "store"
    before = np.array(build_store(table.iloc[:39], folder, config=first).images)
    decoded.clear()
    store = build_store(table, folder, config=second)
    assert decoded == ["lesion 039"]
    assert np.array_equal(store.images[:39], before)
    assert len(pixel_files(folder)) == (4 if second is SHARDED else 1)
    assert np.array_equal(build_store(table, folder, config=first).images, store.images)
    assert decoded == ["lesion 039"]


# ------------------------------------------------------------------ full disks


def test_a_full_disk_seen_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = draw(tmp_path / "images", 3)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", "")  # nothing to start: it is done here
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
    monkeypatch.setattr("lentigo.imaging.store.unfinished.shutil.disk_usage", little)
    with pytest.raises(RunError, match=r"needs 0\.01 MB, but only"):
        build_store(table, tmp_path / "store", config=SMALL)
    assert decoded == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    table = draw(tmp_path / "images", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file; give a folder"):
        build_store(table, tmp_path / "file" / "store", config=SMALL)
