"""Start a worker process that computes networks, ask it, and replace it when it dies."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ExchangedError, LentigoError, ModelError, RunError
from lentigo.explanation.served import Examined, Wish
from lentigo.inference.served import Question, Reply
from lentigo.inference.squares import Square
from lentigo.isolated import command, could_not_start, environment
from lentigo.models.backend import Preparation
from lentigo.models.operating_point import (
    OperatingPoint,
    read_points,
    unread_points,
    unread_said,
)
from lentigo.models.schema import Description
from lentigo.progress import log

_CODE = "from lentigo.service.worker_process import main\nmain()"
_LONGEST_REMARKS = 1_000_000
"""Most bytes kept of the worker's standard error; beyond them it is emptied."""
_START_SECONDS = 300.0
"""Time limit for loading all models; torch alone takes some seconds on a busy disk."""


Ways = dict[Preparation, Sequence[Square]]
"""Squares of some images, one list for each `Preparation`."""


class WorkerDiedError(Exception):
    """The worker process ended, or was killed after the time limit, while it computed."""


class UnexplainedError(Exception):
    """An image could not be explained, through no fault of the request."""


class RefusedError(Exception):
    """The model cannot answer a request as it stands; the message says why."""


@dataclass(frozen=True)
class Place:
    """A model to be loaded: its name and its folder."""

    name: str
    folder: Path
    """Model folder or run folder."""


