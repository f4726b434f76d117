"""Compiling a network for its training (`torch.compile`), where it pays back."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lentigo.errors import ConfigError
from lentigo.machine import cache_folder
from lentigo.models.network import Classifier
from lentigo.models.stages import first_stages
from lentigo.progress import log

_GRAPHS = 3
"""How often a training compiles: for the two sizes that its batches have, and once more
where an epoch of another size or a resumed run comes."""
_TIMED = 5
"""Number of steps that are timed, of which the fastest counts."""


@dataclass(frozen=True)
class Compiling:
    """What compiling a network costs and gives on this machine, all in seconds."""

    once: float
    """Time that compiling took."""
    plain: float
    """Time of a training step without."""
    compiled: float
    """Time of a training step with."""

    def pays_back(self, steps: int) -> bool:
        """Tell whether a training of `steps` steps ends earlier if it compiles."""
        return _GRAPHS * self.once < steps * (self.plain - self.compiled)


def check_compiles(device: torch.device) -> None:
    """Raise `ConfigError` if nothing can be compiled for `device`.

    On a CPU that takes a C++ compiler, on a GPU Triton, which comes with torch on Linux.
    """
    try:
        torch.compile(lambda values: values.sin() + 1)(torch.zeros(8, device=device))
    except (RuntimeError, ImportError, OSError) as error:
        why = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"training.compile: this machine cannot compile a network ({why}). On a CPU it "
            "takes a C++ compiler, on a GPU Triton. Set training.compile=never."
        ) from error


def measure_compiling(
    model: Classifier,
    *,
    size: int,
    batch: int,
    device: torch.device,
    short: torch.dtype | None,
    frozen_stages: int = 0,
) -> Compiling | None:
    """Time training steps of `model`, compiled and not; None if it cannot be compiled.

    `size` is the side of the square images, in pixels, `batch` their number in a step,
    `short` the number format of 16 bits, None for 32 bits. The weights of `model` are not
    changed, but its batch-normalisation statistics are.
    """
    model.to(device).train()
    stages = first_stages(model, frozen_stages)
    stages.freeze()
    images = torch.zeros(
        batch, size, size, model.channels, dtype=torch.uint8, device=device
    ).permute(0, 3, 1, 2)
    try:
        network = torch.compile(model)
        plain = [_seconds(model, images, short) for _ in range(_TIMED + 1)]
        first = _seconds(network, images, short)
        compiled = [_seconds(network, images, short) for _ in range(_TIMED)]
    except (RuntimeError, ImportError, OSError) as error:  # no compiler, or no memory
        log.debug("The network is not compiled: %s", error)
        return None
    finally:
        model.zero_grad(set_to_none=True)
        for weight in stages.parameters:
            weight.requires_grad_(True)
    return Compiling(first - min(compiled), min(plain[1:]), min(compiled))


def _seconds(network: Any, images: Tensor, short: torch.dtype | None) -> float:
    start = time.perf_counter()
    with torch.autocast(images.device.type, short, enabled=short is not None):
        value: Tensor = network(images).float().square().mean()
    torch.autograd.backward(value)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - start


def compiled(network: nn.Module) -> nn.Module:
    """Return `network` compiled; its weights are the same tensors.

    What chance decides, such as dropout, is drawn as without compiling, so that the two
    differ by rounding alone.
    """
    # Kept like what was measured, so that the next training need not compile again.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))
    whole: Any = torch.compile(network, options={"fallback_random": True})
    found: nn.Module = whole
    return found
