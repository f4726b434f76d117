"""Where a run stands: weights, optimiser and history in one file, whole or not there.

All randomness is decided by seed, epoch and place (see `training.data`), so no state of a
random generator has to be kept.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lentigo.errors import RunError, UnreadableFileError
from lentigo.files import opened, written_beside

Row = dict[str, float | int | bool]


@dataclass
class Progress:
    """How far a training is."""

    epoch: int = 0
    """Epochs that are finished."""
    history: list[Row] = field(default_factory=list)
    """One row a finished epoch, as in `metrics.csv`."""
    best_epoch: int = 0
    """The epoch whose weights are kept; 0 before the first."""


def save_checkpoint(
    path: Path,
    progress: Progress,
    *,
    model: nn.Module,
    average: nn.Module | None,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write everything that is needed to go on, beside and then renamed."""
    state: dict[str, Any] = {
        "progress": vars(progress),
        "model": model.state_dict(),
        "average": average.state_dict() if average is not None else None,
        "optimizer": optimizer.state_dict(),
    }
    # Through memory, since torch hides a full disk behind an error of its own.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with written_beside(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` wrote; loading it runs no code from the file.

    Raises `RunError` for what is no such file, or holds other things.
    """
    try:
        _check_stored(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        _check_content(state)
    except (
        RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError,
        TypeError, KeyError, AttributeError, IndexError, OSError, RecursionError,
        NotImplementedError,
    ) as error:  # fmt: skip
        reason = str(error) if isinstance(error, UnreadableFileError) else ""
        raise RunError(
            f"{path} is no checkpoint that can be read ({reason or type(error).__name__}). "
            "Delete it to train this fold again from the start."
        ) from error
    return state


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Turn what torch raises of weights that do not fit into a `RunError` about `path`."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} does not fit this training: it is of another network or optimiser. "
            f"Resume with the settings of config.yaml, or delete {path.name} to train this "
            "fold again from the start."
        ) from error


def _check_stored(path: Path) -> None:
    """Refuse what unpacks to more than it is: torch packs nothing."""
    with opened(path) as file, zipfile.ZipFile(file) as parts:
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts.infolist()):
            raise UnreadableFileError("its parts are packed")
        if sum(part.file_size for part in parts.infolist()) > path.stat().st_size:
            raise UnreadableFileError("its parts are larger than the file")


def _check_content(state: Any) -> None:
    if not isinstance(state, dict) or set(state) != _PARTS:
        raise UnreadableFileError("it holds other things than a checkpoint does")
    progress = state["progress"]
    whole = isinstance(progress, dict) and set(progress) == set(vars(Progress()))
    if not whole or not all(
        type(progress[name]) is type(value) for name, value in vars(Progress()).items()
    ):
        raise UnreadableFileError("it does not say how far the training was")
    if not all(isinstance(row, dict) and set(row) >= _ROW for row in progress["history"]):
        raise UnreadableFileError("an epoch of its history lacks what was measured")
    done = progress["epoch"]
    if done != len(progress["history"]) or not 0 <= progress["best_epoch"] <= done:
        raise UnreadableFileError("its history is not that of so many epochs")


_ROW = {"epoch", "validation_auc", "validation_loss"}
_PARTS = {"progress", "model", "average", "optimizer"}
