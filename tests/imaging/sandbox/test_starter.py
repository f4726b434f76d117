"""Processes that are forked from one which has imported what they need."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from lentigo.imaging.sandbox import starter
from lentigo.imaging.sandbox.starter import Forked, Process, start

TELL = """
import json, os, sys
here = {"parent": os.getppid(), "folder": os.getcwd(), "argv": sys.argv[1:],
        "group": os.getpgid(0) == os.getpid(), "numpy": "numpy" in sys.modules,
        "x": os.environ.get("X"), "path": os.environ.get("PYTHONPATH"),
        "threads": os.environ["OMP_NUM_THREADS"],
        "open": sorted(os.listdir("/proc/self/fd"))}
print(json.dumps(here), sys.stdin.read())
print("a remark", file=sys.stderr)
"""

forks = pytest.mark.skipif(not starter._CAN, reason="the system cannot fork so")


@pytest.fixture
def errors() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


@pytest.fixture(params=[pytest.param(True, marks=forks, id="forked"), False])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether processes are forked, or each is started by itself."""
    monkeypatch.setattr(starter, "_CAN", request.param)
    return bool(request.param)


def heard(process: Process, said: bytes = b"") -> tuple[bytes, int]:
    """Say all that there is to say; return what it answers, and how it ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin as to, process.stdout as answer:
        to.write(said)
        to.close()
        return answer.read(), process.wait()


def test_it_has_its_own_files_folder_and_environment(
    either: bool, errors: IO[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard(start("pass", errors=errors))  # what follows is not the first
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X", "\udcff√")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    answer, code = heard(start(TELL, "é", "b", errors=errors), b"asked")
    told, asked = answer.decode().rstrip().rsplit(" ", 1)
    here: dict[str, Any] = json.loads(told)
    assert (code, asked) == (0, "asked")
    assert here.pop("parent") == (
        starter._kept._process.pid if either and starter._kept else os.getpid()
    )
    assert here.pop("open")[:3] == ["0", "1", "2"]
    assert here == {
        "folder": str(tmp_path), "argv": ["é", "b"], "group": True, "numpy": either,
        "x": "\udcff√", "path": None, "threads": "1",
    }  # fmt: skip
    errors.seek(0)
    assert errors.read() == b"a remark\n"


@forks
def test_nothing_of_the_starter_or_of_others_is_open_in_it(errors: IO[bytes]) -> None:
    other = start("import sys; sys.stdin.read()", errors=errors)
    answer, _ = heard(start(TELL, errors=errors))
    assert len(json.loads(answer)["open"]) == 4  # the fourth lists the folder
    assert heard(other) == (b"", 0)


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("pass", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit('why')", 1),
        ("raise KeyError('a bug')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
    ],
)
def test_its_end_is_told(either: bool, errors: IO[bytes], code: str, ended: int) -> None:
    assert heard(start(code, errors=errors)) == (b"", ended)
    errors.seek(0)
    said = errors.read().decode()
    assert ("KeyError: 'a bug'" in said) == ("KeyError" in code)
    assert ("why" in said) == ("why" in code)


def test_it_can_be_killed_once_and_again(either: bool, errors: IO[bytes]) -> None:
    process = start("import time; time.sleep(60)", errors=errors)
    assert isinstance(process, Forked) == either
    process.kill()
    assert heard(process) == (b"", -signal.SIGKILL)
    process.kill()
    assert process.wait() == -signal.SIGKILL


@forks
def test_if_the_starter_is_killed_its_process_is_over_and_others_start(
    errors: IO[bytes],
) -> None:
    process = start("import time; time.sleep(60)", errors=errors)
    assert isinstance(process, Forked)
    handle = os.pidfd_open(process.pid)
    assert starter._kept is not None
    os.kill(starter._kept._process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL  # it is not waited for, but killed
    assert heard(process) == (b"", -signal.SIGKILL)
    with open(handle, "rb") as ended:  # noqa: PTH123
        assert select.select([ended], [], [], 30)[0]
    starter._kept._process.wait()
    alone = start("print(1)", errors=errors)
    assert isinstance(alone, subprocess.Popen)
    assert heard(alone) == (b"1\n", 0)
    starter.forget()
    assert isinstance(again := start("print(2)", errors=errors), Forked)
    assert heard(again) == (b"2\n", 0)


@forks
def test_one_that_never_came_to_be_is_over_at_once(errors: IO[bytes]) -> None:
    starter.forget()
    kept = starter._starter()
    assert kept is not None
    os.kill(kept._process.pid, signal.SIGSTOP)
    process = kept.fork("pass", [], errors)
    os.kill(kept._process.pid, signal.SIGKILL)
    assert process.pid == 0
    process.kill()
    assert heard(process) == (b"", -signal.SIGKILL)
    starter.forget()


@forks
def test_a_fork_of_this_process_has_a_starter_of_its_own(errors: IO[bytes]) -> None:
    code = """
import os, tempfile
from lentigo.imaging.sandbox import starter
def ask():
    with tempfile.TemporaryFile() as errors:
        process = starter.start("import os; print(os.getppid())", errors=errors)
        process.stdin.close()
        with process.stdout as answer:
            print(int(answer.read()), process.wait(), flush=True)
ask()
if (child := os.fork()) == 0:
    ask()
    starter.forget()
    os._exit(0)
os.waitpid(child, 0)
ask()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    (one, *ended), (other, *_), (again, *_) = map(str.split, done.stdout.splitlines())
    assert ended == ["0"]
    assert one == again != other


@forks
def test_a_request_cut_short_spoils_none_of_the_next(
    errors: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    starter.forget()
    assert heard(start("pass", errors=errors)) == (b"", 0)
    send = socket.send_fds

    def cut(to: socket.socket, parts: list[bytes], files: list[int]) -> int:
        send(to, [parts[0][:8]], files)
        raise KeyboardInterrupt

    monkeypatch.setattr(socket, "send_fds", cut)
    with pytest.raises(KeyboardInterrupt):
        start("pass", errors=errors)
    monkeypatch.undo()
    for _ in range(2):
        assert heard(start("print(1)", errors=errors)) == (b"1\n", 0)
    starter.forget()


@forks
def test_without_files_to_spare_none_stays_open(
    errors: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = starter._starter()
    assert kept is not None

    def none_left() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socketpair", none_left)
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match="Too many"):
        kept.fork("pass", [], errors)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@forks
def test_files_may_have_high_numbers(
    errors: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2100:
        pytest.skip("the system allows too few files")
    pair = socket.socketpair

    def high() -> tuple[socket.socket, socket.socket]:
        return tuple(  # type: ignore[return-value]
            socket.socket(fileno=fcntl.fcntl(each.detach(), fcntl.F_DUPFD_CLOEXEC, 2000))
            for each in pair()
        )

    starter.forget()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2100), hard))
    try:
        monkeypatch.setattr(socket, "socketpair", high)
        process = start("import sys; print(sys.stdin.read())", errors=errors)
        assert isinstance(process, Forked)
        assert process.pid
        assert not os.get_inheritable(process._handle)
        assert heard(process, b"asked") == (b"asked\n", 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        starter.forget()


def test_an_old_system_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(_: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", none_here)
    assert not starter._can()
    monkeypatch.delattr(os, "pidfd_open")
    assert not starter._can()