@dataclass(frozen=True)
class Hosted:
    """A model as a worker has loaded it."""

    name: str
    version: str
    """Digest of the model, which changes with its weights, calibration or thresholds."""
    index: int
    """Its number among the models of the worker."""
    engine: str
    networks: int
    """Number of networks."""
    abstains: bool
    """Whether it has a limit of abstention."""
    prevalence: float | None
    """Share of melanoma that the model's probabilities are meant for; None if unknown."""
    diagnoses: tuple[str, ...]
    """The diagnoses besides melanoma that it gives probabilities of."""
    points: tuple[OperatingPoint, ...]
    """The operating points that are stored with it."""
    ways: tuple[Preparation, ...]
    """All ways in which its networks need an image to be made square."""
    folders: tuple[Path, ...]
    """The model folders, one for each ensemble."""
    description: Description
    """What the first of them said when the model was loaded."""
    metadata: tuple[str, ...] = ()
    """Which of age, sex and site at least one of its networks takes."""

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the names of its operating points that cannot be read."""
        return tuple(unread_points(self._entries))

    @property
    def unread_said(self) -> str:
        """Return sentences about them; empty if there are none."""
        return unread_said(self._entries)

    @property
    def _entries(self) -> list[dict[str, Any]]:
        # Of the mean of several model folders no operating point is used.
        return self.description.operating_points if len(self.folders) == 1 else []


class Worker:
    """A process that has loaded all models and computes one batch after another.

    `start`, `ask` and `examine` block; only one thread at a time may call them. Any thread
    may call `end`.
    """

    def __init__(self, places: Sequence[Place], *, engine: str, seconds: float) -> None:
        self._places, self._engine, self._seconds = tuple(places), engine, seconds
        self._process: subprocess.Popen[bytes] | None = None
        # Opened to append, so that writing goes on correctly after the file was emptied.
        self._remarks = tempfile.TemporaryFile("a+b")  # noqa: SIM115
        self._ended = False
        self._clock: _Clock | None = None
        self._versions: list[str] = []
        self.starts = 0
        """Number of starts; each but the first replaced a process that had died."""
        self._loading_since: float | None = None
        self._load_seconds = 0.0

    @property
    def pid(self) -> int | None:
        """Return the process id; None without a process."""
        return self._process.pid if self._process else None

    def has_died(self) -> bool:
        """Tell whether no process runs: it has ended, or was not started."""
        return self._process is None or self._process.poll() is not None

    @property
    def load_seconds(self) -> float:
        """Return how long the last start took until the models were loaded, in seconds."""
        return self._load_seconds

    @property
    def seconds_until_ready(self) -> float:
        """Return the expected seconds until it can compute; 0 while a process is ready.

        A start is expected to take as long as the last one did.
        """
        since = self._loading_since
        if since is not None:
            return max(1.0, self._load_seconds - (time.monotonic() - since))
        return max(1.0, self._load_seconds) if self.has_died() else 0.0

    def start(self) -> list[Hosted]:
        """Start the process, in place of an earlier one, and return the models it loaded.

        Raises `ExchangedError` if the folders no longer hold the models of the first start,
        `LentigoError` if a model cannot be loaded, and `RunError` if the process ends
        before it has loaded the models.
        """
        begun = self._loading_since = time.monotonic()
        try:
            hosted = self._started()
        finally:
            self._loading_since = None
        self._load_seconds = time.monotonic() - begun
        return hosted

    def _started(self) -> list[Hosted]:
        self._drop()
        models = [{"name": p.name, "folder": str(p.folder)} for p in self._places]
        job = json.dumps({"engine": self._engine, "models": models})
        # A session of its own, so that Ctrl-C reaches us alone and we end it in order.
        self._process = subprocess.Popen(
            command(_CODE, job),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._remarks,
            env=environment(),
            start_new_session=True,
        )
        self.starts += 1
        with self._watched(_START_SECONDS):
            line = self._pipe(self._process.stdout).readline()
        if not line:
            raise self._why_not_started()
        said = json.loads(line)
        if "error" in said:
            self._drop()
            raise ModelError(said["error"])
        versions = [facts["version"] for facts in said["models"]]
        if versions != (self._versions or versions):
            self._drop()
            raise ExchangedError("A model was changed since it was loaded; try again.")
        self._versions = versions
        return [
            _hosted(place, number, facts)
            for number, (place, facts) in enumerate(
                zip(self._places, said["models"], strict=True)
            )
        ]

    def ask(
        self,
        model: int,
        questions: Sequence[Question],
        squares: Ways,
    ) -> list[Reply]:
        """Return the predictions for some requests; see `lentigo.inference.served.answer`.

        `model` is `Hosted.index`. Raises `RefusedError` for a request that makes no sense,
        `ModelError` if the model fails, and `WorkerDiedError` if the process dies
        meanwhile; after these two a new process is needed, which the next call starts.
        """
        asked = {"questions": [asdict(each) for each in questions]}
        said = self._said(model, asked, squares)
        if "failed" in said:
            log.error(
                "A model failed: %s", said["failed"]
            )  # it names folders of the server
            self._drop()
            raise ModelError("The model could not answer; try again.")
        if "refused" in said:
            raise RefusedError(said["refused"])
        return [Reply(**each) for each in said["replies"]]

    def examine(
        self, model: int, wish: Wish, squares: Ways, picture: NDArray[np.uint8]
    ) -> Examined:
        """Explain one image; see `lentigo.explanation.served.Examiner.examine`.

        Raises `RefusedError` for a method that the model does not allow, `ExchangedError`
        if its folder was changed, `UnexplainedError` if the explanation failed, and
        `WorkerDiedError` if the process dies meanwhile.
        """
        asked = {"wish": asdict(wish), "picture": picture.shape[:2]}
        said = self._said(model, asked, squares, picture)
        if "refused" in said:
            raise RefusedError(said["refused"])
        if "failed" in said:  # it may name folders of the server
            log.error("An explanation failed: %s", said["failed"])
            raise UnexplainedError("The server could not explain it; its log says why.")
        return Examined(**said["examined"])

    def end(self) -> None:
        """Kill the process for good; later calls of `ask` raise `WorkerDiedError`."""
        self._ended = True
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Kill the process for good, and free its pipes and files."""
        self._ended = True
        self._drop()
        self._remarks.close()

    def _said(
        self, model: int, asked: dict[str, Any], squares: Ways, *more: NDArray[np.uint8]
    ) -> dict[str, Any]:
        if self._ended:
            raise WorkerDiedError("The worker was ended.")
        if self._process is None:
            self.start()
        ways = [{**asdict(way), "count": len(s)} for way, s in squares.items()]
        line = json.dumps({"model": model, **asked, "ways": ways}).encode() + b"\n"
        pixels = [square for found in squares.values() for square in found]
        line = self._exchange(line, [*pixels, *more])
        if not line.endswith(b"\n"):
            raise WorkerDiedError(self._why_died())
        if os.fstat(self._remarks.fileno()).st_size > _LONGEST_REMARKS:
            os.ftruncate(self._remarks.fileno(), 0)
        said: dict[str, Any] = json.loads(line)
        if "exchanged" in said:
            raise ExchangedError("The model was changed since it was loaded; try again.")
        return said

    def _exchange(self, line: bytes, pixels: Sequence[NDArray[np.uint8]]) -> bytes:
        process = self._process
        if process is None:
            return b""
        with self._watched(self._seconds), suppress(OSError):
            pipe = self._pipe(process.stdin)
            pipe.write(line)
            for each in pixels:
                pipe.write(each.tobytes())
            pipe.flush()
            return self._pipe(process.stdout).readline()
        return b""

    def _watched(self, seconds: float) -> _Clock:
        self._clock = _Clock(self._process, seconds)
        return self._clock

    def _why_not_started(self) -> LentigoError:
        code = self._process.wait() if self._process else 0
        self._remarks.seek(0)
        text = self._remarks.read()[-2000:].decode(errors="replace")
        self._drop()
        if self._clock and self._clock.killed:
            return RunError(
                f"The process that computes had not loaded the models after "
                f"{self._clock.seconds:g} seconds and was ended. Give the same command "
                "again when the machine has less to do."
            )
        return could_not_start(text) or RunError(
            f"The process that computes ended while it started (exit code {code}). Give "
            "the same command again; if it stays so, try the model with 'lentigo predict'."
        )

    def _why_died(self) -> str:
        """Remove the process that ended, and return by what: a signal, or a kind of error.

        Where we killed it ourselves, it was too slow; signal 9 alone is the mark of a
        system without memory.
        Of an error only the kind is told: its message may hold what a request said.
        """
        process = self._process
        code = process.poll() if process else None
        if process and code is None:  # it has closed its pipe and is about to end
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(1)
        self._remarks.seek(0)
        last = self._remarks.read()[-2000:].decode(errors="replace").strip()
        self._drop()
        if self._clock and self._clock.killed:
            return f"after {self._clock.seconds:g} seconds without an answer"
        if code is not None and code < 0:
            return f"by signal {-code}"
        kind = re.match(r"[\w.]+(Error|Exception)\b", last.splitlines()[-1] if last else "")
        return f"by {kind.group()}" if kind and code == 1 else f"with exit code {code}"

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                self._pipe(pipe).close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("A worker has no pipes.")
        return pipe


class _Clock:
    """Context manager that kills a process if the block takes longer than `seconds`."""

    def __init__(self, process: subprocess.Popen[bytes] | None, seconds: float) -> None:
        self.seconds = seconds
        self.killed = False
        """Whether the time was up and the process, which still ran, was killed."""
        self._process = process
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _kill(self) -> None:
        if self._process and self._process.poll() is None:
            self.killed = True
            self._process.kill()


def _hosted(place: Place, index: int, facts: dict[str, Any]) -> Hosted:
    return Hosted(
        name=place.name,
        version=facts["version"],
        index=index,
        engine=facts["engine"],
        networks=facts["networks"],
        abstains=facts["abstains"],
        prevalence=facts["prevalence"],
        diagnoses=tuple(facts["diagnoses"]),
        points=read_points(facts["points"]),
        ways=tuple(Preparation(**way) for way in facts["ways"]),
        folders=tuple(map(Path, facts["folders"])),
        description=Description.model_validate(facts["description"]),
        metadata=tuple(facts["metadata"]),
    )
