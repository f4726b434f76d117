"""What may become of a place; one process works there, and a new one is filled once."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from lentigo.errors import ConfigError, RunError
from lentigo.files import write_text
from lentigo.output import (
    PAGE,
    SPLIT,
    TABLE,
    Kind,
    alone,
    check_file,
    check_folder,
    check_new_folder,
    check_own_folder,
    check_run_folder,
    new_folder,
)
from lentigo.run_layout import RunLayout
from lentigo.stopping import Terminated
from tests.apart import run_apart

_SECOND = """
try:
    with {door}(Path(sys.argv[1])):
        print("in")
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("door", [alone, new_folder])
def test_one_process_at_a_time_works_in_a_folder(
    door: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    second, folder = _SECOND.format(door=door.__name__), tmp_path / "new"
    with door(folder):
        write_text(folder / "a.txt", "ours")
        before = {path: path.read_bytes() for path in folder.iterdir()}
        assert "Another process is working in" in run_apart(second, folder).stdout
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lock_may_be_asked_for_again_by_its_holder(tmp_path: Path) -> None:
    with alone(tmp_path / "new"), alone(tmp_path / "new"):
        pass
    assert list(tmp_path.iterdir()) == []  # nothing was done in it


def test_a_new_folder_is_filled_once(tmp_path: Path) -> None:
    with new_folder(tmp_path / "a"):
        write_text(tmp_path / "a" / "page", "x")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["page"]
    with pytest.raises(RunError, match="is not empty"), new_folder(tmp_path / "a"):
        pytest.fail("it was filled twice")
    check_new_folder(tmp_path / "a", besides=("page",))


def test_what_failed_before_anything_was_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), new_folder(tmp_path / "a"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [(), ("pixels",)])
def test_a_stop_takes_back_what_was_written_and_says_so(
    kept: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "a"

    def work() -> None:
        with new_folder(folder, besides=kept):
            for name in ("page", "figures/one", *(f"{each}/x" for each in kept)):
                write_text(folder / name, "half")
            raise Terminated

    with pytest.raises(Terminated, match=r"Stopped before .* was finished"):
        work()
    there = [path.name for path in folder.iterdir()] if folder.exists() else []
    assert there == list(kept)
    check_new_folder(folder, besides=kept)


_HALF = """
with new_folder(Path(sys.argv[1])):
    write_text(Path(sys.argv[1]) / "half", "x")
    os.kill(os.getpid(), 9)
"""


def test_a_folder_that_a_killed_process_left_half_filled_may_be_filled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="lentigo")
    assert run_apart(_HALF, tmp_path / "a").returncode == -9
    with new_folder(tmp_path / "a"):
        # What this command would not write is not left among what it does.
        assert not (tmp_path / "a" / "half").exists()
        write_text(tmp_path / "a" / "other", "whole")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["other"]
    assert "what a command left that was killed (half); it is cleared" in caplog.text


