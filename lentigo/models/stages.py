"""The first stages of a backbone, which a training may leave as they are."""

from __future__ import annotations

from dataclasses import dataclass

from timm.models import group_parameters
from torch import nn

from lentigo.errors import ModelError
from lentigo.models.network import BUILD_ERRORS, Classifier
from lentigo.words import counted


@dataclass(frozen=True)
class Stages:
    """Part of a backbone: its weights, and the layers that hold nothing else."""

    parameters: tuple[nn.Parameter, ...] = ()
    layers: tuple[nn.Module, ...] = ()

    def freeze(self) -> None:
        """Let these weights and their batch statistics stay as they are."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        for layer in self.layers:
            layer.eval()


def first_stages(model: Classifier, count: int) -> Stages:
    """Return the stem of the backbone of `model` and its first `count` stages.

    Stages are the coarse groups that timm forms of the weights of each network; without a
    count it is none of them. As nothing before the first weight that learns has a
    gradient, the training neither computes nor stores one there.

    Raises `ModelError` where the backbone has no such groups, or none would be left.
    """
    if not count:
        return Stages()
    backbone, name = model.backbone, type(model.backbone).__name__
    try:
        matcher = backbone.group_matcher(coarse=True)  # type: ignore[operator]
        groups = group_parameters(backbone, matcher)
    except BUILD_ERRORS as error:
        raise ModelError(
            f"timm knows no stages of {name}, so training.frozen_stages has to be 0."
        ) from error
    numbers = sorted(groups)
    if count + 1 >= len(numbers):
        raise ModelError(
            f"{name} has {counted(len(numbers) - 1, 'stage')} behind its stem, of which "
            f"training.frozen_stages {count} would leave none to learn; give at most "
            f"{max(0, len(numbers) - 2)}."
        )
    names = {name for number in numbers[: count + 1] for name in groups[number]}
    weights = dict(backbone.named_parameters())
    return Stages(
        tuple(value for name, value in weights.items() if name in names),
        tuple(_only(backbone, names)),
    )


def _only(backbone: nn.Module, names: set[str]) -> list[nn.Module]:
    """The layers all of whose weights are among `names`."""
    found = []
    for prefix, layer in backbone.named_modules():
        own = [f"{prefix}.{name}" for name, _ in layer.named_parameters()]
        if prefix and own and names.issuperset(own):
            found.append(layer)
    return found
