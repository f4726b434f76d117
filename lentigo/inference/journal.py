"""The journal of a prediction: what is done already, so that a killed one can go on.

A line of JSON is a batch: its place, its logits and its reasons. It is added when the batch
was computed, and the whole file goes when the table was written. Batches begin where they
did before, so what is computed after a kill is what would have been, to the bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lentigo.errors import LentigoError, RunError
from lentigo.files import cannot_write, locked, opened
from lentigo.inference.inputs import Source
from lentigo.models.backend import Logits
from lentigo.run_layout import UNFINISHED
from lentigo.words import counted

_HEAD = 4096
"""Bytes that the first line may have."""


@dataclass(frozen=True)
class Done:
    """One batch that was computed."""

    start: int
    """Place of its first image among all."""
    logits: Logits
    """(rows, N): one column an image, NaN where it has none; see `Answers.logits`."""
    reasons: dict[int, str]
    """By the place among all."""


@dataclass(frozen=True)
class Task:
    """The images to predict, batch by batch."""

    digest: str
    """Tells one prediction from another; see `task_of`."""
    images: int
    batch_size: int
    engine: str = ""
    """What computes; `--resume` keeps to it."""
    rows: int = 1
    """How many numbers an image has."""

    def goes_on_with(self, batch: Done, number: int) -> bool:
        """Tell whether `batch` is the one of that number, whole."""
        start = number * self.batch_size
        columns = min(self.batch_size, self.images - start)
        return batch.start == start and batch.logits.shape == (self.rows, columns)


class Journal:
    """The batches of one prediction, in a file beside its table."""

    def __init__(self, out: Path, task: Task, *, resume: bool) -> None:
        """Start the journal of `out`, or go on with it.

        Raises `RunError` where another process writes it, where it is of another
        prediction, and, unless `resume`, where there is one.
        """
        self.path = journal_of(out)
        self.done: list[Done] = []
        there = self.path.exists()
        if there and not self.path.is_file():
            raise RunError(
                f"{self.path} is no ordinary file; move it away, or give another --out."
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self.path.open("r+b" if there else "x+b")
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if not locked(self._file.fileno()):
            self._file.close()
            raise RunError(f"Another process is writing {out}; wait for it to end.")
        if there and not resume:
            self._file.close()
            raise RunError(
                f"{self.path} holds a prediction that was stopped. Give --resume to go on "
                "with it, or delete it."
            )
        try:
            if there:
                self._go_on(task)
            else:
                self._begin(task)
        except RunError:
            self.close()
            raise

    def _begin(self, task: Task) -> None:
        self._write({"task": task.digest, "images": task.images, "engine": task.engine})

    def _go_on(self, task: Task) -> None:
        lines = self._file.read().split(b"\n")
        whole = [line for line in lines[:-1] if line]
        head = _parsed(whole[0]) if whole else {}
        if whole and head.get("task") != task.digest:
            self._file.close()
            raise RunError(
                f"{self.path} is of another prediction: the model, the images or the "
                "options were others. Give those again, or delete it."
            )
        kept = whole[:1]
        for line in whole[1:]:
            batch = _batch(_parsed(line))
            # A line that a power cut spoilt; it and what follows are computed again.
            if batch is None or not task.goes_on_with(batch, len(self.done)):
                break
            self.done.append(batch)
            kept.append(line)
        length = sum(len(line) + 1 for line in kept)
        self._file.truncate(length)
        self._file.seek(length)
        if not kept:
            self._begin(task)

    def add(self, batch: Done) -> None:
        """Note a batch that was computed."""
        logits = [
            [None if value != value else value for value in row]
            for row in batch.logits.tolist()
        ]
        reasons = {str(place): reason for place, reason in batch.reasons.items()}
        self._write({"start": batch.start, "logits": logits, "reasons": reasons})
        self.done.append(batch)

    def _write(self, content: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(content).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Leave the journal for `--resume`; one without a batch goes."""
        if not self.done and not self._file.closed:
            self.path.unlink(missing_ok=True)
        self._shut()

    def finish(self) -> None:
        """Remove the journal: its table was written."""
        self.path.unlink(missing_ok=True)
        self._shut()

    def _shut(self) -> None:
        # What a full disk did not take is tried once more, and has been complained of.
        with suppress(OSError):
            self._file.close()

    def progress(self) -> str:
        """Say how many images are done."""
        return counted(sum(batch.logits.shape[-1] for batch in self.done), "image")


def journal_of(out: Path) -> Path:
    """Return where the journal of the table `out` lies."""
    return out.with_name(out.name + UNFINISHED)


def engine_of(out: Path) -> str:
    """Return the engine that the journal of `out` was begun with; empty if not known."""
    try:
        with opened(journal_of(out)) as file:
            found = _parsed(file.readline(_HEAD)).get("engine")
    except (OSError, LentigoError):
        return ""
    return found if isinstance(found, str) else ""


def task_of(sources: Sequence[Source], parts: Iterable[str], *, batch_size: int) -> Task:
    """Return what is predicted, and by what: `parts` name the model and the options.

    A file that was replaced since has another size or time, and so another digest.
    """
    found = hashlib.sha256("\n".join([*parts, str(batch_size)]).encode())
    for source in sources:
        known = (
            f"{source.image_id}\t{source.path}\t{source.group_id}\t{_facts(source.path)}"
        )
        found.update(known.encode("utf-8", "backslashreplace") + b"\n")
        if source.image is not None:
            found.update(source.image.tobytes())
    return Task(found.hexdigest(), len(sources), batch_size)


def _facts(path: Path | None) -> str:
    try:
        facts = path.stat() if path is not None else None
    except (OSError, ValueError):
        return ""
    return f"{facts.st_size} {facts.st_mtime_ns}" if facts else ""


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _batch(found: dict[str, Any]) -> Done | None:
    try:
        logits = np.array(found["logits"], dtype=np.float64)
        reasons = {int(place): str(why) for place, why in found["reasons"].items()}
        return Done(int(found["start"]), logits, reasons)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
