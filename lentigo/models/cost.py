"""Count the multiply-adds of one pass of a network over one image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lentigo.models.network import Classifier


def multiply_adds(network: Classifier, *, size: int) -> int:
    """Return the multiply-adds of one pass over an image of `size` × `size` pixels.

    Only convolutions and dense layers are counted; these are all but a few per cent. The
    matrix products inside attention are left out. torch's own counter is not used, because
    it counts grouped convolutions as if they were not grouped.
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
