"""Build the network: any timm backbone, global average pooling, and a head of one logit."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_model_data_config
from timm.models import adapt_input_conv
from torch import Tensor, nn

from lentigo.config import ModelConfig
from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ConfigError, DatasetNotFoundError, ModelError, unknown_name
from lentigo.models.classifier import Classifier as Classifier
from lentigo.models.classifier import Scaling, as_channels
from lentigo.models.lora import add_adapters
from lentigo.models.metadata import MetadataEncoding
from lentigo.models.pooling import pool_generalized
from lentigo.models.weights import read_layout, read_weights, some_names
from lentigo.progress import log
from lentigo.visible import named

BUILD_ERRORS = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    RuntimeError,
    ZeroDivisionError,
    OSError,
)
"""Exceptions of timm if it cannot build a network, or if the network rejects an image."""


@dataclass(frozen=True)
class Adaptation:
    """Backbone arguments and scaling for weights files, where timm's own do not fit."""

    backbone_args: dict[str, Any]
    mean: Scaling
    """Mean of each channel that the network subtracts, scaled to 0–1; `std`: standard
    deviation."""
    std: Scaling


ADAPTATIONS = {
    # timm lists this network without weights. Those in circulation were trained in
    # TensorFlow: its padding is not symmetric, and its inputs run from -1 to 1.
    "mobilenet_edgetpu_100": Adaptation({"pad_type": "same"}, (0.5,) * 3, (0.5,) * 3),
}


def resolve(config: ModelConfig, *, backbone_given: bool = True) -> ModelConfig:
    """Return `config` completed with what the weights file decides.

    If the weights file is named after a timm model, this model becomes the backbone, unless
    the user chose one (`backbone_given`). Some weights files need other backbone arguments,
    mean and standard deviation (`ADAPTATIONS`); values in the settings always win. The path
    of the weights file becomes absolute.

    Raises:
        UnknownNameError: timm has no such backbone; the message names similar ones.
        DatasetNotFoundError: there is no such weights file.
    """
    changes: dict[str, Any] = {}
    backbone = config.backbone
    if config.weights is not None:
        if not config.weights.is_file():
            raise DatasetNotFoundError(f"There is no weights file {config.weights}.")
        # What is stored in a run folder has to be found again from any other folder.
        changes["weights"] = config.weights.resolve()
        named = config.weights.stem.partition(".")[0]
        if not backbone_given and timm.is_model(named) and named != backbone:
            changes["backbone"] = backbone = named
    if not timm.is_model(backbone):
        raise unknown_name("backbone", backbone, timm.list_models())
    adaptation = ADAPTATIONS.get(backbone) if config.weights is not None else None
    if adaptation is not None:
        changes["backbone_args"] = {**adaptation.backbone_args, **config.backbone_args}
        changes["mean"] = config.mean or adaptation.mean
        changes["std"] = config.std or adaptation.std
    return config.model_copy(update=changes)


def build_model(
    config: ModelConfig,
    *,
    view: Sequence[str] = ("rgb",),
    initial: bool = True,
    features: int | None = None,
    classes: Sequence[str] = (),
    metadata: MetadataEncoding | None = None,
) -> Classifier:
    """Build the network that `config` describes, with its starting weights.

    It takes the channels of `view`. Starting weights for RGB are adapted: the weights of
    the first layer are summed for one channel, else repeated and scaled to the same total.
    With `initial=False` the weights stay random, for a caller that loads its own.
    `features` is the number of the backbone's pooled features; without it they are counted
    on a blank image. With `classes` the network has an output for each of them; see
    `Classifier.tell_apart`. With a `metadata` encoding it also takes age, sex and site.
    With `initial` and `lora_rank` the backbone gets adapters to train (`lora`).

    Raises:
        UnknownNameError: timm has no such backbone.
        ModelError: the weights are not available, or do not fit the backbone.
        ConfigError: the length of mean or std is neither 3 nor the number of channels.
    """
    if not timm.is_model(config.backbone):
        raise unknown_name("backbone", config.backbone, timm.list_models())
    from_hub = initial and config.pretrained and config.weights is None
    channels = sum(INPUT_VIEWS[name] for name in view)
    backbone = create(config, pretrained=from_hub, channels=channels)
    expected = expected_input(backbone)
    if initial and config.weights is not None:
        load_backbone(backbone, config.weights, name=config.backbone)
    if initial and config.lora_rank:
        rank, alpha = config.lora_rank, config.lora_alpha
        add_adapters(backbone, name=config.backbone, rank=rank, alpha=alpha)
    if config.pooling == "gem":
        pool_generalized(backbone, config.backbone)
    network = Classifier(
        backbone,
        mean=_spread(config.mean or expected["mean"], view),
        std=_spread(config.std or expected["std"], view),
        hidden=config.hidden,
        dropout=config.dropout,
        features=features or _counted(backbone, config, channels),
        metadata=metadata,
    )
    if classes:
        network.tell_apart(classes)
    return network


