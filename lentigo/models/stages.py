"""The first stages of a backbone, which a training may freeze."""

from __future__ import annotations

from dataclasses import dataclass

from timm.models import group_parameters
from torch import nn

from lentigo.errors import ModelError
from lentigo.models.network import BUILD_ERRORS, Classifier
from lentigo.words import counted


@dataclass(frozen=True)
class Stages:
    """Some stages of a backbone: their weights, and the layers that hold only these."""

    parameters: tuple[nn.Parameter, ...] = ()
    """The weights of these stages."""
    layers: tuple[nn.Module, ...] = ()
    """The layers all of whose weights are among them."""

    def freeze(self) -> None:
        """Freeze the weights (no gradients) and the batch statistics (evaluation mode)."""
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        for layer in self.layers:
            layer.eval()


def first_stages(model: Classifier, count: int) -> Stages:
    """Return the stem of the backbone of `model` and its first `count` stages.

    With `count` 0 the result is empty: not even the stem. Stages are the coarse groups into
    which timm divides the weights of a network. If they are frozen, the training neither
    computes nor stores gradients for them.

    Raises `ModelError` if timm knows no such groups, or if no stage would be left to learn.
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
    """Return the layers that have weights and whose weights are all among `names`."""
    found = []
    for prefix, layer in backbone.named_modules():
        own = [f"{prefix}.{name}" for name, _ in layer.named_parameters()]
        if prefix and own and names.issuperset(own):
            found.append(layer)
    return found
