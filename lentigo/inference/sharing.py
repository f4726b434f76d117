"""Messages between this machine and the machines of a cluster that predict for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from lentigo.cluster import check_place, on_ray
from lentigo.errors import ConfigError, RunError
from lentigo.files import as_text
from lentigo.imaging.decoding import packed
from lentigo.inference.inputs import Source
from lentigo.inference.journal import Done
from lentigo.machine import cores
from lentigo.models.description import read_description
from lentigo.progress import track
from lentigo.words import some

_AT_ONCE = 8
"""Batches per `Part`: for each part, decoding processes are started anew, in 0.5 s."""

Part = tuple[int, Sequence[Source]]
"""Images that one machine computes at a time: position of the first, and the images."""


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that computes predictions."""

    address: str | None = None
    """HOST:PORT. None for the address in RAY_ADDRESS, or without it a local cluster of this
    machine's cores."""


@dataclass(frozen=True)
class Asked:
    """The model and options of a prediction, the same for all its images."""

    folders: tuple[Path, ...]
    """The model folders."""
    digests: tuple[str, ...]
    """SHA-256 of the model's files, which must be the same on each machine."""
    engine: str
    """Engine that computes the networks; see `lentigo.models.engines.ENGINES`."""
    views: int | None
    """Number of views of each image; None: as each network was judged."""
    batch_size: int


@dataclass(frozen=True)
class Answer:
    """Batches computed by a machine of the cluster, and the paths without a file there."""

    done: list[Done]
    unseen: list[str]


def cluster_of(on: str, address: str | None, device: str) -> Cluster | None:
    """Return the `Cluster` at `address` for `on="ray"`; None for `on="here"`.

    Raises what `lentigo.cluster.check_place` and `check_cluster_device` raise.
    """
    check_place(on, address)
    if on == "here":
        return None
    check_cluster_device(device)
    return Cluster(address)


def check_cluster_device(device: str) -> None:
    """Raise `ConfigError` unless `device` is `auto` or `cpu`: a cluster uses processors."""
    if device not in {"auto", "cpu"}:
        raise ConfigError(
            f"--on ray computes on processors; --device {device} is for --on here."
        )


def asked_of(
    folders: Sequence[Path], engine: str, views: int | None, batch_size: int
) -> Asked:
    """Return the `Asked` message for a prediction by the model `folders`."""
    return Asked(tuple(folders), _digests(folders), engine, views, batch_size)


def check_same_model(asked: Asked) -> None:
    """Raise `RunError` if the model files on this machine of the cluster differ."""
    if _digests(asked.folders) != asked.digests:
        raise RunError(
            f"A machine of the cluster has another model in {asked.folders[0]}. Put it on "
            "storage that all of them share."
        )


def _digests(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the digests of all files that the descriptions of model folders name."""
    return tuple(
        each.sha256 for place in folders for each in read_description(place).files.values()
    )


def threads_of(engines: set[str]) -> int:
    """Return how many threads each network takes in the cluster.

    With as many threads as in this process, the cluster's answers are the same to the bit:
    the last bit of torch's answers depends on the number of threads. With ONNX Runtime and
    OpenVINO it did not (1 or 2 threads, 4 networks, 40 images), so they get one thread.
    """
    if "torch" not in engines:
        return 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else cores()


def done_there(
    cluster: Cluster,
    answer: Callable[[Part], Answer],
    parts: Sequence[Part],
    *,
    threads: int,
) -> Iterator[Done]:
    """Yield the batches of `parts`, in their order, computed by `answer` on a cluster.

    Raises `RunError` if a machine does not see an image file that exists on this one.
    """
    answers = on_ray(answer, parts, address=cluster.address, threads=threads)
    with closing(answers):
        for found in track(answers, total=len(parts), label="Looking at images"):
            _check_seen(found.unseen)
            yield from found.done


def parts_of(sources: Sequence[Source], start: int, batch_size: int) -> list[Part]:
    """Return the images from position `start` on, in parts of 8 batches."""
    step = batch_size * _AT_ONCE
    places = range(start, len(sources), step)
    return [(place, sources[place : place + step]) for place in places]


def answer_of(done: Iterator[Done], start: int, sources: Sequence[Source]) -> Answer:
    """Return the batches `done` of a part, and the files that this machine does not see.

    Positions in `done` count from the part's first image; those returned count from the
    first image of the prediction, of which the part's first image has position `start`.
    """
    moved = [
        replace(
            each,
            start=start + each.start,
            reasons={start + place: why for place, why in each.reasons.items()},
        )
        for each in done
    ]
    paths = [source.path for source in sources if source.path is not None]
    return Answer(moved, [as_text(path) for path in paths if not _is_there(path)])


def _check_seen(paths: Sequence[str]) -> None:
    """Raise `RunError` for files that exist here and were not seen in the cluster."""
    if hidden := [path for path in paths if _is_there(Path(path))]:
        raise RunError(
            f"A machine of the cluster does not see {some(hidden)}. Put the images on "
            "storage that all of them share, under the same path."
        )


def _is_there(path: Path) -> bool:
    return path.exists() or packed.is_there(str(path))
