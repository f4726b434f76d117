"""One process at a time works in a folder, and a new one is filled once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from lentigo.errors import RunError
from lentigo.files import write_text
from lentigo.locks import alone, check_new_folder, new_folder
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


_HALF = """
with new_folder(Path(sys.argv[1])):
    write_text(Path(sys.argv[1]) / "half", "x")
    os.kill(os.getpid(), 9)
"""


def test_a_folder_that_a_killed_process_left_half_filled_may_be_filled(
    tmp_path: Path,
) -> None:
    assert run_apart(_HALF, tmp_path / "a").returncode == -9
    with new_folder(tmp_path / "a"):
        write_text(tmp_path / "a" / "half", "whole")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["half"]