@pytest.mark.parametrize("theirs", ["notes.txt", "photos/a.jpg", "figures/my.png", "half"])
def test_what_a_user_put_beside_it_is_never_removed(theirs: str, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    assert run_apart(_HALF, folder).returncode == -9
    (folder / theirs).parent.mkdir(exist_ok=True)
    (folder / theirs).write_text("mine")  # "half" was written by the command before
    for door in (check_new_folder, lambda place: new_folder(place).__enter__()):
        with pytest.raises(RunError, match=rf"not known to be its own: {theirs}\."):
            door(folder)
    assert (folder / theirs).read_text() == "mine"
    assert (folder / "half").exists()
    (folder / theirs).unlink()
    with new_folder(folder):
        write_text(folder / "other", "whole")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["other"]


def test_nor_is_it_when_the_command_fails_or_is_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "a"

    def work() -> None:
        with new_folder(folder):
            write_text(folder / "page", "half")
            write_text(folder / "figures" / "one", "half")
            write_text(folder / "empty" / "one", "half")
            (folder / "figures" / "mine").write_text("mine")
            raise Terminated

    with pytest.raises(Terminated):
        work()
    assert sorted(path.name for path in folder.rglob("*")) == ["figures", "mine"]
    with pytest.raises(RunError, match="is not empty"):
        check_new_folder(folder)


def test_another_command_that_wrote_there_meanwhile_loses_nothing(tmp_path: Path) -> None:
    assert run_apart(_HALF, tmp_path / "a").returncode == -9
    write_text(tmp_path / "a" / "p.csv", "of another command")
    with pytest.raises(RunError, match=r"not known to be its own: p\.csv"):
        check_new_folder(tmp_path / "a")


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (TABLE, "t.xlsx", "a table is written as .csv or .parquet; name it so"),
        (SPLIT, "s.parquet", "a split is written as .csv; name it so"),
        (PAGE, "p.gif", "a page is written as .png, .svg or .pdf; name it so"),
    ],
)
def test_a_name_says_the_format(kind: Kind, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        check_file(tmp_path / name, kind)


def test_nothing_is_written_while_a_place_is_looked_at(tmp_path: Path) -> None:
    check_file(tmp_path / "a" / "t.csv", TABLE, new=True)
    check_folder(tmp_path / "a")
    check_new_folder(tmp_path / "a")
    check_own_folder(tmp_path / "a", signs=("store.json",), what="pixel store")
    check_run_folder(tmp_path / "a", resume=False)
    assert list(tmp_path.iterdir()) == []


def test_a_table_may_be_written_again_and_a_new_file_may_not(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    check_file(tmp_path / "t.csv", TABLE)
    with pytest.raises(RunError, match="is there already"):
        check_file(tmp_path / "t.csv", TABLE, new=True)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RunError, match="is a folder; give the name of a file"):
        check_file(tmp_path / "folder.csv", TABLE)


@pytest.mark.parametrize(
    "put",
    [
        os.mkfifo,
        lambda path: path.symlink_to("/dev/null"),
        lambda path: path.symlink_to(path),
    ],
    ids=["pipe", "device", "link to itself"],
)
def test_a_pipe_is_not_replaced_by_a_table(
    put: Callable[[Path], None], tmp_path: Path
) -> None:
    put(tmp_path / "t.csv")
    with pytest.raises(RunError, match="no ordinary file"):
        check_file(tmp_path / "t.csv", TABLE)


def test_what_is_written_beside_a_split_is_new_as_well(tmp_path: Path) -> None:
    (tmp_path / "s.json").touch()
    with pytest.raises(RunError, match=r"s\.json is there already"):
        check_file(tmp_path / "s.csv", SPLIT, new=True)


@pytest.mark.parametrize(
    "check", [check_folder, check_new_folder, partial(check_file, new=True)]
)
def test_a_link_to_nothing_is_no_new_place(
    check: Callable[[Path], object], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(RunError, match="give another place"):
        check(tmp_path / "link")


def test_a_folder_of_other_things_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(RunError, match="is no pixel store; give a new folder"):
        check_own_folder(tmp_path, signs=("store.json",), what="pixel store")
    (tmp_path / "store.json").touch()
    check_own_folder(tmp_path, signs=("store.json",), what="pixel store")


def test_a_run_is_gone_on_with_only_when_asked_to(tmp_path: Path) -> None:
    run = RunLayout(tmp_path)
    run.command.touch()
    check_run_folder(tmp_path, resume=False)  # killed in its first moment
    run.config.touch()
    run.table.touch()
    check_run_folder(tmp_path, resume=True)
    with pytest.raises(RunError, match="holds a run already"):
        check_run_folder(tmp_path, resume=False)


@pytest.mark.parametrize("resume", [False, True])
def test_settings_of_the_users_own_are_not_written_over(
    tmp_path: Path, resume: bool
) -> None:
    """A run's settings lie beside its environment; these are the file for --config."""
    run = RunLayout(tmp_path)
    run.config.write_text("seed: 3  # as in the paper")
    with pytest.raises(RunError, match="holds no run"):
        check_run_folder(tmp_path, resume=resume)
    run.environment.touch()
    check_run_folder(tmp_path, resume=resume)  # killed before anything was decoded


def test_a_shared_folder_that_may_only_be_read_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with alone(tmp_path, shared=True):
        pass
    with pytest.raises(RunError, match="Read-only file system"), alone(tmp_path):
        pass
