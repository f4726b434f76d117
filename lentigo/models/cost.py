"""Count what one look of a network costs: parameters, and multiply-adds of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lentigo.models.network import Classifier


def multiply_adds(network: Classifier, *, size: int) -> int:
    """Return the multiply-adds of one image of `size` pixels.

    Those of convolutions and dense layers, which are all but a few per cent; the products
    inside attention are not among them. torch's own counter counts grouped convolutions as
    if they were not grouped.
    """
    total = 0

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            kernel = module.kernel_size[0] * module.kernel_size[1]
            total += output.numel() * kernel * module.in_channels // module.groups
        elif isinstance(module, nn.Linear):
            total += output.numel() * module.in_features

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, network.channels, size, size, dtype=torch.uint8))
    finally:
        for hook in hooks:
            hook.remove()
    return total
