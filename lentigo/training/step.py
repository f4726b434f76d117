"""One training step, and gathering the results of several devices."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from lentigo.models.batch import Batch
from lentigo.models.lora import freeze_base
from lentigo.models.network import Classifier
from lentigo.models.stages import Stages
from lentigo.training.data import even_sizes

Loss = Callable[..., Tensor]
"""A loss of outputs and labels, and with a teacher of its probabilities, too."""


def over_samples(loss: Loss, samples: int, *, compares: bool = False) -> Loss:
    """Return a loss that takes `samples` outputs for each image, and averages over them.

    A loss that `compares` the images of a batch is computed for each dropout mask alone.
    """
    if samples == 1:
        return loss

    def apart(given: Tensor, labels: Tensor) -> Tensor:
        each = [loss(mask, labels) for mask in given.view(samples, -1)]
        return torch.stack(each).mean()

    if compares:
        return apart

    def mean(given: Tensor, labels: Tensor) -> Tensor:
        return loss(given, labels.repeat(samples))

    return mean


def train_step(
    fabric: Fabric,
    model: nn.Module,
    batch: Batch,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    *,
    samples: int = 1,
    micro_batch: int | None = None,
    share: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Take one step of `optimizer`; return the loss and the outputs before the step.

    The outputs are melanoma logits, (N,), or scores of K classes, (N, K), averaged over
    the `samples` dropout masks of each image. The gradient is computed for at most
    `micro_batch` images at once; the gradients of all pieces add up to that of the whole
    batch, except for batch normalisation, which normalises each piece on its own, and for a
    loss that compares images. `share` weighs the part of a batch that this device has: its
    images over the mean of all devices, whose gradients are averaged.

    Raises `FloatingPointError` if the loss or the gradient is NaN or infinite.
    """
    optimizer.zero_grad(set_to_none=True)
    total, answers = torch.zeros((), device=batch.images.device), []
    pieces = pieces_of(batch, micro_batch)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        # Devices bring their gradients together once, with the last piece.
        alone = nullcontext() if last else _unsynchronised(fabric, model)
        with alone:
            given = model(piece.images, *piece.beside)
            part = share * len(piece.images) / len(batch.images)
            value = loss(given, *piece.targets) * part
            fabric.backward(value)
        total = total + value.detach()
        found = given.detach().float()
        answers.append(found.view(samples, -1, *found.shape[1:]).mean(dim=0))
    norm = fabric.clip_gradients(model, optimizer, max_norm=5.0, error_if_nonfinite=False)
    if not overflows(fabric):
        _check_finite(fabric, total, norm)
    optimizer.step()
    return total, torch.cat(answers)


def pieces_of(batch: Batch, at_most: int | None) -> list[Batch]:
    """Cut a batch into pieces of at most `at_most` images, of nearly the same size.

    No piece has a single image, except as in `even_sizes`. None is the whole batch.
    """
    count = len(batch.images)
    if at_most is None or at_most >= count:
        return [batch]
    return batch.split(even_sizes(count, at_most=at_most))


def _unsynchronised(fabric: Fabric, model: nn.Module) -> AbstractContextManager[object]:
    several = fabric.world_size > 1
    return fabric.no_backward_sync(model) if several else nullcontext()  # type: ignore[arg-type]


def overflows(fabric: Fabric) -> bool:
    """Tell whether the precision is "16-mixed", which skips steps that overflow."""
    return getattr(fabric._precision, "precision", None) == "16-mixed"


def _check_finite(fabric: Fabric, loss: Tensor, norm: Tensor | None) -> None:
    # The norm is the same on all devices, so all of them stop in the same step; the loss
    # is that of one of them.
    finite = torch.isfinite(loss) if norm is None else torch.isfinite(norm)
    if norm is not None and fabric.world_size == 1:
        finite &= torch.isfinite(loss)
    if not bool(finite):
        raise FloatingPointError("loss or gradient")


def set_mode(model: Classifier, *, frozen: bool, stages: Stages | None = None) -> None:
    """Set training mode; with `frozen` the weights of the backbone are not trained.

    A frozen backbone, and the frozen `stages` of a backbone that is trained, also keep
    their batch statistics. Of a backbone with adapters only these are trained.
    """
    model.train()
    for parameter in model.backbone.parameters():
        parameter.requires_grad_(not frozen)
    if frozen:
        model.backbone.eval()
    freeze_base(model.backbone)
    if stages is not None:
        stages.freeze()


def gathered(
    fabric: Fabric, logits: Tensor, places: Tensor, *, count: int
) -> NDArray[np.float64]:
    """Gather the logits of all devices, in the order of the examples, (count, …).

    `places` are the positions in the examples to which this device's `logits` belong.
    """
    every = everywhere(fabric, logits).double().numpy()
    where = everywhere(fabric, places).numpy()
    ordered = np.full((count, *every.shape[1:]), math.nan)
    ordered[where] = every
    return ordered


def everywhere(fabric: Fabric, values: Tensor) -> Tensor:
    """Gather the values of all devices, (N, …) each, in one CPU tensor, device by device.

    N may differ between devices.
    """
    if fabric.world_size == 1:
        return values.cpu()
    counts = _gather(fabric, torch.tensor([len(values)], device=values.device)).flatten()
    lacking = int(counts.max()) - len(values)
    padded = torch.cat([values, values.new_zeros(lacking, *values.shape[1:])])
    parts = zip(_gather(fabric, padded), counts.tolist(), strict=True)
    return torch.cat([part[:count] for part, count in parts]).cpu()


def _gather(fabric: Fabric, values: Tensor) -> Tensor:
    together = fabric.all_gather(values)
    if not isinstance(together, Tensor):
        raise TypeError(f"all_gather answered a {type(together).__name__}.")
    return together


def share_buffers(fabric: Fabric, network: nn.Module) -> None:
    """Give all devices the buffers of the first one, such as its batch statistics."""
    if fabric.world_size > 1:
        for buffer in network.buffers():
            dist.broadcast(buffer, src=0)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's random generators on the CPU and on `device`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Set torch's random generators to a state that `random_state` returned."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
