"""Compute the features of a frozen backbone once and reuse them in all its frozen epochs.

A frozen backbone gives the same features for the same augmented view of an image in every
epoch. So the features are computed once and kept in memory, and each epoch trains only the
head. The head learns the same as if the features had been computed in each epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor

from lentigo.config import TrainConfig
from lentigo.models.batch import Batch
from lentigo.models.classifier import Classifier, Head
from lentigo.models.forward import looked_at
from lentigo.progress import Meter
from lentigo.stopping import stop_if_asked
from lentigo.training.data import Draw, Examples, Order, in_order, load, worker_count
from lentigo.training.distillation import Teacher
from lentigo.training.memory import Steps

_OF_A_KEPT_VIEW = 1
"""Last number of the image's seed in a kept view (`data.OF_IMAGE`); seeds of other draws
are one number shorter."""


class _Looked(NamedTuple):
    """What is kept of one view of the images."""

    rows: NDArray[np.int64]
    """The row of each example in `features` and `soft`, (N,); -1 for none."""
    features: Tensor
    """The pooled features of each image, (M, F)."""
    soft: Tensor | None
    """The probabilities that a teacher gives each of them, (M, K), if it sees the view."""


class _Judged(NamedTuple):
    """What is kept of a batch of validation images."""

    draws: list[Draw]
    """The N images."""
    features: Tensor
    """Their pooled features in each view, (views, N, F)."""


@dataclass
class FrozenEpochs:
    """The epochs of a training in which only the head learns."""

    steps: Steps
    """Knows how many images the memory holds at once."""
    config: TrainConfig
    examples: Examples
    """The training images."""
    validation: Examples
    """The validation images."""
    order: Order
    """Sampler of the training images."""
    teacher: Teacher | None = None
    """The networks whose probabilities are learnt beside the labels; None without a
    teacher."""
    _learnt: dict[int, _Looked] = field(default_factory=dict)
    """What is kept of each view."""
    _judged: dict[int, list[_Judged]] = field(default_factory=dict)
    """For a number of views, what is kept of each batch of the validation images."""

    @property
    def fabric(self) -> Fabric:
        """The device, and how many of them there are."""
        return self.steps.fabric

    def __contains__(self, epoch: int) -> bool:
        """Tell whether the backbone is frozen in `epoch`, counted from 0."""
        return epoch < self.config.frozen_epochs

    def keeps(self, epoch: int) -> bool:
        """Tell whether the features of `epoch` are kept; never on several devices."""
        several = self.fabric.world_size > 1
        return epoch in self and self.config.frozen_views > 0 and not several

    def draws(self, epoch: int) -> list[list[Draw]]:
        """Return the batches of an epoch on this device.

        In frozen epochs with `frozen_views` the augmentation of an image is that of the
        view of the epoch, so that it repeats after `frozen_views` epochs. Which patients
        are left out (`Beside.dropout`) is drawn anew in each epoch.
        """
        rank, world = self.fabric.global_rank, self.fabric.world_size
        batches = self.order.epoch(epoch, rank=rank, world=world)
        if epoch not in self or not self.config.frozen_views:
            return batches
        return [
            [self._kept(place, epoch, key[1:]) for place, key in batch] for batch in batches
        ]

    def _view(self, epoch: int) -> int:
        return epoch % self.config.frozen_views

    def _kept(self, place: int, epoch: int, turn: tuple[int, ...] = ()) -> Draw:
        """Return a draw of the kept view of an image; `turn` is its place in all epochs."""
        image = (self.order.seed, self._view(epoch), place, _OF_A_KEPT_VIEW)
        return place, (*image, *turn)

    def look(self, model: Classifier, epoch: int) -> None:
        """Compute and keep the features of the view of `epoch`, unless they are kept."""
        if self._view(epoch) not in self._learnt:
            self._learnt[self._view(epoch)] = self.steps.look(
                lambda at_once: self._look_once(model, epoch, at_once),
                min(self.order.batch_size, self.steps.looked_at(self.config.batch_size)),
            )

    def read(self, epoch: int, batches: Sequence[Sequence[Draw]]) -> Iterator[Batch]:
        """Yield `batches` of an epoch with the kept features, (N, F), instead of images."""
        kept = self._learnt[self._view(epoch)]
        for batch in batches:
            places = np.array([place for place, _ in batch], dtype=np.int64)
            rows = torch.from_numpy(kept.rows[places])
            yield Batch(
                kept.features[rows],
                torch.from_numpy(self.examples.labels[places]),
                torch.from_numpy(places),
                self.examples.metadata_of(batch),
                None if kept.soft is None else kept.soft[rows],
            ).to(self.fabric.device)

    def _look_once(self, model: Classifier, epoch: int, at_once: int) -> _Looked:
        """Compute features of all images that frozen epochs draw in the view of `epoch`.

        A teacher that sees augmented images looks at the same view. The batches, of
        `at_once` images, do not depend on the epoch from which a stopped run continues.
        """
        several = range(self.config.frozen_epochs)
        mine = [each for each in several if self._view(each) == self._view(epoch)]
        drawn = {p for each in mine for batch in self.order.epoch(each) for p, _ in batch}
        draws = [self._kept(place, epoch) for place in sorted(drawn)]
        starts = range(0, len(draws), at_once)
        batches = [draws[start : start + at_once] for start in starts]
        rows = np.full(len(self.examples), -1, dtype=np.int64)
        rows[[place for place, _ in draws]] = np.arange(len(draws))
        parts, soft = [], []
        sees = self.teacher is not None and self.teacher.plain is None
        with Meter(total=len(batches), label="features, once") as meter:
            for number, batch in enumerate(self._load(self.examples, batches)):
                with torch.no_grad(), self.fabric.autocast():
                    parts.append(model.features(batch.images).cpu())
                if self.teacher is not None and sees:
                    soft.append(self.teacher.probabilities(batch.images).cpu())
                meter.step_to(number + 1)
                stop_if_asked()
        return _Looked(rows, torch.cat(parts), torch.cat(soft) if soft else None)

    def judge(
        self, model: Classifier, judged: Classifier, *, views: int
    ) -> NDArray[np.float64]:
        """Return the logits of the N validation images, (N,), as the mean over `views`.

        The features come from the backbone of `model` and are kept for the next call; the
        head is that of `judged`, the network that is validated.
        """
        if views not in self._judged:
            model.eval()
            self._judged[views] = self.steps.look(
                lambda at_once: self._judging(model, views, at_once),
                self.steps.looked_at(self.config.batch_size),
            )
        head = Head(judged).eval()
        parts = []
        with torch.inference_mode(), self.fabric.autocast():
            for draws, features in self._judged[views]:
                known = self.validation.metadata_of(draws)
                beside = () if known is None else (known.to(self.fabric.device),)
                answers = [head(each, *beside).float() for each in features]
                parts.append(sum(answers[1:], answers[0]) / views)
        return torch.cat(parts).double().cpu().numpy()

    def _judging(self, model: Classifier, views: int, at_once: int) -> list[_Judged]:
        batches = in_order(len(self.validation), batch_size=at_once)
        with torch.inference_mode(), self.fabric.autocast():
            return [
                _Judged(
                    draws,
                    torch.stack([model.features(x) for x in looked_at(b.images, views)]),
                )
                for draws, b in zip(
                    batches, self._load(self.validation, batches), strict=True
                )
            ]

    def _load(self, examples: Examples, batches: list[list[Draw]]) -> Iterator[Batch]:
        device = self.fabric.device
        workers = worker_count(device, self.config)
        return load(examples, batches, workers=workers, device=device)

    def forget(self) -> None:
        """Drop the kept features, when the backbone begins to learn."""
        self._learnt.clear()
        self._judged.clear()


def move_head(average: ModelEmaV3, model: Classifier, step: int) -> None:
    """Update the moving average of the head's weights, as `ModelEmaV3.update` does for all.

    `step` is the number of the training step, on which the decay may depend. The weights of
    a frozen backbone do not change, so they equal their average already.
    """
    rate = 1 - average.get_decay(step)
    with torch.no_grad():
        moved = average.module.head_parameters()
        for mean, now in zip(moved, model.head_parameters(), strict=True):
            mean.lerp_(now, rate)
