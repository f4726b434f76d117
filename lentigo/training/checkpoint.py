"""Where a run stands: weights, optimiser and history in one file, whole or not there.

All randomness is decided by seed, epoch and place (see `training.data`), so no state of a
random generator has to be kept.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lentigo.errors import RunError
from lentigo.files import written_beside

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
    """What `save_checkpoint` wrote; loading it runs no code from the file."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile, EOFError) as error:
        raise RunError(
            f"{path} is no checkpoint that can be read ({type(error).__name__}). Delete it "
            "to train this fold again from the start."
        ) from error
    return state
