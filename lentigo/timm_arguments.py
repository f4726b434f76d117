"""The arguments of a timm network that may be given, and their allowed values.

They can come from a setting, a recipe or a model folder, and a model folder may come from
anybody. Many arguments of timm open a file, a pickle or a network connection
(`checkpoint_path`, `pretrained_cfg` …); none of those is allowed, nor is a new argument of
timm until it is added here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lentigo.errors import shown

BACKBONE_NAME = re.compile(r"[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100})?")
"""Pattern of the names of timm models; `hf-hub:…` and `local-dir:…` name places, not
models."""

_Check = tuple[str, Callable[[Any], bool]]


def _one_of(*words: str) -> _Check:
    return f"one of {', '.join(words)}", lambda value: value in words


def _whole(low: int, high: int) -> _Check:
    return (
        f"a whole number from {low} to {high}",
        lambda value: type(value) is int and low <= value <= high,
    )


def _share() -> _Check:
    return (
        "a number from 0 to below 1",
        lambda value: type(value) in {int, float} and 0 <= value < 1,
    )


def _yes_or_no() -> _Check:
    return "true or false", lambda value: type(value) is bool


_ACTIVATIONS = _one_of(
    "relu", "relu6", "leaky_relu", "elu", "gelu", "gelu_tanh", "quick_gelu", "silu",
    "swish", "mish", "hard_swish", "hard_sigmoid", "tanh", "sigmoid",
)  # fmt: skip

_STRIDES = {8, 16, 32}

ARGUMENTS: Mapping[str, _Check] = {
    "pad_type": _one_of("", "same", "valid"),
    "img_size": _whole(32, 1024),
    "dynamic_img_size": _yes_or_no(),
    "dynamic_img_pad": _yes_or_no(),
    "window_size": _whole(1, 64),
    "output_stride": (
        "8, 16 or 32",
        lambda value: type(value) is int and value in _STRIDES,
    ),
    "global_pool": _one_of("avg", "max", "avgmax", "catavgmax", "token", "map"),
    "act_layer": _ACTIVATIONS,
    "drop_rate": _share(),
    "drop_path_rate": _share(),
    "drop_block_rate": _share(),
    "attn_drop_rate": _share(),
    "proj_drop_rate": _share(),
    "pos_drop_rate": _share(),
    "patch_drop_rate": _share(),
}
"""The allowed arguments, each with a description and a test of its values."""


def check_backbone(name: str) -> str:
    """Return `name` if it has the form of a timm model's name.

    Otherwise raise `ValueError`.
    """
    if not BACKBONE_NAME.fullmatch(name):
        raise ValueError(
            "a backbone is the name of a timm model (lentigo list backbones), no place"
        )
    return name


def check_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` if all arguments and values are allowed.

    Otherwise raise `ValueError`.
    """
    for name, value in given.items():
        if name not in ARGUMENTS:
            raise ValueError(
                f"{str(name)[:60]} is not among the arguments that are handed on to timm: "
                f"{', '.join(ARGUMENTS)}"
            )
        sentence, allows = ARGUMENTS[name]
        if isinstance(value, list | dict | set) or not allows(value):
            raise ValueError(f"{name} is {sentence}, not {shown(value)}")
    return dict(given)
