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
    metadata: Tensor | None = None  # (N, M) float, of networks that take it

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory, from which a GPU copies faster."""
        return Batch(*(tensor.pin_memory() for tensor in self.tensors))

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self.tensors))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Images, labels, places and, if the batch has it, metadata of the patients."""
        return (self.images, self.labels, self.places, *self.beside)

    @property
    def beside(self) -> tuple[Tensor, ...]:
        """The further inputs of the network besides the images: metadata, or none."""
        return () if self.metadata is None else (self.metadata,)
