"""Pooling of feature maps by the generalised mean (GeM) instead of the mean."""

from __future__ import annotations

import torch
from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
from torch import Tensor, nn

from lentigo.errors import ModelError


class GeneralizedMean(nn.Module):
    """The generalised mean of each feature over all places, (N, F, H, W) to (N, F).

    It is (mean of x ** p) ** (1 / p) (Radenovic et al. 2018, arXiv:1711.02512): the mean
    for p = 1, and nearer to the maximum for larger p. One p is learnt for all F features;
    it starts at 3. Values below 1e-6 are set to 1e-6.
    """

    def __init__(self, *, flatten: bool = True) -> None:
        """Without `flatten` the output is (N, F, 1, 1) instead of (N, F)."""
        super().__init__()
        self.flatten = flatten
        self.p = nn.Parameter(torch.tensor([3.0]))

    def forward(self, features: Tensor) -> Tensor:
        """Return the generalised mean of `features`."""
        # Powers of 16-bit numbers overflow.
        powers = features.float().clamp(min=1e-6) ** self.p
        mean = powers.mean(dim=(-2, -1), keepdim=not self.flatten) ** (1 / self.p)
        return mean.to(features.dtype)


def pool_generalized(backbone: nn.Module, name: str) -> None:
    """Replace the average pooling of `backbone` by `GeneralizedMean`, in place.

    Raises `ModelError` if the backbone, the timm model `name`, has no average pooling, as
    most transformers.
    """
    found = [
        (parent, key, child)
        for parent in backbone.modules()
        for key, child in parent.named_children()
        if isinstance(child, SelectAdaptivePool2d)
    ]
    if len(found) != 1 or not isinstance(found[0][2].pool, nn.AdaptiveAvgPool2d):
        raise ModelError(
            f"{name} does not pool the mean over all places as most convolutional networks "
            "do, so model.pooling gem has nothing to replace; give model.pooling=average."
        )
    parent, key, child = found[0]
    flatten = isinstance(child.flatten, nn.Flatten)
    setattr(parent, key, GeneralizedMean(flatten=flatten))
