"""Saliency maps: the parts of an image on which a torch network's melanoma logit rests.

Each method takes a `TorchPredictor` and N squares, (N, S, S, 3), and returns one map for
each square, (N, s, s), not negative, at the input size s of the network. The image is
neither mirrored nor turned. The methods use gradients or attention, so they need torch.
`metadata`, (1, M), is the encoded age, sex and site of the patient, the same for all N
squares, for a network that takes them; by default they are unknown.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lentigo.errors import ModelError
from lentigo.models.backend import Images
from lentigo.models.classifier import Classifier
from lentigo.models.features import as_maps, before_pooling
from lentigo.models.metadata import Metadata
from lentigo.models.network_view import network_views
from lentigo.models.torch_predictor import TorchPredictor

Maps = NDArray[np.float32]

STEPS = 24
"""Number of points between baseline and image at which gradients are computed."""
_SMOOTHED = 0.02
"""Half width of the smoothing window, as a share of the side of the image."""


def grad_cam(
    predictor: TorchPredictor, squares: Images, *, metadata: Metadata | None = None
) -> Maps:
    """Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), (N, S, S, 3) to (N, s, s)."""
    maps, gradients = _maps_and_gradients(predictor, squares, metadata)
    weights = gradients.mean(dim=(2, 3), keepdim=True)  # (N, F, 1, 1)
    return _enlarged((weights * maps).sum(dim=1).relu(), predictor.image_size)


def grad_cam_plus_plus(
    predictor: TorchPredictor, squares: Images, *, metadata: Metadata | None = None
) -> Maps:
    """Grad-CAM++ (Chattopadhay et al. 2018, arXiv:1710.11063), (N, S, S, 3) to (N, s, s).

    As in the paper, the weights are those for the exponential of the logit as the score.
    """
    maps, gradients = _maps_and_gradients(predictor, squares, metadata)
    square = gradients**2
    beside = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * gradients**3
    share = square / torch.where(beside.abs() > 1e-12, beside, torch.ones_like(beside))
    weights = (share * gradients.relu()).sum(dim=(2, 3), keepdim=True)
    return _enlarged((weights * maps).sum(dim=1).relu(), predictor.image_size)


def integrated_gradients(
    predictor: TorchPredictor, squares: Images, *, metadata: Metadata | None = None
) -> Maps:
    """Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365), absolute values.

    The baseline is a plain image of the mean colour of the image. The values are summed
    over channels and slightly smoothed, since single pixels cannot be seen in a map.
    """
    parts = [
        attributions(predictor, square[None], metadata=metadata).abs().sum(dim=1)
        for square in squares
    ]
    maps = torch.cat(parts)
    width = max(1, round(_SMOOTHED * predictor.image_size))
    for _ in range(2):  # two boxes are nearly a bell
        maps = functional.avg_pool2d(maps[:, None], 2 * width + 1, 1, width)[:, 0]
    return _enlarged(maps, predictor.image_size)


def attributions(
    predictor: TorchPredictor, square: Images, *, metadata: Metadata | None = None
) -> Tensor:
    """Return the contribution of each value of one image to the logit, (1, C, s, s).

    The contributions add up to the logit of the image minus the logit of a plain image of
    its mean colour, up to the error of a sum with `STEPS` terms.
    """
    network, images = predictor.network, _images(predictor, square).float()
    plain = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    middles = (torch.arange(STEPS, dtype=images.dtype) + 0.5) / STEPS
    between = plain + middles.view(-1, 1, 1, 1).to(images.device) * (images - plain)
    between.requires_grad_(True)
    beside = _beside(predictor, metadata, STEPS)
    (gradient,) = torch.autograd.grad(network(between, beside).sum(), between)
    return (images - plain) * gradient.mean(dim=0, keepdim=True)


def attention_rollout(predictor: TorchPredictor, squares: Images) -> Maps:
    """Attention roll-out (Abnar & Zuidema 2020, arXiv:2005.00928), (N, s, s).

    It shows to which patches a vision transformer (ViT of timm) attended; it does not
    depend on the logit, nor on age, sex and site.

    Raises `ModelError` for a network without attention blocks.
    """
    network = predictor.network
    with torch.no_grad(), _attention(network) as seen:
        features = before_pooling(network, _images(predictor, squares))
    if not seen:
        raise no_attention(network)
    rolled: Tensor | None = None
    for weights in seen:
        mixed = weights.mean(dim=1) + torch.eye(weights.shape[-1], device=weights.device)
        mixed = mixed / mixed.sum(dim=-1, keepdim=True)
        rolled = mixed if rolled is None else mixed @ rolled
    assert rolled is not None
    prefix = int(getattr(network.backbone, "num_prefix_tokens", 0))
    row = rolled[:, 0] if prefix else rolled.mean(dim=1)  # (N, tokens)
    maps = as_maps(network, row[..., None].expand(*features.shape[:2], 1))
    return _enlarged(maps[:, 0], predictor.image_size)


def shuffled(predictor: TorchPredictor, seed: int = 0) -> TorchPredictor:
    """Return a copy whose weights are shuffled within each tensor (Adebayo et al. 2018).

    A sanity check: what a map of this copy shows cannot come from what the network learnt.
    """
    network = copy.deepcopy(predictor.network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in network.parameters():
            order = torch.randperm(weights.numel(), generator=generator)
            flat = weights.detach().cpu().reshape(-1)[order]
            weights.copy_(flat.reshape(weights.shape).to(weights.device))
    fields = {
        name: getattr(predictor, name)
        for name in ("store_size", "fit", "max_pixels", "image_size", "view", "looks",
                     "logit_shift")
    }  # fmt: skip
    return TorchPredictor(network=network, **fields)


def has_maps(predictor: object) -> bool:
    """Tell whether a predictor is a torch network with feature maps, as Grad-CAM needs."""
    return _works(predictor, lambda network, images: as_maps(
        network, before_pooling(network, images)))  # fmt: skip


def has_attention(predictor: object) -> bool:
    """Tell whether a predictor is a torch network for `attention_rollout`."""
    if not isinstance(predictor, TorchPredictor):
        return False
    return bool(_attention_layers(predictor.network))


def _works(predictor: object, look: object) -> bool:
    if not isinstance(predictor, TorchPredictor):
        return False
    size = predictor.preparation.size
    blank = np.zeros((1, size, size, 3), np.uint8)
    try:
        with torch.no_grad():
            look(predictor.network, _images(predictor, blank))  # type: ignore[operator]
    except ModelError:
        return False
    return True


def no_attention(network: Classifier) -> ModelError:
    """Build the error to raise for a network without attention blocks."""
    return ModelError(
        f"{type(network.backbone).__name__} has no attention to roll out. Take another "
        "method, such as grad_cam or occlusion."
    )


def _maps_and_gradients(
    predictor: TorchPredictor, squares: Images, metadata: Metadata | None = None
) -> tuple[Tensor, Tensor]:
    network = predictor.network
    with torch.no_grad():
        features = before_pooling(network, _images(predictor, squares))
    features = features.detach().requires_grad_(True)
    pooled = network.backbone.forward_head(features)  # type: ignore[operator]
    beside = _beside(predictor, metadata, len(squares))
    logits = network.melanoma(network.scores_of(pooled, beside))
    (gradients,) = torch.autograd.grad(logits.sum(), features)
    return as_maps(network, features.detach()), as_maps(network, gradients)


def _images(predictor: TorchPredictor, squares: Images) -> Tensor:
    views = network_views(squares, predictor.image_size, view=predictor.view)
    return torch.from_numpy(views).to(predictor.network.mean.device)


def _beside(
    predictor: TorchPredictor, metadata: Metadata | None, count: int
) -> Tensor | None:
    """Return the metadata of one patient for `count` squares; None if there is none."""
    if metadata is None:
        return None
    numbers = torch.from_numpy(np.repeat(metadata, count, axis=0))
    return numbers.to(predictor.network.mean.device)


def _enlarged(maps: Tensor, size: int) -> Maps:
    large = functional.interpolate(
        maps[:, None].float(), size=(size, size), mode="bilinear", align_corners=False
    )
    return np.asarray(large[:, 0].clamp(min=0).cpu().numpy(), np.float32)


@contextmanager
def _attention(network: Classifier) -> Iterator[list[Tensor]]:
    """Collect the attention of each layer during a `with` block.

    Each entry of the list is (N, heads, tokens, tokens), in the order of the layers.
    """
    seen: list[Tensor] = []
    layers = _attention_layers(network)
    fused = [bool(layer.fused_attn) for layer in layers]
    hooks = [
        layer.attn_drop.register_forward_hook(lambda *call: seen.append(call[-1]))  # type: ignore[union-attr]
        for layer in layers
    ]
    try:
        for layer in layers:
            layer.fused_attn = False  # type: ignore[assignment]
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
        for layer, was in zip(layers, fused, strict=True):
            layer.fused_attn = was  # type: ignore[assignment]


def _attention_layers(network: Classifier) -> list[nn.Module]:
    blocks = getattr(network.backbone, "blocks", None)
    if not isinstance(blocks, nn.Sequential | nn.ModuleList):
        return []
    layers = [getattr(block, "attn", None) for block in blocks]
    if not layers or not all(
        isinstance(layer, nn.Module)
        and hasattr(layer, "attn_drop")
        and hasattr(layer, "fused_attn")
        for layer in layers
    ):
        return []
    return [layer for layer in layers if layer is not None]
