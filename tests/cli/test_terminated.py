"""SIGTERM ends every command with code 143 and a sentence, and the next start goes on.

Each command of `test_surroundings.LINES` is stopped again and again, later each time, until
it comes to its end before the signal does: half an hour and more. A new command has its
line there.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lentigo.cli.commands import COMMANDS, load_command
from tests.cli.test_surroundings import LENTIGO, LINES, MAY_REFUSE, lay_out

FIRST, LATER = 2.0, 2.5
"""Seconds before the first signal, and how many times later each further one comes. Python
and the handlers are there by then; most commands are at their imports."""
OF_ITS_OWN = {
    "serve": "tests/service/test_lifecycle.py stops the service",
    "audit-log": "it reads what the service wrote, and has no long work",
}
LEFT = (".lentigo-", ".unfinished")
"""Names of what a process writes that was stopped."""


@dataclass
class Ended:
    """How a command ended that was stopped until it was done."""

    stops: int = 0
    """How often a signal was there before its end."""
    code: int = 0
    said: list[str] = field(default_factory=list)
    """What was told at each stop."""


def goes_on(name: str) -> bool:
    """Whether a command has the option --resume."""
    return any("--resume" in each.opts for each in load_command(name).params)


def stopped_until_done(name: str, words: list[str], folder: Path) -> Ended:
    """Start a command with a signal to come, later each time, until it ends before it."""
    found, seconds = Ended(), FIRST
    again = [*words, "--resume"] if goes_on(name) else words
    while True:
        process = subprocess.Popen(
            [str(LENTIGO), *(again if found.stops else words)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            _, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=120)
        found.code = process.returncode
        if found.code != 143:
            found.said.append(told)
            return found
        found.stops += 1
        found.said.append(told)
        seconds *= LATER


def left_behind(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.startswith(LEFT) or path.name.endswith(LEFT)
    )


def test_every_command_has_its_line() -> None:
    assert set(LINES) == set(COMMANDS), "a new command has a line in test_surroundings"
    assert set(OF_ITS_OWN) <= set(LINES)


@pytest.mark.slow
def test_every_command_is_stopped_in_order_and_goes_on(tmp_path: Path) -> None:
    lay_out(given := tmp_path / "given")
    (folder := tmp_path / "work").mkdir()
    stops = 0
    for name, line in LINES.items():
        words = shlex.split(line.format(given))
        if name in OF_ITS_OWN:
            continue
        found = stopped_until_done(name, words, folder)
        assert found.code in ({0, 1} if name in MAY_REFUSE else {0}), (line, found)
        for told in found.said[: found.stops]:
            assert "Traceback" not in told, (line, told)
            assert "topped" in told.splitlines()[-1], (line, told)
        assert left_behind(folder) == [], line
        stops += found.stops
    assert stops > 20
