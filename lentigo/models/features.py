"""The features of any backbone: pooled, one row for each image, or before pooling, as maps.

Feature maps are the direct input of the pooling. timm's `forward_intermediates` is not
used, because it gives the output of a stage instead, which in an EfficientNet lies one
layer below and in a transformer has not been normalised.
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
    """Return the F pooled features of all N images, (N, F), in evaluation mode.

    A batch holds images of C channels as the network takes them, (batch, C, H, W) `uint8`,
    on the device of the network.
    """
    model.eval()
    with torch.inference_mode():
        parts = [model.features(images).double().cpu().numpy() for images in batches]
    return np.concatenate(parts)


def feature_maps(model: Classifier, images: Tensor) -> Tensor:
    """Return the F feature maps of each image, (N, C, H, W) `uint8` to (N, F, h, w).

    The function does not change the mode of the network (training or evaluation), and it
    does not disable gradients.

    Raises `ModelError` for a backbone without feature maps; see `as_maps`.
    """
    return as_maps(model, before_pooling(model, images))


def before_pooling(model: Classifier, images: Tensor) -> Tensor:
    """Return the features that the backbone pools next, in the backbone's own layout.

    `model.backbone.forward_head` pools this tensor, and `model.head` turns the pooled
    features into a logit. So the gradient of the logit can be taken with respect to this
    tensor; `as_maps` brings both into the shape (N, F, h, w).

    Raises `ModelError` if the backbone does not give these features as a single tensor.
    """
    features = getattr(model.backbone, "forward_features", None)
    found = features(model.scaled(images)) if callable(features) else None
    if not isinstance(found, Tensor):
        given = f"gives a {type(found).__name__}" if callable(features) else "does not say"
        raise _no_map(model.backbone, f"it {given} what it is about to pool")
    return found


def as_maps(model: Classifier, features: Tensor) -> Tensor:
    """Reshape the output of `before_pooling`, or its gradient, to (N, F, h, w).

    Convolutional networks have this layout already. Swin and similar transformers have
    (N, h, w, F). ViT and MLP-Mixer have L tokens, (N, L, F): first the class and register
    tokens, which belong to no place and are left out, then one token for each patch, row by
    row. In a ViT that is pooled by its class token, the patch tokens of the last layer have
    no gradient.

    Raises `ModelError` if there is no feature map: PiT and CrossViT give class tokens only,
    and CoaT and VOLO do not say how many class tokens they have.
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
    """Tell whether the feature axis is the last one, (N, h, w, F), not (N, F, h, w)."""
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
