"""The torch device on which a network runs: the fastest one, or one chosen by name."""

from __future__ import annotations

import torch

from lentigo.models.backend import no_device


def fastest_device() -> torch.device:
    """Return an NVIDIA GPU if there is one, else an Apple GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_called(name: str) -> torch.device:
    """Return the device called `name`; for `auto` the fastest one of this machine.

    Raises `ConfigError` if this machine has no such device.
    """
    if name == "auto":
        return fastest_device()
    try:
        device = torch.device(name)
        if device.type not in {"cpu", "cuda", "mps"}:
            raise NotImplementedError(device.type)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise no_device(name) from error
    return device
