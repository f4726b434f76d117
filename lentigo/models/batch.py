"""A few images as the network takes them, for training and inference alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A few images as the network takes them."""

    images: Tensor  # (N, C, H, W) uint8
    labels: Tensor  # (N,) float, 1 is melanoma
    places: Tensor  # (N,) int, position in the examples

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory, from which a GPU copies faster."""
        return Batch(*(tensor.pin_memory() for tensor in self.tensors))

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self.tensors))

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images, labels and places."""
        return self.images, self.labels, self.places
