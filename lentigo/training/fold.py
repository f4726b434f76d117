"""The parts of one training, and how far it is within an epoch."""

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
from lentigo.training.lesson import Lesson, plain_lesson

AfterEpoch = Callable[[Sequence[Row]], None]
"""What is told the epochs so far."""


@dataclass
class Fold:
    """The files, the settings and the images of one training."""

    layout: FoldLayout
    config: Config
    train: Examples
    validation: Examples
    channels_last: bool = False
    given: Lesson | None = None
    """What the training images teach; by default melanoma or not."""
    stop_after: int | None = None
    """The epoch after which a training without validation images ends."""
    after_epoch: AfterEpoch | None = None
    """What is told all rows of `metrics.csv` so far after each epoch, and once more when a
    training goes on or ends; what it raises ends the training there."""

    @property
    def epochs(self) -> int:
        """The most epochs of the training; its learning rate runs by the settings."""
        return self.stop_after or self.config.training.epochs

    @cached_property
    def lesson(self) -> Lesson:
        """The lesson of the training images."""
        return self.given or plain_lesson(self.train.labels, self.config.training)

    @property
    def prevalence(self) -> float:
        """The share of melanoma among the training images of which it is known."""
        return float(np.nanmean(self.train.labels))

    @property
    def shift(self) -> float:
        """Return what is subtracted from a logit so that it means a probability."""
        return self.lesson.logit_shift


@dataclass
class Part:
    """The progress within the epoch that is running."""

    steps: int = 0
    rate: float = math.nan
    losses: list[Tensor] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    places: list[Tensor] = field(default_factory=list)

    def add(self, loss: Tensor, logits: Tensor, places: Tensor) -> None:
        """Add the loss and the answers of one step; `places` are the rows of its images."""
        self.losses.append(loss[None])
        self.logits.append(logits)
        self.places.append(places)
        self.steps += 1
