"""A batch of images with labels and metadata, as a network takes them in any use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A batch of N images with their labels, as the training of a network takes them."""

    images: Tensor
    """(N, C, H, W) `uint8`; for a head alone (`FrozenEpochs.read`) features, (N, F)."""
    labels: Tensor
    """(N,) float: 1 is melanoma, 0 another lesion, NaN not known."""
    places: Tensor
    """(N,) int: positions of the images among all examples of the training."""
    metadata: Tensor | None = None
    """(N, M) float: encoded age, sex and site; None for a network that takes none."""
    soft: Tensor | None = None
    """(N, K) float: a teacher's probabilities of K classes; None without a teacher."""

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory, from which a GPU copies faster."""
        return self._changed(Tensor.pin_memory)

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return self._changed(lambda tensor: tensor.to(device, non_blocking=True))

    def split(self, sizes: Sequence[int]) -> list[Batch]:
        """Cut the batch into consecutive pieces of `sizes` images, which sum to N."""
        starts = [sum(sizes[:number]) for number in range(len(sizes))]

        def piece(start: int, size: int) -> Batch:
            return self._changed(lambda tensor: tensor[start : start + size])

        return [piece(*each) for each in zip(starts, sizes, strict=True)]

    @property
    def beside(self) -> tuple[Tensor, ...]:
        """The further inputs of the network besides the images: metadata, or none."""
        return () if self.metadata is None else (self.metadata,)

    @property
    def targets(self) -> tuple[Tensor, ...]:
        """What the loss compares outputs with: the labels and, if any, `soft`."""
        return (self.labels,) if self.soft is None else (self.labels, self.soft)

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Batch:
        given: dict[str, Any] = {
            each.name: getattr(self, each.name) for each in fields(self)
        }
        there = {name: value for name, value in given.items() if value is not None}
        return Batch(**{name: change(value) for name, value in there.items()})
