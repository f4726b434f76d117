"""The device that a network runs on, where nobody says which."""

from __future__ import annotations

import torch


def fastest_device() -> torch.device:
    """A GPU of NVIDIA, else one of Apple, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
