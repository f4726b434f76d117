"""What is computed fits into the memory: fewer images at once, the same batch size."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lentigo.errors import RunError
from lentigo.models.batch import Batch
from lentigo.progress import log
from lentigo.training.prefix import FrozenStages
from lentigo.training.step import Loss, random_state, set_random_state, train_step
from lentigo.words import counted

Found = TypeVar("Found")


@dataclass
class Steps:
    """Takes training steps; when the memory is full, it processes fewer images at once.

    So it is where nothing learns: where images are judged, or a teacher looks at them.
    """

    fabric: Fabric
    samples: int = 1
    """Number of outputs for each image, one for each dropout mask; see `train_step`."""
    micro_batch: int | None = None
    """Number of images that are processed at once; None is a whole batch."""
    compares: bool = False
    """Whether the loss compares the images of a batch, which is then never cut."""
    stages: FrozenStages | None = None
    """The frozen first stages, if an engine computes them in training steps."""
    most_looked_at: int | None = None
    """Most images that are processed at once without gradients; None: none was too many."""

    def learnt_from(self, batch_size: int) -> int:
        """Return how many images a training step processes at once on each device.

        `batch_size` is that of all devices together.
        """
        mine = -(-batch_size // self.fabric.world_size)
        return min(self.micro_batch or mine, mine)

    def looked_at(self, batch_size: int) -> int:
        """Return how many images to judge at once: twice those of a training step."""
        return 2 * self.learnt_from(batch_size)

    def look(self, compute: Callable[[int], Found], at_once: int) -> Found:
        """Return `compute(at_once)`, which needs no gradients; see `as_many_as_fit`.

        How many images did fit is remembered for later calls.
        """
        most = min(at_once, self.most_looked_at or at_once)
        found, fits = as_many_as_fit(compute, most, device=self.fabric.device)
        if fits < most:
            self.most_looked_at = fits
        return found

    def take(
        self,
        model: nn.Module,
        batch: Batch,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        *,
        share: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """Take one step with `train_step` and return its loss and answers.

        When the memory is full, `micro_batch` is halved and the step is repeated with the
        same random numbers. Raises `RunError` if the memory is full with 3 images or fewer
        at once, if several devices train together, or if the loss compares images.
        """
        state = random_state(self.fabric.device)
        while True:
            try:
                with self._engine(batch):
                    return train_step(
                        self.fabric, model, batch, loss, optimizer,
                        samples=self.samples, micro_batch=self.micro_batch, share=share,
                    )  # fmt: skip
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                self._compute_fewer(batch, error)
            _free(self.fabric.device)
            set_random_state(state, self.fabric.device)

    def _engine(self, batch: Batch) -> AbstractContextManager[None]:
        return nullcontext() if self.stages is None else self.stages.by_engine(batch)

    def _compute_fewer(self, batch: Batch, error: RuntimeError) -> None:
        count = min(self.micro_batch or len(batch.images), len(batch.images))
        if self.compares:
            raise RunError(
                f"The memory of {self.fabric.device} does not hold the "
                f"{counted(count, 'image')} of a batch at once, which loss auc_margin "
                "compares with each other. Give a smaller training.batch_size, "
                "training.image_size or model.backbone."
            ) from error
        if count < 4 or self.fabric.world_size > 1:
            # One image is too few for batch normalisation. Of several devices, the others
            # would wait for our gradient for ever.
            what = f"{counted(count, 'image')} of {batch.images.shape[-1]} px"
            raise _too_many(what, self.fabric.device) from error
        self.micro_batch = (count + 1) // 2
        log.warning(
            "The memory does not hold %s at once; from here on it is %d at once, and the "
            "batch stays as it is.",
            counted(count, "image"),
            self.micro_batch,
        )


def as_many_as_fit(
    compute: Callable[[int], Found], at_once: int, *, device: torch.device
) -> tuple[Found, int]:
    """Return `compute(at_once)`, and how many images at once it was computed with.

    When the memory is full, half as many images are tried. Raises `RunError` if it does not
    hold a single one.
    """
    while True:
        try:
            return compute(at_once), at_once
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if at_once < 2:
                raise _too_many("1 image", device) from error
        fewer = (at_once + 1) // 2
        log.warning(
            "The memory does not hold %d images at once, even without learning; "
            "it is %d from here on.",
            at_once,
            fewer,
        )
        at_once = fewer
        _free(device)


def _too_many(what: str, device: torch.device) -> RunError:
    return RunError(
        f"The memory of {device} does not hold {what} at once. Give a smaller "
        "training.micro_batch (the batch stays as it is), training.image_size or "
        "model.backbone."
    )


def _free(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()


_FULL = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
"""Parts of messages that a memory is full: of CPU and MPS, cuBLAS and cuDNN."""


def out_of_memory(error: RuntimeError) -> bool:
    """Tell whether `error` is torch's report that the memory is full."""
    known = isinstance(error, torch.OutOfMemoryError)
    return known or any(words in str(error) for words in _FULL)
