"""How many cores are taken, who goes first, and where the cache lies on each system."""

from __future__ import annotations

import os
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
