"""End a training for good when its network returns NaN or infinite values."""

from __future__ import annotations

import torch
from torch import Tensor

from lentigo.config import TrainConfig
from lentigo.errors import RunError
from lentigo.json_files import read_json, write_json
from lentigo.run_layout import FoldLayout


def diverged(
    layout: FoldLayout, config: TrainConfig, *, epoch: int, first: bool
) -> RunError:
    """Write that the training of a fold diverged, and return the `RunError` to raise.

    `epoch` is the first one, counted from 1, with a NaN or infinite answer. Only the
    `first` process of several that train together writes `layout.diverged`.
    """
    rate = config.learning_rate
    less = min(rate / 10, 1e-3)
    message = (
        f"{layout.name} diverged: from epoch {epoch} on the network answers what is "
        f"no number (NaN or infinite), at a learning rate of {rate:g}. Train anew into "
        f"another --out with a lower one, such as --set training.learning_rate={less:g}."
    )
    if first:
        write_json(layout.diverged, {"epoch": epoch, "learning_rate": rate, "why": message})
    return RunError(message)


def check_not_diverged(layout: FoldLayout) -> None:
    """Raise `RunError` if the training of a fold diverged (`layout.diverged` is there).

    A resumed training has the same settings, so it would diverge again.
    """
    if layout.diverged.is_file():
        raise RunError(f"It cannot be resumed: {read_json(layout.diverged)['why']}")


def check_finite(answers: Tensor) -> None:
    """Raise `FloatingPointError` if a value of `answers`, any shape, is NaN or infinite."""
    if not bool(torch.isfinite(answers).all()):
        raise FloatingPointError("answers")
