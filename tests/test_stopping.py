"""Ctrl-C, SIGTERM and SIGHUP end a command in order, at once or where that does no harm."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lentigo.progress import track
from lentigo.stopping import (
    HungUp,
    Terminated,
    deferred,
    exit_code,
    listening,
    stop_if_asked,
)

pytestmark = pytest.mark.usefixtures("heard")


def ask(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (signal.SIGTERM, Terminated, 143),
        (signal.SIGINT, KeyboardInterrupt, 130),
        (signal.SIGHUP, HungUp, 129),
    ],
)
def test_a_signal_is_an_exception_with_its_exit_code(
    number: int, kind: type[KeyboardInterrupt], code: int
) -> None:
    with pytest.raises(kind) as caught, listening():
        ask(number)
    assert type(caught.value) is kind
    assert exit_code(caught.value) == code


def test_where_stopping_would_do_harm_it_waits() -> None:
    done = []

    def work() -> None:
        with listening(), deferred():
            ask(signal.SIGTERM)
            done.append("the step")
            stop_if_asked()
            done.append("the next step")

    with pytest.raises(Terminated):
        work()
    assert done == ["the step"]


def test_a_signal_whose_exception_was_swallowed_stops_at_the_next_question() -> None:
    def work() -> None:
        with listening():
            with suppress(Terminated):
                ask(signal.SIGTERM)
            with deferred():
                stop_if_asked()
                pytest.fail("it went on")

    with pytest.raises(Terminated):
        work()


def test_a_swallowed_signal_stops_any_long_job_before_its_next_item() -> None:
    def draws(name: str) -> str:
        with suppress(Terminated):  # as an import or compiled code does
            ask(signal.SIGTERM)
        return name

    jobs = track(map(draws, "abcd"), total=4, label="Drawing lesions")
    with listening(), pytest.raises(Terminated):
        list(jobs)


def test_a_job_that_may_not_be_cut_goes_on_to_its_end() -> None:
    with listening(), deferred():
        ask(signal.SIGTERM)
        assert list(track("abc", total=3, label="Answers")) == ["a", "b", "c"]


def test_whoever_asks_twice_does_not_wait() -> None:
    def work() -> None:
        with listening(), deferred():
            ask(signal.SIGTERM)
            ask(signal.SIGINT)
            pytest.fail("it went on")

    with pytest.raises(KeyboardInterrupt):
        work()


def test_afterwards_signals_are_what_they_were_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with listening():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_outside_the_main_thread_nothing_is_touched() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with listening():
                pass
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []


def test_a_process_of_nohup_hears_no_hang_up() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with listening():
            ask(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


_IN_A_TERMINAL = """
import sys, time
from pathlib import Path
from lentigo.stopping import deferred, exit_code, listening, stop_if_asked
try:
    with listening(), deferred():
        print("begun", flush=True)
        while True:
            time.sleep(0.05)
            try:
                stop_if_asked()
            except KeyboardInterrupt as stop:
                print("to a terminal that has gone", flush=True)
                Path(sys.argv[1]).write_text("saved")
                raise
except KeyboardInterrupt as stop:
    sys.exit(exit_code(stop))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are those of Unix")
def test_work_is_saved_though_the_terminal_has_gone(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _IN_A_TERMINAL, str(tmp_path / "work")],
        stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:  # fmt: skip
        os.close(theirs)
        assert b"begun" in os.read(ours, 100)
        os.close(ours)  # the window is closed
        try:
            assert process.wait(30) == 129
        finally:
            process.kill()
    assert (tmp_path / "work").read_text() == "saved"


_PARENT = """
import os, time
from lentigo.stopping import die_with_parent
if (child := os.fork()) == 0:
    die_with_parent()
    print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's end")
def test_a_worker_dies_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(process: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
