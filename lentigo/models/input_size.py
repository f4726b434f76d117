"""Find the image size that a timm backbone takes, with a network that has no weights.

A network on torch's `meta` device has tensor shapes but uses no memory. So a second is
enough to find out whether even a large network takes images of 64 × 64 pixels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import nn

from lentigo.config import ModelConfig
from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ConfigError, ModelError
from lentigo.models.lora import adapted_layers
from lentigo.models.network import BUILD_ERRORS, create, expected_input
from lentigo.progress import log


def fit_to_size(config: ModelConfig, *, view: Sequence[str], size: int) -> ModelConfig:
    """Return `config` with the `img_size` that its backbone needs for `size` × `size` px.

    Most transformers are built for one image size and can be built for another; for them
    `img_size` is added to `backbone_args`. Convolutional networks take images of any size,
    and `config` is returned unchanged.

    Raises `ConfigError` if the backbone does not take such images; the message names a size
    that the backbone takes, if one is known.
    """
    channels = sum(INPUT_VIEWS[name] for name in view)
    arguments = json.dumps(config.backbone_args, sort_keys=True)
    problem = _problem(config.backbone, arguments, channels, size)
    if not problem:
        return config
    if "img_size" not in config.backbone_args:
        resized = {**config.backbone_args, "img_size": size}
        if not _problem(config.backbone, json.dumps(resized), channels, size):
            log.info("%s is built for images of %d pixels.", config.backbone, size)
            return config.model_copy(update={"backbone_args": resized})
    usual = _usual_size(config, channels)
    advice = f" Give --set training.image_size={usual}." if usual else ""
    raise ConfigError(
        f"{config.backbone} takes no images of {size} pixels ({problem}).{advice}"
    )


def check_adapts(config: ModelConfig, *, view: Sequence[str]) -> None:
    """Raise `ModelError` if `lora_rank` is given for a backbone that it does not fit."""
    if config.lora_rank:
        channels = sum(INPUT_VIEWS[name] for name in view)
        outline = _outline(config.backbone, dict(config.backbone_args), channels)
        adapted_layers(outline, name=config.backbone, rank=config.lora_rank)


def check_grows(config: ModelConfig, *, view: Sequence[str], sizes: Sequence[int]) -> None:
    """Raise `ConfigError` if a backbone does not take square images of one of `sizes`."""
    channels = sum(INPUT_VIEWS[name] for name in view)
    arguments = json.dumps(config.backbone_args, sort_keys=True)
    for size in sizes:
        if problem := _problem(config.backbone, arguments, channels, size):
            raise ConfigError(
                f"With training.progressive the images begin at {size} pixels, which "
                f"{config.backbone} does not take ({problem}). Give 1, or a larger share."
            )


def _usual_size(config: ModelConfig, channels: int) -> int:
    """The image size that the backbone was made for; 0 if it fails with that size, too."""
    arguments = {k: v for k, v in config.backbone_args.items() if k != "img_size"}
    usual = int(
        expected_input(_outline(config.backbone, arguments, channels))["input_size"][-1]
    )
    return 0 if _problem(config.backbone, json.dumps(arguments), channels, usual) else usual


@lru_cache(maxsize=64)
def _problem(backbone: str, arguments: str, channels: int, size: int) -> str:
    """Say why the backbone cannot train on `size` × `size` pixels; empty if it can."""
    try:
        outline = _outline(backbone, json.loads(arguments), channels)
        images = torch.zeros(2, channels, size, size, device="meta")
        with torch.no_grad():
            shapes = {outline.train(mode)(images).ndim for mode in (False, True)}
    except ModelError as error:
        return str(error).rstrip(".")
    except BUILD_ERRORS as error:
        return " ".join(str(error).split()).rstrip(".")[:120] or "it fails without a word"
    return "" if shapes == {2} else "its output is no list of features"


def _outline(backbone: str, arguments: dict[str, object], channels: int) -> nn.Module:
    config = ModelConfig(backbone=backbone, backbone_args=arguments, pretrained=False)
    with torch.device("meta"):
        return create(config, pretrained=False, channels=channels)
