"""Take the features of any backbone: pooled, one row an image, or before that, as a map.

A map is what the backbone is about to pool. timm's `forward_intermediates` gives what some
stage puts out instead, which in an EfficientNet lies one layer below and in a transformer
has not been normalised.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lentigo.errors import ModelError
from lentigo.models.network import Classifier

Features = NDArray[np.float64]


def pooled_features(model: Classifier, batches: Iterable[Tensor]) -> Features:
    """Return the pooled features of all images, (N, F), without learning from them.

    A batch holds images as the network takes them, (N, C, H, W) `uint8`, on its device.
    """
    model.eval()
    with torch.inference_mode():
        parts = [model.features(images).double().cpu().numpy() for images in batches]
    return np.concatenate(parts)


def feature_maps(model: Classifier, images: Tensor) -> Tensor:
    """Return the map of features of each image, (N, C, H, W) `uint8` to (N, F, h, w).

    The network stays in its mode, and gradients are followed where they are wanted.

    Raises `ModelError` for a backbone without a map; see `as_maps`.
    """
    return as_maps(model, before_pooling(model, images))


def before_pooling(model: Classifier, images: Tensor) -> Tensor:
    """Return what the backbone is about to pool, in the backbone's own layout.

    `model.backbone.forward_head` pools it, and `model.head` makes a logit of that: a
    gradient of the logit is taken with respect to this tensor, and laid out by `as_maps`.

    Raises `ModelError` where the backbone gives no single tensor.
    """
    features = getattr(model.backbone, "forward_features", None)
    found = features(model.scaled(images)) if callable(features) else None
    if not isinstance(found, Tensor):
        given = f"gives a {type(found).__name__}" if callable(features) else "does not say"
        raise _no_map(model.backbone, f"it {given} what it is about to pool")
    return found


def as_maps(model: Classifier, features: Tensor) -> Tensor:
    """Lay out what `before_pooling` gave, or a gradient of it, as (N, F, h, w).

    Convolutional networks give such maps, Swin and its kin (N, h, w, F), ViT and MLP-Mixer
    tokens, (N, L, F): one for each patch, row by row, behind those of no place (class and
    registers), which are left out. Of a ViT that is pooled by its class token, the other
    tokens of the last layer have no gradient.

    Raises `ModelError` where there is no map: PiT and CrossViT hand on class tokens alone,
    CoaT and VOLO do not say how many they have.
    """
    if features.ndim == 4:
        return features.permute(0, 3, 1, 2) if _is_last(model, features) else features
    if features.ndim != 3:
        raise _no_map(model.backbone, f"it pools {_shape(features)}")
    places = features[:, int(getattr(model.backbone, "num_prefix_tokens", 0)) :]
    side = math.isqrt(places.shape[1])
    if side < 2 or side * side != places.shape[1]:
        raise _no_map(
            model.backbone, f"its tokens {_shape(features)} are those of no square"
        )
    count, _, features_each = places.shape
    return places.reshape(count, side, side, features_each).permute(0, 3, 1, 2)


def _is_last(model: Classifier, features: Tensor) -> bool:
    """Tell whether the features of a place stand last, (N, h, w, F), not (N, F, h, w)."""
    count = getattr(model.backbone, "num_features", None)
    first, last = features.shape[1] == count, features.shape[3] == count
    if first != last:
        return last
    return str(getattr(model.backbone, "output_fmt", "NCHW")) == "NHWC"


def _shape(features: Tensor) -> str:
    return "(" + ", ".join(["N", *map(str, features.shape[1:])]) + ")"


def _no_map(backbone: nn.Module, reason: str) -> ModelError:
    return ModelError(
        f"{type(backbone).__name__} has no map of features: {reason}. Choose another "
        "backbone, such as a ResNet, a ConvNeXt, a Swin or a ViT."
    )
