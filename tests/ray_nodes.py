"""Ray clusters of processes of this machine, on loopback, a node of which can be killed.

Ray is driven by a process of its own (`python -m tests.ray_nodes COUNT`), which is told
line by line what to do and ends with its standard input.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

from lentigo.cluster import ALONE

SETTINGS = {
    **ALONE,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "a" * 64,
}


@dataclass(frozen=True)
class Nodes:
    """A cluster that runs."""

    process: subprocess.Popen[str]
    address: str

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs in order to work there."""
        return {**os.environ, **SETTINGS, "RAY_ADDRESS": self.address}

    def add(self) -> None:
        """Start one more node of one core."""
        self._tell("add")

    def kill_one(self, *, decoding: bool = True) -> int:
        """Kill all processes of the last node, while it decodes; return how many."""
        return int(self._tell("kill" if decoding else "kill now"))

    def _tell(self, word: str) -> Any:
        print(word, file=self.process.stdin, flush=True)
        return _answer(self.process)


@contextmanager
def ray_nodes(count: int, *, pinned: bool = False) -> Iterator[Nodes]:
    """Start a cluster of so many nodes of one core; end it with the block.

    Pinned nodes have a core each, and no more, as machines would.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ray_nodes", str(count), str(int(pinned))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **SETTINGS},
        text=True,
    )
    try:
        yield Nodes(process, str(_answer(process)))
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(timeout=60)
        process.stdout.close()  # type: ignore[union-attr]


def _answer(process: subprocess.Popen[str]) -> Any:
    return json.loads(process.stdout.readline())  # type: ignore[union-attr]


def main() -> None:
    """Serve a cluster until standard input ends."""
    from ray.cluster_utils import Cluster

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints
    node = {"num_cpus": 1, "object_store_memory": 200_000_000, "include_dashboard": False}
    cluster: Any = Cluster(initialize_head=True, head_node_args=node)
    nodes = [cluster.head_node]
    nodes += [cluster.add_node(**node) for _ in range(1, int(sys.argv[1]))]
    for core, each in enumerate(nodes if int(sys.argv[2]) else []):
        os.sched_setaffinity(_raylet(each), {core})
    _say(out, cluster.address)
    for line in sys.stdin:
        if line.strip() == "add":
            nodes.append(cluster.add_node(**node))
            _say(out, "added")
        else:
            killed = nodes.pop()
            _say(out, _kill(killed, decoding=line.strip() == "kill"))
            cluster.remove_node(killed, allow_graceful=False)
    cluster.shutdown()


def _say(out: Any, answer: Any) -> None:
    print(json.dumps(answer), file=out, flush=True)


def _raylet(node: Any) -> int:
    (raylet,) = node.all_processes["raylet"]
    return int(raylet.process.pid)


def _kill(node: Any, *, decoding: bool) -> int:
    root = psutil.Process(_raylet(node))
    while decoding and not any("_process import main" in each for each in _commands(root)):
        time.sleep(0.02)
    found = [root, *root.children(recursive=True)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    return len(found)


def _commands(root: psutil.Process) -> Iterator[str]:
    for process in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            yield " ".join(process.cmdline())


if __name__ == "__main__":
    main()
