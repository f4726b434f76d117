"""Checkpoints: the weights, optimiser and history of a training in one file.

The file is written atomically. Which images are drawn, and how they are augmented, depends
only on seed, epoch and place in the epoch (see `training.data`), so a checkpoint between
epochs holds no state of a random generator.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lentigo.errors import RunError, UnreadableFileError
from lentigo.files import opened, written_beside

Row = dict[str, float | int | bool]


@dataclass
class Progress:
    """The finished epochs of a training."""

    epoch: int = 0
    """Number of finished epochs."""
    history: list[Row] = field(default_factory=list)
    """One row for each finished epoch, as in `metrics.csv`."""
    best_epoch: int = 0
    """The epoch, counted from 1, whose weights were best; 0 before an epoch is finished."""


def save_checkpoint(path: Path, progress: Progress, state: dict[str, Any]) -> None:
    """Write `progress` and the `state` of a trainer to `path`, atomically.

    The file is read back before it takes the place of the checkpoint before it, which is
    kept as `previous_of(path)`.

    Raises `RunError` if the disk is full, or gives back other bytes than were written.
    """
    # Through memory, since torch hides a full disk behind an error of its own.
    buffer = io.BytesIO()
    torch.save({"progress": vars(progress), **state}, buffer)
    with written_beside(path) as temporary:
        with temporary.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        _check_written(temporary, path)
        if path.is_file():
            path.replace(previous_of(path))


def previous_of(path: Path) -> Path:
    """Return the path of the checkpoint before the one at `path`."""
    return path.with_suffix(f".previous{path.suffix}")


def _check_written(temporary: Path, path: Path) -> None:
    try:
        _check_stored(temporary)
    except (OSError, zipfile.BadZipFile, UnreadableFileError) as error:
        raise RunError(
            f"{path} was not written well ({error}), so the checkpoint before it stays. "
            "The disk may be broken; try another one."
        ) from error


def load_checkpoint(path: Path) -> tuple[Progress, dict[str, Any]]:
    """Read the progress and the state that `save_checkpoint` wrote.

    Loading runs no code from the file. Raises `RunError` if the file cannot be read or is
    not a checkpoint.
    """
    try:
        _check_stored(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError,
            pickle.UnpicklingError, zipfile.BadZipFile, EOFError) as error:  # fmt: skip
        told = isinstance(error, UnreadableFileError)
        raise no_checkpoint(path, str(error) if told else type(error).__name__) from error
    if not isinstance(state, dict) or not isinstance(state.get("progress"), dict):
        raise no_checkpoint(path, "it holds something else")
    progress = state.pop("progress")
    if not _is_progress(progress):
        raise no_checkpoint(path, "it does not say how far the run is")
    return Progress(**progress), state


def _check_stored(path: Path) -> None:
    """Raise `UnreadableFileError` if a part of the file is compressed or damaged.

    torch compresses nothing; a compressed part could fill the memory when unpacked.
    """
    with opened(path) as file, zipfile.ZipFile(file) as parts:
        listed = parts.infolist()
        if any(part.compress_type != zipfile.ZIP_STORED for part in listed):
            raise UnreadableFileError("its parts are packed")
        if sum(part.file_size for part in listed) > path.stat().st_size:
            raise UnreadableFileError("its parts are larger than the file")
        if (damaged := parts.testzip()) is not None:  # torch does not compare checksums
            raise UnreadableFileError(f"{damaged} is damaged")


def no_checkpoint(path: Path, reason: str) -> RunError:
    """Build the error to raise for a checkpoint from which a training cannot continue."""
    return RunError(
        f"{path} is no checkpoint of this run that can be read ({reason}). Delete it to "
        "train this fold again from the start."
    )


def _is_progress(found: dict[Any, Any]) -> bool:
    if set(found) != {"epoch", "history", "best_epoch"}:
        return False
    epoch, history, best = found["epoch"], found["history"], found["best_epoch"]
    if not (isinstance(epoch, int) and isinstance(best, int) and isinstance(history, list)):
        return False
    return 0 <= best <= epoch == len(history) and all(map(_is_row, history))


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(row.get(name), float) for name in ("validation_loss", "validation_auc")
    )
