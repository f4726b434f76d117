"""Whoever stops a command while it still loads gets one line and the usual exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lentigo.cli.app import _from_home

pytestmark = pytest.mark.usefixtures("heard")

_SLOW = """
import sys, time
class Slow:
    def find_spec(self, name, *rest):
        if name == "typer":
            print("loading", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from lentigo.cli.start import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_command_that_still_loads_stops_in_one_line(
    tmp_path: Path, number: int, code: int
) -> None:
    command = [sys.executable, "-c", _SLOW, "train", "table.parquet", "--out", "RUN"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True
    ) as tool:
        assert tool.stdout
        assert tool.stdout.readline() == "loading\n"
        tool.send_signal(number)
        _, said = tool.communicate(timeout=30)
    assert (tool.returncode, said) == (code, "Stopped. Nothing is half written.\n")
    assert not list(tmp_path.iterdir())


def test_the_command_that_is_installed_starts_there() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    scripts = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"lentigo": "lentigo.cli.start:main"}


_DONE = """
import os, signal, sys
from lentigo.cli import start
class Late:
    def __del__(self, kill=os.kill, own=os.getpid(), asked=signal.SIGTERM):
        kill(own, asked)  # while Python takes down what is left
late = Late()
sys.argv[1:] = ["list", "recipes"]
start.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_a_signal_after_the_work_changes_nothing_of_its_exit_code() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DONE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "thorough" in done.stdout


_BUSY = """
import atexit, sys, threading, time
from lentigo.cli import app, start
threading.Thread(target=time.sleep, args=(60,)).start()  # as a library's, which computes
atexit.register(print, "closed")
app.app = lambda: sys.exit(143)
start.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_a_stop_waits_for_no_thread_of_a_library() -> None:
    """Nor is the process taken down beside it, which C++ answers with an abort."""
    done = subprocess.run(
        [sys.executable, "-c", _BUSY], capture_output=True, text=True, check=False,
        timeout=50,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (143, "closed\n", "")


_TOO_LONG = """
import atexit, json, os, sys, time
from lentigo.cli import app, start
from lentigo.models.patience import within
def run():
    try:
        within(0.01, lambda: time.sleep(60))
    except TimeoutError as error:
        print(error, file=sys.stderr)
    sys.exit(1)
atexit.register(print, "closed")
app.app = run
class Late:
    def __del__(self, say=os.write):
        say(2, b"taken down beside it")
json.late = Late()  # the thread keeps what is in this module
start.main()
"""


def test_nor_is_it_taken_down_beside_a_network_that_takes_too_long() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TOO_LONG], capture_output=True, text=True, check=False,
        timeout=50,
    )  # fmt: skip
    assert done.stderr == "it took more than 0 seconds\n"
    assert (done.returncode, done.stdout) == (1, "closed\n")


def test_a_tilde_is_the_home_folder_where_there_is_one_and_a_path_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    monkeypatch.setenv("USERPROFILE", "/home/jane")
    home = Path("/home/jane/x")
    assert [_from_home("~/x"), _from_home("--out=~/x")] == [str(home), f"--out={home}"]
    for word in ("~", "~x", "a~/x", "--column=a=~/x", "-~/x"):
        assert _from_home(word) == word
    if os.sep == "/":  # a name like any other
        assert _from_home(r"~\x.csv") == r"~\x.csv"

    def unknown(path: Path) -> Path:
        raise RuntimeError(f"Could not determine home directory of {path}.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert _from_home("--out=~/x") == "--out=~/x"
