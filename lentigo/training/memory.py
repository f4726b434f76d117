"""Training steps that fit into the memory: fewer images at once, the same batch size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lentigo.errors import RunError
from lentigo.models.batch import Batch
from lentigo.progress import log
from lentigo.training.step import Loss, random_state, set_random_state, train_step
from lentigo.words import counted


@dataclass
class Steps:
    """Takes training steps; when the memory is full, it processes fewer images at once."""

    fabric: Fabric
    samples: int = 1
    """Number of outputs for each image, one for each dropout mask; see `train_step`."""
    micro_batch: int | None = None
    """Number of images that are processed at once; None is a whole batch."""

    def take(
        self, model: nn.Module, batch: Batch, loss: Loss, optimizer: torch.optim.Optimizer
    ) -> tuple[Tensor, Tensor]:
        """Take one step with `train_step` and return its loss and answers.

        When the memory is full, `micro_batch` is halved and the step is repeated with the
        same random numbers. Raises `RunError` if the memory is full with 3 images or fewer
        at once, or if several devices train together.
        """
        state = random_state(self.fabric.device)
        while True:
            try:
                return train_step(
                    self.fabric, model, batch, loss, optimizer,
                    samples=self.samples, micro_batch=self.micro_batch,
                )  # fmt: skip
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                self._compute_fewer(batch, error)
            set_random_state(state, self.fabric.device)

    def _compute_fewer(self, batch: Batch, error: RuntimeError) -> None:
        count = min(self.micro_batch or len(batch.images), len(batch.images))
        if count < 4 or self.fabric.world_size > 1:
            # One image is too few for batch normalisation. Of several devices, the others
            # would wait for our gradient for ever.
            raise RunError(
                f"The memory of {self.fabric.device} does not hold "
                f"{counted(count, 'image')} of {batch.images.shape[-1]} px at once. Give a "
                "smaller training.micro_batch (the batch stays as it is), "
                "training.image_size or model.backbone."
            ) from error
        self.micro_batch = (count + 1) // 2
        log.warning(
            "The memory does not hold %s at once; from here on it is %d at once, and the "
            "batch stays as it is.",
            counted(count, "image"),
            self.micro_batch,
        )
        if self.fabric.device.type == "cuda":
            torch.cuda.empty_cache()


def out_of_memory(error: RuntimeError) -> bool:
    """Tell whether `error` is torch's report that the memory is full."""
    known = isinstance(error, torch.OutOfMemoryError)
    return known or "can't allocate memory" in str(error)
