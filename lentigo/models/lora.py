"""Low-rank adaptation (LoRA): a frozen transformer learns small changes of its attention.

Hu et al. 2022 (arXiv:2106.09685): the weight W of a dense layer stays as it is, and the
product of two thin matrices, B · A, is learnt and added to it. B starts at zero, so that
the network starts as the one whose weights were given. Before a network is saved the
product is added to W, so that it has the layers and the weights of any other network of
its backbone.
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from lentigo.errors import ModelError

_ATTENTION = re.compile(
    r"(?:^|\.)(?:self_)?attn(?:_\w+)?\.(?:qkv|q|k|v|kv|q_proj|k_proj|v_proj|proj)$"
)
"""Name of a dense layer of attention in a timm network: queries, keys, values, output."""


class LowRank(nn.Module):
    """The change of a weight: (M, N) to the same with `scale` · B · A added.

    A is (R, N) and random, as the weights of a dense layer are at first; B is (M, R) and
    zero.
    """

    def __init__(self, weight: Tensor, *, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.a = nn.Parameter(weight.new_empty(rank, weight.shape[1]))
        self.b = nn.Parameter(weight.new_zeros(weight.shape[0], rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the changed weight."""
        return weight + self.scale * (self.b @ self.a).to(weight.dtype)


def add_adapters(backbone: nn.Module, *, name: str, rank: int, alpha: float) -> None:
    """Add a `LowRank` change to each dense layer of attention in `backbone`, in place.

    The changes are multiplied by `alpha` / `rank`. `name` is the backbone's name, for
    messages. Raises what `adapted_layers` raises.
    """
    for layer in adapted_layers(backbone, name=name, rank=rank):
        change = LowRank(layer.weight.detach(), rank=rank, alpha=alpha)
        parametrize.register_parametrization(layer, "weight", change)


def adapted_layers(backbone: nn.Module, *, name: str, rank: int) -> list[nn.Linear]:
    """Return the dense layers of attention in `backbone` that get a `LowRank` change.

    Raises `ModelError` if it has no attention, or only narrower than `rank`.
    """
    layers = [
        layer
        for place, layer in backbone.named_modules()
        if _ATTENTION.search(place) and type(layer) is nn.Linear
    ]
    if not layers:
        raise ModelError(
            f"{name} has no layers of attention to which model.lora_rank could be added. "
            "Give a transformer, such as --set model.backbone=vit_small_patch16_224, or "
            "model.lora_rank=0."
        )
    narrow = min(min(layer.weight.shape) for layer in layers)
    if rank > narrow:
        raise ModelError(
            f"model.lora_rank is {rank}, but the attention of {name} has layers of rank "
            f"{narrow}: give a lower one."
        )
    return layers


def base_parameters(backbone: nn.Module) -> tuple[nn.Parameter, ...]:
    """Return all weights of `backbone` but the adapters; none if it has no adapters."""
    adapters = {
        id(weight)
        for layer in backbone.modules()
        if isinstance(layer, LowRank)
        for weight in layer.parameters()
    }
    if not adapters:
        return ()
    return tuple(each for each in backbone.parameters() if id(each) not in adapters)


def freeze_base(backbone: nn.Module) -> None:
    """Freeze all weights of `backbone` but its adapters; without adapters do nothing.

    Batch statistics, if it has any, are frozen as well.
    """
    base = base_parameters(backbone)
    for weight in base:
        weight.requires_grad_(False)
    for layer in backbone.modules() if base else ():
        if isinstance(layer, _BatchNorm):
            layer.eval()


def merge_adapters(network: nn.Module) -> None:
    """Add the changes of all adapters to the weights and remove the adapters, in place.

    The network then has the weights, and the names of weights, of one without adapters.
    """
    # torch's remove_parametrizations takes the weight from all copies of a network, whose
    # layers share a class: from the moving average, too.
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Linear) and parametrize.is_parametrized(layer):
                setattr(parent, name, _merged(layer))


def _merged(layer: nn.Linear) -> nn.Linear:
    """Return a plain dense layer with the changed weight of `layer`."""
    plain = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
    with torch.no_grad():
        plain.weight = nn.Parameter(layer.weight.clone())
    plain.bias = layer.bias
    return plain.train(layer.training)