def _counted(backbone: nn.Module, config: ModelConfig, channels: int) -> int:
    size = int(config.backbone_args.get("img_size", 0))
    try:
        return feature_count(backbone, channels=channels, size=size)
    except BUILD_ERRORS as error:
        raise ModelError(
            f"{config.backbone} with {_arguments(config)} cannot look at an image: "
            f"{_first_line(error)}."
        ) from error


def build_from(
    state: Mapping[str, Tensor],
    config: ModelConfig,
    *,
    view: Sequence[str],
    features: int,
    classes: Sequence[str] = (),
    metadata: MetadataEncoding | None = None,
) -> Classifier:
    """Build the network that `config` describes with the weights `state`, which must fit.

    `features` is the number of pooled features of the backbone; `classes` are as for
    `Classifier.tell_apart`, empty for one logit. To save time, no random weights are drawn
    first, unless the network has tensors besides its weights.
    """
    outline = partial(
        build_model, config, view=view, initial=False, features=features, classes=classes,
        metadata=metadata,
    )  # fmt: skip
    with torch.device("meta"):
        network = outline()
    if _is_all_weights(network):
        scaling = [config.mean, config.std]
        network.to_empty(device="cpu")
        for name, values in zip(("mean", "std"), scaling, strict=True):
            given = values or expected_input(network.backbone)[name]
            network.register_buffer(
                name, as_channels(_spread(given, view)), persistent=False
            )
    else:
        network = outline()
    network.load_state_dict(state)
    return network


def _is_all_weights(network: Classifier) -> bool:
    """Tell whether a network has no tensors besides its weights, `mean` and `std`."""
    kept = {*network.state_dict(), "mean", "std"}
    if {name for name, _ in network.named_buffers()} - kept:
        return False
    loose = (value for module in network.modules() for value in vars(module).values())
    return not any(isinstance(value, Tensor) for value in loose)


def load_backbone(backbone: nn.Module, path: Path, *, name: str) -> None:
    """Load the weights of `backbone` from a safetensors file; other weights are ignored.

    The names in the file are those of timm, also within a wrapping, such as `backbone.` of
    our own networks or `teacher.module.backbone.` of self-supervised ones (`wrapping`).
    `name` is the backbone's name, for messages. Raises `ModelError` if a weight is missing
    or has another shape or kind of type, and what `read_weights` raises.
    """
    layout = read_layout(path)
    wanted = backbone.state_dict()
    prefix = wrapping(layout, wanted)
    there = {k.removeprefix(prefix): k for k in layout if k.startswith(prefix)}
    missing = [key for key in wanted if key not in there]
    # Not every converter writes this counter, and at our momentum it is never read.
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise _does_not_fit(path, name, wanted, missing, [])
    mine = {key: there[key] for key in wanted if key in there}
    read = read_weights(path, mine.values())
    state = _adapted({key: read[whole] for key, whole in mine.items()}, backbone, wanted)
    other = [key for key, value in state.items() if value.shape != wanted[key].shape]
    other += [
        key
        for key, whole in mine.items()
        if (kind := layout[whole].dtype) is None
        or kind.is_floating_point != wanted[key].is_floating_point()
    ]
    if other:
        raise _does_not_fit(path, name, wanted, missing, other)
    backbone.load_state_dict(state, strict=False)


def wrapping(names: Iterable[str], wanted: Iterable[str]) -> str:
    """Return the prefix of `names` under which most of the weights `wanted` are found.

    Checkpoints of self-supervised training hold a network as `teacher.backbone.`, those of
    several devices as `module.`. Of several equally good prefixes the plain one is chosen,
    else one with a teacher in it (in DINO and its like the better network), else one with
    an average (`ema`), else the shortest.
    """
    known, all_wanted = set(names), list(wanted)
    found = {""}
    for first in all_wanted[:_TRIED]:
        found |= {name.removesuffix(first) for name in known if name.endswith("." + first)}

    def order(prefix: str) -> tuple[int, bool, bool, bool, int, str]:
        there = sum(prefix + each in known for each in all_wanted)
        words = prefix.split(".")
        taught = any("teacher" in word for word in words)
        averaged = any("ema" in word.split("_") for word in words)
        return -there, prefix != "", not taught, not averaged, len(prefix), prefix

    return min(found, key=order)


_TRIED = 3
"""Number of weights by whose names a wrapping is looked for."""


def _does_not_fit(
    path: Path,
    name: str,
    wanted: Mapping[str, Tensor],
    missing: list[str],
    other: list[str],
) -> ModelError:
    return ModelError(
        f"{path} does not fit {name}: of {len(wanted):,} weights {len(missing):,} are "
        f"missing and {len(other):,} have another shape ({some_names(missing + other)}). "
        "Name the backbone it was made for with --set model.backbone=NAME."
    )


