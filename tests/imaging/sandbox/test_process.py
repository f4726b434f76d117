"""A decoding process seen from outside."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.sandbox import process as module
from lentigo.imaging.sandbox import starter
from lentigo.imaging.sandbox.process import Child

ECHO = """
import json, sys
job = json.loads(sys.argv[1])[0]
for line in sys.stdin:
    asked = json.loads(line)
    {deed}
    print(json.dumps([job, asked]), flush=True)
"""


def make(deed: str = "", **limits: Any) -> Child:
    return Child(ECHO.format(deed=deed or "pass"), "job", limits=Limits(**limits))


@pytest.fixture
def echo() -> Iterator[Child]:
    child = make()
    yield child
    child.end()
    child.close()


def test_it_is_started_when_there_is_something_to_ask(echo: Child) -> None:
    assert echo._process is None
    for number in (1, 2):
        echo.send(f"{number}\n".encode())
        assert echo.answer() == ["job", number]
    echo.rest()
    assert echo._process is not None


def test_what_died_says_how_and_the_next_question_starts_another(echo: Child) -> None:
    echo.start()
    assert echo._process is not None
    os.kill(echo._process.pid, signal.SIGKILL)
    echo.send(b"1\n")
    assert echo.answer() is None
    death = echo.bury()
    assert "killed (exit code -9)" in death.reason
    assert not death.certain
    echo.send(b"2\n")
    assert echo.answer() == ["job", 2]


def test_too_much_work_is_told_with_what_was_allowed() -> None:
    deed = "import os; print('{\"may_take\": 7.5}', flush=True); os.kill(os.getpid(), "
    deed += f"{int(signal.SIGPROF)})"
    child = make(deed)
    child.send(b"1\n")
    assert child.answer() is None
    death = child.bury()
    assert death.reason == "it takes more than 7.5 seconds of work"
    assert death.certain
    child.close()


def test_one_that_stands_still_is_killed_by_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_START_UP", 0.0)
    child = make("import time; time.sleep(60)", seconds=0.1, waiting=5)
    child.send(b"1\n")
    assert child.answer() is None
    assert child.bury().reason == "it took longer than 0.5 seconds by the clock"
    child.close()


def test_a_fault_of_ours_is_no_death_of_a_file() -> None:
    child = make("raise KeyError('a bug')")
    child.send(b"1\n")
    assert child.answer() is None
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
        child.bury()
    child.close()


def test_one_that_is_ended_while_it_starts_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when another worker meets a full disk, or Ctrl-C comes, at that moment."""
    child, started = make(), []
    start = starter.start

    def slow(*arguments: Any, **options: Any) -> Any:
        child.end()
        started.append(start(*arguments, **options))
        return started[0]

    monkeypatch.setattr(module, "start", slow)
    child.start()
    assert started[0].wait() == -signal.SIGKILL
    child.close()


def test_closing_waits_for_no_process_that_lives() -> None:
    child = make()
    child.start()
    process = child._process
    assert process is not None
    closing = threading.Thread(target=child.close, daemon=True)
    closing.start()
    closing.join(20)
    ended, began = not closing.is_alive(), time.monotonic()
    process.kill()
    assert ended
    assert process.wait() == -signal.SIGKILL
    assert time.monotonic() - began < 5
