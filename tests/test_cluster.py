"""Work on a Ray cluster: the same answers as alone, whatever becomes of a machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from lentigo import cluster
from lentigo.cluster import check_place, on_ray
from lentigo.errors import ConfigError, LentigoError, RunError
from lentigo.imaging.store.build import open_store
from lentigo.inference.journal import journal_of
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save
from tests.ray_nodes import Nodes, ray_nodes

LENTIGO = (sys.executable, "-c", "from lentigo.cli.start import main; main()")

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed (pip install 'lentigo[ray]')"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, images of which one is broken, and a table of them."""
    folder = tmp_path_factory.mktemp("cluster")
    config = tiny_config(model__backbone="test_resnet", training__image_size=32)
    save(folder / "model", config=config)
    (folder / "images").mkdir()
    names = [f"{seed:03}" for seed in range(400)]
    for seed, name in enumerate(names):
        Image.fromarray(noise(24, seed)).save(folder / "images" / f"{name}.png")
    (folder / "images" / "007.png").write_bytes(b"broken")
    table = pd.DataFrame({"image_id": names, "melanoma": [n[-1] == "1" for n in names]})
    table["path"] = [str(folder / "images" / f"{name}.png") for name in names]
    table["path"] = table["path"].mask(table["image_id"] == "009")
    table.to_csv(folder / "table.csv", index=False)
    return folder


def run(place: Path, *words: str, **given: str) -> None:
    command = [*LENTIGO, *words]
    subprocess.run(command, cwd=place, env={**os.environ, **given}, check=True)


def predict(place: Path, out: str) -> list[str]:
    return [
        "predict", "model", "images", "table.csv", "--batch-size", "4", "--out", out,
    ]  # fmt: skip


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_cluster_that_is_not_to_be_had_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(LentigoError, match="no place of work called 'rays'"):
        check_place("rays")
    with pytest.raises(ConfigError, match="with --on ray only"):
        check_place("here", "127.0.0.1:1")
    monkeypatch.setattr(cluster, "find_spec", lambda name: object())
    with pytest.raises(RunError, match="No Ray cluster answers"):
        check_place("ray", f"127.0.0.1:{free_port()}")
    with pytest.raises(ConfigError, match="HOST:PORT"):
        check_place("ray", "nowhere")
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(LentigoError, match=r"needs Ray: pip install 'lentigo\[ray\]'"):
        check_place("ray")


def test_a_worker_of_another_version_or_without_the_folder_says_so() -> None:
    program = """
import pickle
from lentigo.cluster import work
from lentigo.version import __version__
answers = work("0", "/", 1, b""), work(__version__, "/no/such", 1, b"")
print(*map(pickle.loads, answers))
"""
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "not 0" in said
    assert "does not see the folder /no/such" in said


@needs_ray
def test_answers_come_in_order_over_loopback_and_errors_as_they_were() -> None:
    """The one test that starts Ray in every run of the suite, for 10 s."""
    before = len(listening())  # servers of other tests, which go on
    answers = on_ray(int, [*map(str, range(20)), "no number"])
    found = [next(answers)]
    assert len(listening()) > before + 3
    assert all(address.is_loopback for address in listening())
    with pytest.raises(ValueError, match="no number"):
        found.extend(answers)
    assert found == list(range(20))
    assert len(listening()) == before


def listening() -> list[IPv4Address | IPv6Address]:
    """Where processes that we started wait for others to connect."""
    return [
        getattr(found := ip_address(each.laddr.ip), "ipv4_mapped", None) or found
        for process in psutil.Process().children(recursive=True)
        for each in process.net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    ]


@needs_ray
@pytest.mark.slow  # a cluster of two nodes: a minute
def test_a_killed_node_loses_nothing_and_doubles_nothing(place: Path) -> None:
    run(place, *predict(place, "alone.csv"))
    run(place, "prepare", "table.csv", "--size", "32", "--out", "alone")
    with ray_nodes(2) as nodes:
        killed_while(nodes, place, predict(place, "ray.csv"))
        assert (place / "ray.csv").read_bytes() == (place / "alone.csv").read_bytes()
        nodes.add()
        prepare = ["prepare", "table.csv", "--size", "32", "--out", "ray"]
        killed_while(nodes, place, prepare)
        same_store(place / "ray", place / "alone")


@needs_ray
@pytest.mark.slow  # a cluster of two nodes: a minute
def test_what_was_begun_there_goes_on_here_and_the_reverse(place: Path) -> None:
    run(place, *predict(place, "alone.csv"))
    with ray_nodes(2) as nodes:
        for first, then in (([], ["--on", "ray"]), (["--on", "ray"], [])):
            out = place / f"half-{len(first)}.csv"
            words = predict(place, out.name)
            process = started(nodes, place, [*words, *first])
            wait_for(lambda: lines_in(journal_of(out)) > 10)  # noqa: B023
            process.kill()
            process.wait()
            done = lines_in(journal_of(out))
            assert 10 < done <= 201
            run(place, *words, "--resume", *then, **nodes.environment)
            assert out.read_bytes() == (place / "alone.csv").read_bytes()


def started(nodes: Nodes, place: Path, words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*LENTIGO, *words], cwd=place, env=nodes.environment)


def killed_while(nodes: Nodes, place: Path, words: list[str]) -> None:
    """Kill a node in the middle of a command, which has to end well."""
    process = started(nodes, place, [*words, "--on", "ray"])
    assert nodes.kill_one() > 1  # a worker of Ray, and what decodes for it
    assert process.poll() is None
    assert process.wait(timeout=300) == 0


def same_store(one: Path, other: Path) -> None:
    first, second = open_store(one), open_store(other)
    assert np.array_equal(first.images[:], second.images[:])
    pd.testing.assert_frame_equal(first.index, second.index)
    assert (one / "table.parquet").read_bytes() == (other / "table.parquet").read_bytes()
    assert len(first.failed) == 2


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(what: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)
