"""How many cores are taken, who goes first, and where the cache lies on each system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from lentigo import machine
from lentigo.inference.abstention.neighbours import Neighbours
from lentigo.models.index import Index


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


def blas_threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_products_of_a_block_take_one_thread_and_later_ones_as_many_as_before() -> None:
    with threadpool_limits(2, user_api="blas"):
        with machine.one_blas_thread():
            # numpy's own library; scipy, if it is loaded later, brings another one
            assert 1 in blas_threads()
        assert blas_threads() == {2}


class Watched:
    """An index that writes down how many threads compute when its numbers are asked for."""

    threads: set[int]

    def __getattr__(self, name: str) -> np.ndarray:
        self.threads = blas_threads()
        sides = {"features": (6, 3), "early_components": (2, 4), "components": (3, 4)}
        lengths = {"mean": 4, "early_mean": 4, "early_scale": 4, "early_spreads": 2}
        return np.ones(sides.get(name, lengths.get(name, 1)), np.float32)


@pytest.mark.parametrize(
    "work",
    [
        lambda index: Neighbours(index).nearest(np.ones((2, 3), np.float32), 2),
        lambda index: Index.reduced(index, np.ones((2, 4))),
        lambda index: Index.early_distance(index, np.ones((2, 4))),
    ],
)
def test_distances_of_few_images_are_not_divided_among_the_cores(work) -> None:  # type: ignore[no-untyped-def]
    with threadpool_limits(2, user_api="blas"):
        work(index := Watched())
    assert 1 in index.threads
