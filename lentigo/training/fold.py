"""The inputs of one training, and its progress within an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from torch import Tensor

from lentigo.config import Config
from lentigo.run_layout import FoldLayout
from lentigo.training.checkpoint import Row
from lentigo.training.data import Examples
from lentigo.training.distillation import Teacher
from lentigo.training.lesson import Lesson, plain_lesson

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
