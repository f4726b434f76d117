from __future__ import annotations

import csv
import errno
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lentigo import files
from lentigo.errors import RunError
from lentigo.files import (
    cannot_write,
    clear_leftovers,
    clear_unfinished,
    copy_file,
    digest,
    guarded,
    temporary_folder,
    unguarded,
    write_csv,
    write_text,
    written_beside,
)
from lentigo.output import alone, check_folder, check_not_input
from lentigo.table_files.door import read_any_table
from tests.apart import run_apart


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    check_folder(tmp_path / "not" / "there" / "yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunError, match="file is a file; give a folder"):
            check_folder(folder)
    with pytest.raises(RunError, match="Cannot write"):
        check_folder(tmp_path / ("x" * 300))


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with written_beside(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert (temporary.parent, temporary.suffix) == (path.parent, ".txt")
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_after_a_failure_the_old_file_is_still_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half() -> None:
        with written_beside(path) as temporary:
            temporary.write_text("half of the new")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_of_the_user(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"Cannot write .*a.txt: .* Free some space"),
        written_beside(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_finds_no_room_names_where_it_was_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, _: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))

    write_text(tmp_path / "a", "x")
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "x"
    monkeypatch.setattr("lentigo.files.shutil.copyfile", full)
    with pytest.raises(RunError, match=r"Cannot write .*/c: No space"):
        copy_file(tmp_path / "a", tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_that_is_a_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "x")
    with pytest.raises(RunError, match="Give a place that you may write to"):
        write_text(tmp_path / "file" / "a.txt", "x")
    assert "disk quota" in str(cannot_write(tmp_path, OSError(errno.EDQUOT, "quota")))


def test_the_reason_is_the_one_of_the_system_not_the_sentence_of_a_library(
    tmp_path: Path,
) -> None:
    text = "Error writing bytes to file. Detail: [errno 28] No space left on device"
    told = str(cannot_write(tmp_path / "t.parquet", OSError(errno.ENOSPC, text)))
    assert told == (
        f"Cannot write {tmp_path / 't.parquet'}: No space left on device. Free some space "
        "or write to another disk."
    )


def test_any_other_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd") as caught, written_beside(tmp_path / "a"):
        raise OSError(errno.EPROTO, "odd")
    assert not isinstance(caught.value, RunError)


def test_rights_are_those_of_an_ordinary_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "ours", "x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


_KILLED = """
with written_beside(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_was_writing_goes_with_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LOOKED_THROUGH", set())
    assert run_apart(_KILLED, tmp_path / "a.csv").returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with written_beside(tmp_path / "b.csv") as ours:
        assert list(tmp_path.iterdir()) == [ours]
        clear_unfinished(tmp_path)  # what is still being written is nobody's leftover
        ours.write_text("whole")
    assert list(tmp_path.iterdir()) == [tmp_path / "b.csv"]


def test_what_is_to_be_new_is_not_written_over_in_the_last_moment(tmp_path: Path) -> None:
    def write_ours() -> None:
        with written_beside(tmp_path / "a.txt", new=True) as temporary:
            temporary.write_text("ours")
            (tmp_path / "a.txt").write_text("theirs")

    with pytest.raises(RunError, match="is there already"):
        write_ours()
    assert (tmp_path / "a.txt").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    check_not_input(tmp_path / "b.csv", ["*.jpg", tmp_path / "a.csv"])
    with pytest.raises(RunError, match="is what is read"):
        check_not_input(tmp_path / "." / "a.csv", [str(tmp_path / "a.csv")])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_full_disk_is_told_with_the_file_wherever_it_shows(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    def write() -> None:
        write_text(tmp_path / "a", "x")

    def lock() -> None:
        with alone(tmp_path / "a"):
            pytest.fail("it went on")

    for place, call in (
        ("lentigo.files.tempfile.mkstemp", write),
        ("lentigo.files._sync", write),
        ("lentigo.files.Path.mkdir", lock),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, full)
            with pytest.raises(RunError, match=r"Cannot write .*/a: "):
                call()
    assert list(tmp_path.iterdir()) == []


TEXTS = [
    "=1+1", "'=a", "''=a", "'", "-7", "+7", "-1.5", "-a", "@x", "|calc", "%0A", "\tq",
    "a\rb", "\r=1", "x\ny", 'q"r', "s,t", "u;v", " =a", "\uff1da", "plain",
    "x;=1+1;y", "x; '=1", "x\n=1", "x\r\n'=1;-a", "\t=1", "' =a", "\u00a0=a", "a;'b",
    "x;'y", "c;\t;'\t=1",
]  # fmt: skip


def test_no_text_of_a_csv_runs_in_a_spreadsheet_and_all_of_it_is_read_back(
    tmp_path: Path,
) -> None:
    rows = pd.DataFrame({"image_id": TEXTS, "=note": TEXTS, "n": [-1.5] * len(TEXTS)})
    write_csv(rows, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    parts = [part for cell in cells for part in re.split(r"[;\t\r\n]", cell)]
    runs = [part for part in parts if part.strip()[:1] in tuple("=+-@|%\uff1d")]
    assert set(runs) == {"-7", "+7", "-1.5"}  # plain numbers
    again = read_any_table(tmp_path / "t.csv", text=True)
    assert again["image_id"].tolist() == TEXTS
    assert again["=note"].tolist() == TEXTS
    assert read_any_table(tmp_path / "t.csv")["n"].tolist() == [-1.5] * len(TEXTS)


@given(st.text(alphabet=" ='\"-;\t\n\r\u00a0a", max_size=12))
@example(";\r\n'=")
@example(';"=1;')  # a program that divides at semicolons sees ""=1, which is =1
def test_any_text_is_guarded_and_comes_back(text: str) -> None:
    table = pd.DataFrame({"note": [text]}, dtype="string")
    safe = guarded(table)
    parts = re.split(r"[;\t\r\n]", safe["note"].iloc[0])
    assert not [part for part in parts if part.strip(' \t\r\n\u00a0"')[:1] in tuple("=-")]
    assert unguarded(safe.astype("string"))["note"].iloc[0] == text


_HELD = """
import sys, time
from pathlib import Path
from lentigo.files import temporary_folder
with temporary_folder(Path(sys.argv[1])) as place:
    (place / "store").mkdir()
    (place / "store" / "pixels").write_text("pictures")
    print(place, flush=True)
    time.sleep(60)
"""


def test_a_folder_of_a_killed_process_goes_and_spares_no_other_leftover(
    tmp_path: Path,
) -> None:
    pytest.importorskip("fcntl", reason="nothing is cleared up without locks")
    held = subprocess.Popen(
        [sys.executable, "-c", _HELD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert held.stdout is not None
    place = Path(held.stdout.readline().strip())
    (tmp_path / ".lentigo-of-nobody").mkdir()  # without a lock file: perhaps just made
    (tmp_path / ".lentigo-left.csv").write_text("half")
    clear_leftovers(tmp_path)
    assert (place / "store" / "pixels").is_file()  # in use
    assert not (tmp_path / ".lentigo-left.csv").exists()
    held.kill()
    held.communicate()
    assert place.exists()
    clear_leftovers(tmp_path)
    assert not place.exists()


def test_a_temporary_folder_is_gone_after_its_block(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as place:
        (place / "a").write_text("b")
    assert list(tmp_path.iterdir()) == []