def _adapted(
    state: dict[str, Tensor], backbone: nn.Module, wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return `state`, adapted if needed to other channels than RGB and other sizes.

    `wanted` are the weights of `backbone`, whose shapes decide.
    """
    _adapt_first_layer(state, backbone, wanted)
    if all(value.shape == wanted[key].shape for key, value in state.items()):
        return state
    # timm knows how the places of a transformer are spread over another size.
    resize = getattr(sys.modules[type(backbone).__module__], "checkpoint_filter_fn", None)
    try:
        resized = resize(dict(state), backbone) if resize else state
    except BUILD_ERRORS:
        return state
    return {key: resized.get(key, value) for key, value in state.items()}


def _adapt_first_layer(
    state: dict[str, Tensor], backbone: nn.Module, wanted: Mapping[str, Tensor]
) -> None:
    """Adapt first-layer weights for RGB to the channels of `backbone`, in place."""
    first = getattr(backbone, "pretrained_cfg", {}).get("first_conv") or ()
    for layer in (first,) if isinstance(first, str) else first:
        key = f"{layer}.weight"
        if key in state and key in wanted and state[key].ndim == 4:
            channels = wanted[key].shape[1]
            if state[key].shape[1] == 3 != channels:
                state[key] = adapt_input_conv(channels, state[key])


def _spread(values: Scaling, view: Sequence[str]) -> Scaling:
    """Return one number for each channel of `view`, from 3 numbers (RGB) or one a channel.

    A one-channel view gets the mean of the 3 numbers. Raises `ConfigError` if the length is
    another one.
    """
    counts = [INPUT_VIEWS[name] for name in view]
    if len(values) == 3:
        mean = (sum(values) / 3,)
        return tuple(v for count in counts for v in (values if count == 3 else mean))
    if len(values) != sum(counts):
        raise ConfigError(
            f"model.mean or model.std has {len(values)} numbers, but {' + '.join(view)} "
            f"has {sum(counts)} channels: give 3 numbers, or one a channel."
        )
    return values


def feature_count(backbone: nn.Module, *, channels: int = 3, size: int = 0) -> int:
    """Return the number of pooled features of `backbone` for `size` × `size` pixels.

    With `size` 0 the image size is the one that the backbone was made for.
    """
    # Asked of the network itself: timm's num_features is not always what comes out.
    sides = (size, size) if size else expected_input(backbone)["input_size"][1:]
    was_training = backbone.training
    backbone.eval()
    with torch.inference_mode():
        width = backbone(torch.zeros(1, channels, *sides)).shape[-1]
    backbone.train(was_training)
    return int(width)


def create(config: ModelConfig, *, pretrained: bool, channels: int) -> nn.Module:
    """Build the timm backbone of `config` for images with `channels` channels.

    Raises `ModelError` if timm cannot build it, or if pretrained weights are not available.
    """
    if pretrained and not timm.is_model_pretrained(config.backbone):
        raise ModelError(
            f"timm has no pretrained weights for {config.backbone}. Give a file with "
            "--weights, or start from random weights with --set model.pretrained=false."
        )
    if pretrained:
        log.info("The weights of %s come from timm's hub.", config.backbone)
        # It repeats each failed request a dozen times; our error says it once.
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    inputs: dict[str, Any] = {} if channels == 3 else {"in_chans": channels}
    try:
        model: nn.Module = timm.create_model(
            config.backbone,
            pretrained=pretrained,
            num_classes=0,
            **config.backbone_args,
            **inputs,
        )
    except TypeError as error:
        raise ModelError(
            f"{config.backbone} does not take these backbone_args: {error}."
        ) from error
    except BUILD_ERRORS as error:
        if not pretrained:
            raise ModelError(
                f"timm cannot build {config.backbone} with {_arguments(config)}: "
                f"{_first_line(error)}. Change model.backbone or model.backbone_args."
            ) from error
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise ModelError(
            f"The pretrained weights of {config.backbone} cannot be fetched from timm's "
            f"hub{offline}: {_first_line(error)}. Check the network, give a file with "
            "--weights, or start from random weights with --set model.pretrained=false."
        ) from error
    return model


def _arguments(config: ModelConfig) -> str:
    given = (f"{name}={value}" for name, value in config.backbone_args.items())
    return ", ".join(given) or "no arguments"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return named(lines[0] if lines else type(error).__name__).rstrip(".")


def expected_input(backbone: nn.Module) -> dict[str, Any]:
    """Return timm's data configuration of a backbone: input size, mean, std …"""
    expected: dict[str, Any] = resolve_model_data_config(backbone)  # type: ignore[no-untyped-call]
    return expected
