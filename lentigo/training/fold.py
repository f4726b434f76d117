"""The inputs of one training, and its progress within an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor

from lentigo.config import Config
from lentigo.run_layout import FoldLayout
from lentigo.training.checkpoint import Row
from lentigo.training.data import Examples
from lentigo.training.distillation import Teacher
from lentigo.training.divergence import check_finite
from lentigo.training.lesson import Lesson, plain_lesson
from lentigo.training.scores import known_auc, log_loss
from lentigo.training.step import everywhere, overflows

AfterEpoch = Callable[[Sequence[Row]], None]
"""Callable that receives the rows of all epochs so far."""


@dataclass
class Fold:
    """The files, the settings and the images of one training."""

    layout: FoldLayout
    config: Config
    train: Examples
    validation: Examples
    channels_last: bool = False
    """Whether the channels of a pixel are adjacent in memory; see `Arithmetic`."""
    compiled: bool = False
    """Whether the training steps are compiled; see `Arithmetic`."""
    frozen_by: str = "torch"
    """What computes frozen first stages in training steps; see `Arithmetic`."""
    given: Lesson | None = None
    """Targets, sampling and loss; by default those of melanoma or not (`plain_lesson`)."""
    stop_after: int | None = None
    """Number of epochs after which a training without validation images ends."""
    teacher: Teacher | None = None
    """The networks whose probabilities are learnt beside the labels, if any."""
    after_epoch: AfterEpoch | None = None
    """Callable that receives all rows of `metrics.csv` so far after each epoch, and once
    more when a training resumes or ends; an exception that it raises ends the training."""

    @property
    def epochs(self) -> int:
        """The highest number of epochs: `stop_after`, else that of the settings.

        The learning-rate schedule always uses the number of epochs of the settings.
        """
        return self.stop_after or self.config.training.epochs

    @cached_property
    def lesson(self) -> Lesson:
        """Targets, sampling and loss of the training images."""
        return self.given or plain_lesson(self.train.labels, self.config.training)

    @property
    def prevalence(self) -> float:
        """The share of melanoma among the training images with a known melanoma label."""
        return float(np.nanmean(self.train.labels))

    @property
    def shift(self) -> float:
        """The number to subtract from a melanoma logit so that it means a probability."""
        return self.lesson.logit_shift

    def loss_to_show(
        self,
        losses: NDArray[np.float64],
        logits: NDArray[np.float64],
        places: NDArray[np.int64],
    ) -> float:
        """The training loss of an epoch; for diagnoses, the log loss of melanoma or not.

        `places` are the rows, in the training examples, of the images behind `logits`.
        """
        if not self.lesson.tells_diagnoses:
            return float(losses.mean())
        return log_loss(self.train.labels[places], logits)


_PILES = ("losses", "logits", "places")
"""The fields of `Part` to which each step adds a tensor."""


@dataclass
class Part:
    """The progress within the current epoch: losses, logits and rows of its steps."""

    steps: int = 0
    """Number of steps of the epoch so far."""
    rate: float = math.nan
    """Learning rate of the last step; NaN before the first."""
    losses: list[Tensor] = field(default_factory=list)
    """Loss of each step, (1,)."""
    logits: list[Tensor] = field(default_factory=list)
    """Outputs of each step for its images."""
    places: list[Tensor] = field(default_factory=list)
    """Rows of the images of each step, in the training examples."""

    def add(self, loss: Tensor, logits: Tensor, places: Tensor) -> None:
        """Add the loss and the logits of one step; `places` are the rows of its images."""
        self.losses.append(loss[None])
        self.logits.append(logits)
        self.places.append(places)
        self.steps += 1

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint, its tensors on the CPU."""
        state = vars(self).copy()
        for name in _PILES:
            state[name] = torch.cat(state[name]).cpu() if state[name] else None
        return state

    @classmethod
    def restored(cls, state: Mapping[str, Any], device: torch.device) -> Part:
        """Return the progress whose `state` it is, its tensors on `device`."""
        piles = {
            name: [] if state[name] is None else [state[name].to(device)] for name in _PILES
        }
        return cls(**{**state, **piles})

    def gathered(
        self, fabric: Fabric
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Gather losses, melanoma logits and places (rows) of the epoch from all devices.

        Raises `FloatingPointError` if one is NaN or infinite; with the precision
        "16-mixed", only if half of the losses or more are.
        """
        losses = everywhere(fabric, torch.cat(self.losses)).double()
        logits = everywhere(fabric, torch.cat(self.logits)).double()
        places = everywhere(fabric, torch.cat(self.places)).numpy()
        if overflows(fabric):
            good = torch.isfinite(losses)
            if not 2 * int(good.sum()) > len(losses):
                raise FloatingPointError("losses")
            losses, logits = losses[good], torch.nan_to_num(logits)
        check_finite(losses)
        check_finite(logits)
        return losses.numpy(), logits.numpy(), places

    def so_far(self, labels: NDArray[np.float32]) -> str:
        """Return the mean loss of the last 50 steps and the AUC so far, in words.

        `labels` are those of the training examples, of this device.
        """
        seen = torch.cat(self.places).cpu().numpy()
        scores = torch.cat(self.logits).cpu().double().numpy()
        rank = known_auc(labels[seen], scores)
        return f"loss {float(torch.cat(self.losses)[-50:].mean()):.4f}  AUC {rank:.4f}"
