"""Messages between this machine and those of a cluster that predict."""

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
"""Batches a question: the processes that decode are started anew for each, 0.5 s."""

Part = tuple[int, Sequence[Source]]
"""The place of the first of some images, whole batches, and the images."""


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that works for us."""

    address: str | None = None
    """HOST:PORT; None for what RAY_ADDRESS says, else one of this machine's cores."""


@dataclass(frozen=True)
class Asked:
    """The options that are the same for all images of a prediction."""

    folders: tuple[Path, ...]
    digests: tuple[str, ...]
    """Of the files of the model, which have to be the same there."""
    engine: str
    views: int | None
    batch_size: int


@dataclass(frozen=True)
class Answer:
    """Batches that were computed, and the paths where there was no file."""

    done: list[Done]
    unseen: list[str]


def cluster_of(on: str, address: str | None, device: str) -> Cluster | None:
    """Return the cluster that is asked for by `on="ray"`; None for this process.

    Raises what `lentigo.cluster.check_place` raises where there is none.
    """
    check_place(on, address)
    if on == "here":
        return None
    check_cluster_device(device)
    return Cluster(address)


def check_cluster_device(device: str) -> None:
    """Refuse with `ConfigError` a device that a cluster is not asked for."""
    if device not in {"auto", "cpu"}:
        raise ConfigError(
            f"--on ray computes on processors; --device {device} is for --on here."
        )


def asked_of(
    folders: Sequence[Path], engine: str, views: int | None, batch_size: int
) -> Asked:
    """Return what a prediction by these model folders asks of the machines."""
    return Asked(tuple(folders), _digests(folders), engine, views, batch_size)


def check_same_model(asked: Asked) -> None:
    """Refuse, on one of the machines, a model that is another there."""
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
    """Return the threads of one network, so that its answers are those of this process.

    Those of torch depend on their number in the last bit. Those of ONNX Runtime and
    OpenVINO did not, with one thread and with two, for four networks on 40 images.
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
    """Yield the batches of `parts`, in order, computed by `answer` on a cluster."""
    answers = on_ray(answer, parts, address=cluster.address, threads=threads)
    with closing(answers):
        for found in track(answers, total=len(parts), label="Looking at images"):
            _check_seen(found.unseen)
            yield from found.done


def parts_of(sources: Sequence[Source], start: int, batch_size: int) -> list[Part]:
    """Return the images from `start` on, some whole batches a question."""
    step = batch_size * _AT_ONCE
    places = range(start, len(sources), step)
    return [(place, sources[place : place + step]) for place in places]


def answer_of(done: Iterator[Done], start: int, sources: Sequence[Source]) -> Answer:
    """Return the batches of a part that begins at `start`, as parts of the whole."""
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
    """Refuse files that are here and were not there."""
    if hidden := [path for path in paths if _is_there(Path(path))]:
        raise RunError(
            f"A machine of the cluster does not see {some(hidden)}. Put the images on "
            "storage that all of them share, under the same path."
        )


def _is_there(path: Path) -> bool:
    return path.exists() or packed.is_there(str(path))
