"""The journal of a prediction: the batches computed so far, so that it can be resumed.

The journal is a file of JSON lines. Each line is a batch: its position, logits and reasons.
A line is added when its batch was computed, and the file is removed when the table was
written. A resumed prediction has the same batches, so its results are the same to the bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lentigo.errors import LentigoError, RunError
from lentigo.files import cannot_write, locked, opened
from lentigo.imaging.decoding import packed
from lentigo.inference.inputs import Source
from lentigo.machine import give_back_memory
from lentigo.models.backend import Logits
from lentigo.run_layout import UNFINISHED
from lentigo.words import counted

_HEAD = 4096
"""Most bytes of the first line."""


@dataclass(frozen=True)
class Done:
    """One computed batch."""

    start: int
    """Position of its first image among all images."""
    logits: Logits
    """Outputs for the N images of the batch, (`Task.rows`, N), NaN for an image without
    them; see `Answers.logits`."""
    reasons: dict[int, str]
    """By position among all images, why an image has no outputs or is doubted."""


@dataclass(frozen=True)
class Task:
    """The identity and size of a prediction."""

    digest: str
    """Digest of model, images and options; see `task_of`."""
    images: int
    """Number of images."""
    batch_size: int
    engine: str = ""
    """Engine that computes the networks; a resumed prediction uses the same."""
    rows: int = 1
    """Number of outputs per image."""

    def goes_on_with(self, batch: Done, number: int) -> bool:
        """Tell whether `batch` is complete, and is batch `number` (from 0) of this task."""
        start = number * self.batch_size
        columns = min(self.batch_size, self.images - start)
        return batch.start == start and batch.logits.shape == (self.rows, columns)


class Journal:
    """The computed batches of one prediction, in a file beside its table."""

    def __init__(self, out: Path, task: Task, *, resume: bool) -> None:
        """Create the journal of the table `out`, or continue it with `resume`.

        Raises `RunError` if another process has it open, if it is of another prediction or
        cannot be written, or if it exists and `resume` is False.
        """
        self.path = journal_of(out)
        self.done: list[Done] = []
        self.when = datetime.now(UTC)
        """Time at which the prediction began; that of the first call if it is resumed."""
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
        self._write(
            {
                "task": task.digest, "images": task.images, "engine": task.engine,
                "when": self.when.isoformat(),
            }
        )  # fmt: skip

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
        self.when = _moment(head.get("when")) or self.when
        kept = whole[:1]
        for line in whole[1:]:
            batch = _batch(_parsed(line))
            # A damaged line: this batch and the following ones are computed again.
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
        """Add a computed batch to the journal.

        Raises `RunError` if the file cannot be written.
        """
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
        """Close the journal and keep it for `--resume`; delete it if it has no batch."""
        if not self.done and not self._file.closed:
            self.path.unlink(missing_ok=True)
        self._shut()

    def finish(self) -> None:
        """Close and delete the journal, since its table was written."""
        self.path.unlink(missing_ok=True)
        self._shut()

    def _shut(self) -> None:
        # Closing retries what a full disk refused, an error that was raised before.
        with suppress(OSError):
            self._file.close()

    def is_complete(self, images: int) -> bool:
        """Tell whether all of so many images are computed."""
        return self._computed() >= images

    def progress(self) -> str:
        """Return the number of computed images in words, such as "64 images"."""
        return counted(self._computed(), "image")

    def _computed(self) -> int:
        return sum(int(batch.logits.shape[-1]) for batch in self.done)


def journal_of(out: Path) -> Path:
    """Return the path of the journal of the table `out`."""
    return out.with_name(out.name + UNFINISHED)


def engine_of(out: Path) -> str:
    """Return the engine in the journal of the table `out`; empty if not known."""
    try:
        with opened(journal_of(out)) as file:
            found = _parsed(file.readline(_HEAD)).get("engine")
    except (OSError, LentigoError):
        return ""
    return found if isinstance(found, str) else ""


def task_of(sources: Sequence[Source], parts: Iterable[str], *, batch_size: int) -> Task:
    """Return the `Task` of a prediction; `parts` identify the model and the options.

    The digest of the task covers name, size and time of each image file (in a zip, its
    checksum, too), the ids of patient and lesion, and age, sex and site, so it changes if
    one of these does.
    """
    found = hashlib.sha256("\n".join([*parts, str(batch_size)]).encode())
    for source in sources:
        known = (
            f"{source.image_id}\t{source.path}\t{source.group_id}\t{_facts(source.path)}"
        )
        patient = (source.age, source.sex, source.site)
        if patient != (None, None, None):
            known += f"\t{patient}"
        if (source.patient_id, source.lesion_id) != (None, None):
            known += f"\t{source.dataset}\t{source.patient_id}\t{source.lesion_id}"
        found.update(known.encode("utf-8", "backslashreplace") + b"\n")
        if source.image is not None:
            found.update(source.image.tobytes())
    packed.close_all()  # the images are unpacked in other processes
    give_back_memory()
    return Task(found.hexdigest(), len(sources), batch_size)


def _facts(path: Path | None) -> str:
    if path is not None and packed.split(path):
        return "{} {}".format(*packed.mark(path))
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


def _moment(said: object) -> datetime | None:
    with suppress(TypeError, ValueError):
        found = datetime.fromisoformat(said)  # type: ignore[arg-type]
        return found if found.tzinfo is not None else None
    return None


def _batch(found: dict[str, Any]) -> Done | None:
    try:
        logits = np.array(found["logits"], dtype=np.float64)
        reasons = {int(place): str(why) for place, why in found["reasons"].items()}
        return Done(int(found["start"]), logits, reasons)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
