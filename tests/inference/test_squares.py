"""Files that crash, hang or exhaust their decoder among good ones that are predicted."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lentigo
from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.decoding.square import read_square, to_square
from lentigo.imaging.sandbox import process as child
from lentigo.imaging.sandbox import reader as guard
from lentigo.inference import squares as module
from lentigo.inference.inputs import Source, as_sources
from lentigo.models.backend import Preparation
from tests.inference.test_predict import noise, save
from tests.pictures import draw

WAY = Preparation(48, "stretch", 100_000_000)

_HOSTILE = """
import os, signal, sys, time
from lentigo.imaging.sandbox import reader_process as guard_worker
with open({pids!r}, "a") as file:
    file.write(str(os.getpid()) + "\\n")
decode = guard_worker._read
def hostile(source, name, options):
    if "{victim}" in name:
        {deed}
    return decode(source, name, options)
guard_worker._read = hostile
guard_worker.main()
"""


def hostile(pids: Path, deed: str, *, victim: str = "013") -> str:
    """A decoding program that does a deed for one file, and notes its process ids."""
    return textwrap.dedent(_HOSTILE).format(pids=str(pids), deed=deed, victim=victim)


def alive(pids: Path) -> list[int]:
    return [int(pid) for pid in pids.read_text().split() if _lives(int(pid))]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def files(folder: Path, *, count: int = 20) -> list[Path]:
    return [Path(path) for path in draw(folder, count)["path"]]


def all_squares(
    sources: Sequence[Source], *ways: Preparation, batch_size: int
) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for batch in module.squares(sources, ways, batch_size=batch_size):
        for way in ways:
            found |= dict(zip(batch.places, batch.squares[way], strict=True))
        found |= batch.reasons
    return found


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed or was killed (exit code -11)"),
        ("time.sleep(600)", "took longer than 0.5 seconds by the clock"),
        ("any(iter(int, 1))", "takes more than 1 seconds of work"),
        ("bytearray(2 * 10**9)", "needs more memory than it may take"),
    ],
)
def test_a_file_that_fells_its_decoder_is_a_row_and_the_others_are_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: str, reason: str
) -> None:
    save(tmp_path / "model")
    pids = tmp_path / "pids"
    monkeypatch.setattr(guard, "_PROGRAM", hostile(pids, deed))
    if "sleep" in deed:
        monkeypatch.setattr(child, "_START_UP", 5.0)  # for a busy machine
        monkeypatch.setattr(guard, "Limits", lambda: Limits(waiting=0.5))
    table = lentigo.load(tmp_path / "model").predict(
        files(tmp_path / "images"), batch_size=8
    )
    assert table.index[table["probability"].isna()].tolist() == [13]
    assert reason in table["reason"][13]
    assert "013" in table["reason"][13]
    assert table["probability"].drop(13).notna().all()
    assert pids.read_text()
    assert alive(pids) == []


def test_squares_are_those_of_the_store_bit_for_bit(tmp_path: Path) -> None:
    paths = files(tmp_path / "images", count=5)
    found = all_squares(as_sources([*paths, noise(70)]), WAY, batch_size=4)
    assert list(found) == list(range(6))
    for place, path in enumerate(paths):
        expected = read_square(path, size=48, fit=WAY.fit)[0]
        assert np.array_equal(found[place], expected)
    assert np.array_equal(found[5], to_square(noise(70), size=48, fit=WAY.fit))


def test_each_way_has_squares_of_its_own_and_its_own_bound(tmp_path: Path) -> None:
    small, large = files(tmp_path / "images", count=2), tmp_path / "large"
    sources = as_sources([*small, *draw(large, 1, size=(200, 150))["path"]])
    other = Preparation(64, "pad", 20_000)
    (batch,) = module.squares(sources, [WAY, other, WAY], batch_size=8)
    assert list(batch.squares) == [WAY, other]
    assert batch.places == [0, 1]
    for way in (WAY, other):
        for path, square in zip(small, batch.squares[way], strict=True):
            wanted = read_square(path, size=way.size, fit=way.fit)[0]
            assert np.array_equal(square, wanted)
    assert list(batch.reasons) == [2]
    alone = all_squares(sources, WAY, batch_size=8)
    assert isinstance(alone[2], np.ndarray)


def test_arrays_need_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a process was made ready")

    monkeypatch.setattr(module, "GuardedReader", never)
    sources = [*as_sources([noise(), noise(50)]), Source("nothing")]
    found = all_squares(sources, WAY, batch_size=2)
    assert found[0].shape == found[1].shape == (48, 48, 3)
    assert found[2] == "no file"


def test_no_more_processes_than_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    monkeypatch.setattr(guard, "_PROGRAM", hostile(pids, "pass"))
    monkeypatch.setattr(module, "cores", lambda: 3)
    for count, most in ((1, 1), (12, 3)):
        pids.write_text("")
        all_squares(
            as_sources(files(tmp_path / str(count), count=count)), WAY, batch_size=8
        )
        assert 1 <= len(pids.read_text().split()) <= most


def test_inside_another_program_files_are_decoded_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path / "images", count=3)
    monkeypatch.setattr(sys, "executable", "")
    found = all_squares(as_sources(paths), WAY, batch_size=2)
    assert [square.shape for square in found.values()] == [(48, 48, 3)] * 3


def test_nothing_is_left_running_where_the_rest_is_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    monkeypatch.setattr(guard, "_PROGRAM", hostile(pids, "time.sleep(600)"))
    batches = module.squares(as_sources(files(tmp_path / "images")), [WAY], batch_size=8)
    began = time.monotonic()
    with closing(batches):  # number 13 hangs in the batch that is decoded ahead
        assert next(batches).places == list(range(8))
    assert time.monotonic() - began < 15
    assert alive(pids) == []


_PREDICT = """
import sys
from lentigo.imaging.sandbox import reader as guard
guard._PROGRAM = {program!r}
sys.argv[:1] = ["lentigo"]
from lentigo.cli.app import app
app()
"""


@pytest.mark.slow
def test_control_c_ends_the_decoding_processes(tmp_path: Path) -> None:
    save(tmp_path / "model")
    files(tmp_path / "images")
    pids = tmp_path / "pids"
    code = _PREDICT.format(program=hostile(pids, "time.sleep(600)", victim="lesion"))
    command = [sys.executable, "-c", code, "predict", str(tmp_path / "model")]
    command += [str(tmp_path / "images"), "--out", str(tmp_path / "out.csv")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    waited_until = time.monotonic() + 60
    while not (pids.exists() and pids.read_text()) and time.monotonic() < waited_until:
        time.sleep(0.2)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1]
    assert running.returncode == 130
    assert said == "Stopped. No predictions were written.\n"
    assert alive(pids) == []
    assert not (tmp_path / "out.csv").exists()
