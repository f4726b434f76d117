"""One update of the network, and what the devices bring together."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from lentigo.models.batch import Batch
from lentigo.models.network import Classifier
from lentigo.models.stages import Stages
from lentigo.training.data import even_sizes

Loss = Callable[[Tensor, Tensor], Tensor]


def over_samples(loss: Loss, samples: int) -> Loss:
    """Return the mean loss of answers that are given for each image `samples` times."""
    if samples == 1:
        return loss

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
) -> tuple[Tensor, Tensor]:
    """Improve `model` once, in place; return the loss and its answers from before.

    The answers are logits of melanoma, (N,), or scores of K classes, (N, K); of several
    `samples` a network gives of each image, their mean. Of at most `micro_batch` images the
    gradient is computed at once. Those of all pieces add up to that of the whole batch,
    but for batch normalisation, which sees each piece alone.

    Raises `FloatingPointError` where loss or gradient is no number any more.
    """
    optimizer.zero_grad(set_to_none=True)
    total, answers = torch.zeros((), device=batch.images.device), []
    pieces = _pieces(batch, micro_batch)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        # Devices bring their gradients together once, with the last piece.
        alone = nullcontext() if last else _unsynchronised(fabric, model)
        with alone:
            given = model(piece.images, *piece.beside)
            value = loss(given, piece.labels) * (len(piece.images) / len(batch.images))
            fabric.backward(value)
        total = total + value.detach()
        found = given.detach().float()
        answers.append(found.view(samples, -1, *found.shape[1:]).mean(dim=0))
    norm = fabric.clip_gradients(model, optimizer, max_norm=5.0, error_if_nonfinite=False)
    if not overflows(fabric):
        _check_finite(fabric, total, norm)
    optimizer.step()
    return total, torch.cat(answers)


def _pieces(batch: Batch, at_most: int | None) -> list[Batch]:
    """Cut a batch into pieces of nearly the same size, none of a single image."""
    count = len(batch.images)
    if at_most is None or at_most >= count:
        return [batch]
    sizes = even_sizes(count, at_most=at_most)
    parts = zip(*(torch.split(each, sizes) for each in batch.tensors), strict=True)
    return [Batch(*part) for part in parts]


def _unsynchronised(fabric: Fabric, model: nn.Module) -> AbstractContextManager[object]:
    several = fabric.world_size > 1
    return fabric.no_backward_sync(model) if several else nullcontext()  # type: ignore[arg-type]


def overflows(fabric: Fabric) -> bool:
    """Tell whether numbers may overflow without harm: 16-bit floats skip such steps."""
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
    """Training mode; a frozen backbone neither learns nor updates its batch statistics.

    Nor do the frozen `stages` of one that learns.
    """
    model.train()
    for parameter in model.backbone.parameters():
        parameter.requires_grad_(not frozen)
    if frozen:
        model.backbone.eval()
    if stages is not None:
        stages.freeze()


def gathered(
    fabric: Fabric, logits: Tensor, places: Tensor, *, count: int
) -> NDArray[np.float64]:
    """The answers of all devices in the order of the examples, (count, …)."""
    every = everywhere(fabric, logits).double().numpy()
    where = everywhere(fabric, places).numpy()
    ordered = np.full((count, *every.shape[1:]), math.nan)
    ordered[where] = every
    return ordered


def everywhere(fabric: Fabric, values: Tensor) -> Tensor:
    """Gather the values of all devices, equally many each, in one tensor on the CPU."""
    together = fabric.all_gather(values)
    if not isinstance(together, Tensor):
        raise TypeError(f"all_gather answered a {type(together).__name__}.")
    return together.reshape(-1, *values.shape[1:]).cpu()


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the random state that dropout draws from, on the CPU and on `device`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Let dropout draw on from `state`."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
