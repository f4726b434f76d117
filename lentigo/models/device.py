"""The device that a network runs on, where nobody says which."""

from __future__ import annotations

import torch

from lentigo.models.backend import no_device


def fastest_device() -> torch.device:
    """A GPU of NVIDIA, else one of Apple, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_called(name: str) -> torch.device:
    """Return the device of that name; for `auto` the fastest there is.

    Raises `ConfigError` where there is none here.
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
