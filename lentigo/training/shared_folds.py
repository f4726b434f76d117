"""Train the folds of a prepared run on a Ray cluster, each fold as a task of its own."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lentigo.cluster import check_place, is_alone, on_ray
from lentigo.config import Config, read_config
from lentigo.errors import ConfigError
from lentigo.machine import cores
from lentigo.progress import log
from lentigo.run_layout import RunLayout
from lentigo.training.arithmetic import read_arithmetic
from lentigo.training.ensemble import train_fold
from lentigo.training.fabric import make_fabric
from lentigo.training.prepare import prepared
from lentigo.words import counted


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster whose machines see the run folder and the pixel store."""

    address: str | None = None
    """HOST:PORT; None for `RAY_ADDRESS`, or for a cluster of this machine alone."""


@dataclass(frozen=True)
class FoldTask:
    """One fold of one repeat of a prepared run."""

    out: Path
    """The run folder, as an absolute path."""
    repeat: int
    number: int


def cluster_of(on: str, address: str | None, config: Config) -> Cluster | None:
    """Return the cluster that trains the folds; None if they are trained here.

    Raises `ConfigError` for several devices, which one fold would share, and what
    `lentigo.cluster.check_place` raises.
    """
    check_place(on, address)
    if on == "here":
        return None
    if config.training.devices * config.training.nodes > 1:
        raise ConfigError(
            "--on ray trains each fold on one device of the cluster: leave --devices and "
            "--nodes out."
        )
    return Cluster(address)


def train_shared(cluster: Cluster, config: Config, out: Path, *, folds: int) -> None:
    """Train all folds of the run folder `out` that are not trained yet, on `cluster`.

    Each fold has a device of its own: a GPU if the run uses one, with its share of the
    machine's cores, else the cores of this machine divided by the folds (in a cluster of
    this machine alone) or those of a whole machine. A fold whose machine is lost is begun
    on another one from its checkpoint.

    Raises `RunError` where the cluster cannot be reached, and what the training of a fold
    raises.
    """
    layout = RunLayout(out.resolve())
    tasks = [
        FoldTask(layout.folder, repeat, number)
        for repeat in range(config.split.repeats)
        for number in range(folds)
        if not layout.fold(number, repeat).predictions.is_file()
    ]
    if not tasks:
        return
    log.info("%s to train on the Ray cluster.", counted(len(tasks), "fold"))
    gpus = int((read_arithmetic(out).device or "").startswith("cuda"))
    # On GPUs the cores of a machine are divided by its GPUs (`on_ray`).
    together = len(tasks) if is_alone(cluster.address) and not gpus else 1
    threads = max(1, cores() // together)
    answers = on_ray(train_one, tasks, address=cluster.address, threads=threads, gpus=gpus)
    try:
        with closing(answers) as names:
            for done, name in enumerate(names, 1):
                log.info("%s is trained (%d of %d).", name, done, len(tasks))
    except KeyboardInterrupt as stop:
        raise type(stop)(
            "Stopped; each fold is saved as it was after its last epoch. The same command "
            "with --resume goes on from there."
        ) from None


def train_one(task: FoldTask) -> str:
    """Train the networks of one fold, from their checkpoints if there are any.

    Returns the name of the fold. Called in a worker process of the cluster.
    """
    config = read_config(RunLayout(task.out).config)
    fabric = make_fabric(config.training, read_arithmetic(task.out))
    fabric.launch()
    work = prepared(config, task.out).of_repeat(task.repeat)
    train_fold(fabric, work, config.of_repeat(task.repeat), task.number)
    return work.layout(task.number).name
