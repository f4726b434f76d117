"""The early features of a backbone: means of the feature maps of its first stages.

The first layers see colour, light and texture, by which devices and kinds of picture differ
more than by what is shown. Each stage's means are scaled to length 1, because their length
says more about contrast than about the kind of an image (Mueller & Hein 2025,
arXiv:2505.18032).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from lentigo.models.classifier import Classifier

_STAGES = 3
"""Number of stages whose maps are used, all from the first three fifths of the backbone."""
_DEEPEST = 0.6


def features_and_early(model: Classifier, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pooled features, (N, F), and the early features, (N, E), from one pass.

    `images` are (N, C, H, W) `uint8`. E is 0 if timm does not say which layers end the
    stages of the backbone, or if they give no maps.
    """
    with _recorded(model.backbone) as found:
        pooled = model.features(images)
    means = [_means(maps, channels) for maps, channels in found]
    known = [each for each in means if each is not None]
    if not known:
        return pooled, pooled.new_zeros((pooled.shape[0], 0), dtype=torch.float32)
    return pooled, torch.cat([functional.normalize(each, dim=1) for each in known], dim=1)


def early_stages(backbone: nn.Module) -> list[tuple[str, int]]:
    """Return name and number of channels of the layers that end the first stages.

    They are those of timm's `feature_info`: three, evenly spread over the first three
    fifths of the stages; fewer if there are fewer.
    """
    known = getattr(backbone, "feature_info", None)
    told = getattr(known, "info", known)
    if not isinstance(told, list) or not told:
        return []
    last = max(math.ceil(_DEEPEST * len(told)) - 1, 0)
    count = min(_STAGES, last + 1)
    places = [round(last * number / max(count - 1, 1)) for number in range(count)]
    return [(str(told[each]["module"]), int(told[each]["num_chs"])) for each in places]


@contextmanager
def _recorded(backbone: nn.Module) -> Iterator[list[tuple[object, int]]]:
    """Collect the outputs of the early stages during the `with` block."""
    outputs: list[tuple[object, int]] = []
    layers = dict(backbone.named_modules())
    hooks = []
    for name, channels in early_stages(backbone):
        if name in layers:

            def keep(*call: object, channels: int = channels) -> None:
                outputs.append((call[-1], channels))

            hooks.append(layers[name].register_forward_hook(keep))
    try:
        yield outputs
    finally:
        for each in hooks:
            each.remove()


def _means(maps: object, channels: int) -> Tensor | None:
    """Return the mean of each channel over all places, (N, channels); None if unknown."""
    if not isinstance(maps, Tensor):
        return None
    if maps.ndim == 4 and maps.shape[1] == channels:
        return maps.float().mean(dim=(2, 3))
    if maps.ndim in {3, 4} and maps.shape[-1] == channels:
        return maps.float().flatten(1, -2).mean(dim=1)
    return None
