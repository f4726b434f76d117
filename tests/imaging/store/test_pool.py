from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lentigo.config import ImagingConfig
from lentigo.errors import RunError
from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.sandbox import process as child
from lentigo.imaging.store import pool
from lentigo.imaging.store.build import build_store
from tests.pictures import draw

_HOSTILE = """
import os, signal, sys, time
from lentigo.imaging.store import decode_process as worker
decode = worker.decode_into
def hostile(pixels, row, path, job):
    if "013" in path:
        {deed}
    return decode(pixels, row, path, job)
worker.decode_into = hostile
worker.main()
"""


def _with_deed(monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", textwrap.dedent(_HOSTILE).format(deed=deed))


def test_a_file_that_kills_its_decoder_is_one_bad_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 40)
    _with_deed(monkeypatch, "os.kill(os.getpid(), signal.SIGSEGV)")
    built = build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=2))
    assert built.failed["image_id"].tolist() == ["lesion 013"]
    assert (
        "the decoder crashed or was killed (exit code -11)" in built.failed["error"].iloc[0]
    )
    assert (built.images[13] == 0).all()
    assert all(built.images[row].any() for row in range(40) if row != 13)


def test_a_file_that_never_ends_is_one_bad_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 20)
    _with_deed(monkeypatch, "time.sleep(600)")
    monkeypatch.setattr(child, "_START_UP", 5.0)  # for a busy machine
    monkeypatch.setattr(pool, "LIMITS", Limits(waiting=0.5))
    built = build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=2))
    assert built.failed["image_id"].tolist() == ["lesion 013"]
    assert "it took longer than 0.5 seconds by the clock" in built.failed["error"].iloc[0]


def test_a_file_that_takes_too_much_work_is_one_bad_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 20)
    deed = "open(job.pixels + '.tries', 'a').write('x'); [0 for _ in iter(int, 1)]"
    _with_deed(monkeypatch, deed)
    monkeypatch.setattr(pool, "LIMITS", Limits(seconds=0.3))
    built = build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=1))
    assert built.failed["image_id"].tolist() == ["lesion 013"]
    assert "it takes more than 0.3 seconds of work" in built.failed["error"].iloc[0]


def test_a_file_that_takes_too_much_memory_is_one_bad_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 20)
    _with_deed(monkeypatch, "bytearray(2 * 10**9)")
    built = build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=1))
    assert built.failed["image_id"].tolist() == ["lesion 013"]
    assert "needs more memory than it may take" in built.failed["error"].iloc[0]


def test_a_fault_of_ours_is_not_blamed_on_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 20)
    _with_deed(monkeypatch, "raise KeyError('a bug')")
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
        build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=2))


def test_a_full_disk_seen_by_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 20)
    _with_deed(monkeypatch, "raise OSError(28, 'No space left on device')")
    with pytest.raises(RunError, match=r"No space left on device\. Free some space"):
        build_store(table, tmp_path / "store", config=ImagingConfig(size=32, workers=2))


@pytest.mark.parametrize("how", ["script", "stdin"])
def test_a_script_without_a_main_guard(tmp_path: Path, how: str) -> None:
    table = draw(tmp_path / "images", 20)
    table.to_parquet(tmp_path / "table.parquet")
    code = f"""
from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import build_store
from lentigo.tables import read_table_file
table = read_table_file({str(tmp_path / "table.parquet")!r})
config = ImagingConfig(size=32, workers=2)
built = build_store(table, {str(tmp_path / "store")!r}, config=config)
print(len(built), len(built.failed))
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    arguments = [sys.executable, str(script)] if how == "script" else [sys.executable]
    ended = subprocess.run(
        arguments,
        input="" if how == "script" else code,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert ended.stdout.split() == ["20", "0"], ended.stderr
    assert ended.stderr == ""


def test_decoding_processes_import_only_what_decoding_needs() -> None:
    code = (
        "import sys, lentigo.imaging.store.decode_process; "
        "print([name for name in ('torch', 'pandas', 'pydantic', 'sklearn') "
        "if name in sys.modules])"
    )
    arguments = [sys.executable, "-c", code]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
