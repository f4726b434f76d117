"""How many cores are taken, who goes first, and where the cache lies on each system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lentigo import machine


def test_the_cores_are_those_that_were_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_taken", [])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert machine.cores() == 3
    machine.take_cores(2)
    assert machine.cores() == 2
    machine.take_cores(1)
    assert machine.cores() == 1


def test_where_no_system_tells_it_there_is_one_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_taken", [])
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1


def test_threads_that_wait_soon_give_way_unless_the_user_says_how_they_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    machine.spin_briefly()
    assert 1_000 <= int(os.environ["GOMP_SPINCOUNT"]) <= 10_000
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    machine.spin_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    machine.spin_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_it_is_said_before_torch_is_loaded() -> None:
    code = (
        "import os, sys; os.environ.pop('GOMP_SPINCOUNT', 0); import lentigo; "
        "print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])"
    )
    kept = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept
    )
    assert said.stdout.split()[0] == "False"
    assert int(said.stdout.split()[1]) > 0


@pytest.mark.parametrize("name", ["RANK", "NODE_RANK", "LOCAL_RANK"])
def test_the_first_process_has_rank_0_everywhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("RANK", "NODE_RANK", "LOCAL_RANK"):
        monkeypatch.delenv(each, raising=False)
    assert machine.is_first_process()
    monkeypatch.setenv(name, "0")
    assert machine.is_first_process()
    monkeypatch.setenv(name, "1")
    assert not machine.is_first_process()


@pytest.mark.parametrize(
    ("system", "place"),
    [("linux", "h/.cache/lentigo"), ("darwin", "h/Library/Caches/lentigo"),
     ("win32", "local/lentigo")],
)  # fmt: skip
def test_the_cache_lies_where_the_system_keeps_caches(
    system: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: Path("h"))
    monkeypatch.setenv("LOCALAPPDATA", "local")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert machine.cache_folder() == Path(place)
    monkeypatch.setenv("XDG_CACHE_HOME", "given")
    assert machine.cache_folder() == Path("given/lentigo")
