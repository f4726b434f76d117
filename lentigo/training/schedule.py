"""The optimiser, its learning-rate schedule, and the image size in each epoch."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timm.models import group_parameters
from torch import nn

from lentigo.config import TrainConfig
from lentigo.errors import ModelError
from lentigo.models.network import BUILD_ERRORS, Classifier


def build_optimizer(
    model: Classifier,
    config: TrainConfig,
    *,
    frozen: Collection[nn.Parameter] = (),
    scaled: bool = False,
) -> torch.optim.Optimizer:
    """Return the optimiser of backbone and head, in groups with and without weight decay.

    Biases and the scales of normalisation layers have no weight decay, and neither have
    weights that timm exempts, such as the embedding of positions. `frozen` weights are left
    out. With a `layer_decay` below 1 each layer of the backbone has its own groups.
    `scaled` says that the loss is scaled against overflows (precision "16-mixed").

    Raises `ModelError` if `layer_decay` is not 1 and timm knows no layers of the backbone.
    """
    kept = set(map(id, frozen))
    scales = layer_scales(model.backbone, config.layer_decay)
    rates = {id(p): config.backbone_rate * s for p, s in scales}
    rates |= {id(p): 1.0 for p in model.head_parameters()}
    spared = _never_decayed(model.backbone)
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for part in (model.backbone, model.head):
        own = model.head_parameters() if part is model.head else list(part.parameters())
        for decayed in (True, False):
            for weight in own:
                plain = weight.ndim < 2 or id(weight) in spared
                if plain == decayed or id(weight) in kept:
                    continue
                decay = config.weight_decay if decayed else 0.0
                rate = rates[id(weight)]
                group = {"params": [], "weight_decay": decay, "rate": rate}
                key = (rate, decayed) if part is model.backbone else (math.inf, decayed)
                groups.setdefault(key, group)["params"].append(weight)
    return _make(list(groups.values()), config, scaled=scaled)


def _never_decayed(backbone: nn.Module) -> set[int]:
    """Return the ids of the weights that timm exempts from weight decay, by name."""
    names: set[str] = set(getattr(backbone, "no_weight_decay", set)())
    return {id(weight) for name, weight in backbone.named_parameters() if name in names}


def layer_scales(backbone: nn.Module, decay: float) -> list[tuple[nn.Parameter, float]]:
    """Return each weight of `backbone` with the factor of its learning rate.

    The factor is 1 for the last layer, and for each earlier layer `decay` times that of the
    next layer (Clark et al. 2020, arXiv:2003.10555; for images Bao et al. 2022,
    arXiv:2106.08254). Layers are the fine groups into which timm divides the weights. With
    a `decay` of 1 all factors are 1.

    Raises `ModelError` if `decay` is not 1 and timm knows no layers of the backbone.
    """
    weights = list(backbone.named_parameters())
    if decay == 1:
        return [(weight, 1.0) for _, weight in weights]
    try:
        matcher = backbone.group_matcher(coarse=False)  # type: ignore[operator]
        layers = group_parameters(backbone, matcher, reverse=True)
    except BUILD_ERRORS as error:
        raise ModelError(
            f"timm knows no layers of {type(backbone).__name__}, so training.layer_decay "
            "has to be 1."
        ) from error
    top = max(layers.values())
    return [(weight, decay ** (top - layers.get(name, top))) for name, weight in weights]


def restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of each weight, such as its moments, from the state of an optimiser.

    The settings of `optimizer`, such as its learning rate, are kept. Raises `ValueError` if
    `state` is that of an optimiser of other weights.
    """
    ours = [dict(group, params=[]) for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, settings in zip(optimizer.param_groups, ours, strict=True):
        group.update({name: v for name, v in settings.items() if name != "params"})
    for weight, gathered in optimizer.state.items():
        for value in gathered.values():
            if (
                isinstance(value, torch.Tensor)
                and value.ndim
                and value.shape != weight.shape
            ):
                raise ValueError("its tensors have other shapes")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of each weight: `rate` times its factor; 1 for the head."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate"]


def learning_rate(config: TrainConfig, step: int, *, steps_per_epoch: int) -> float:
    """The learning rate of the head at `step`, counted from 0 over the whole run.

    Schedule `constant` is `learning_rate` throughout; `exponential` is `learning_rate` ·
    0.1^(epoch / decay_epochs); `cosine` rises linearly over the warm-up and then falls to
    zero (Loshchilov & Hutter 2017, arXiv:1608.03983). In the epochs whose weights are
    averaged (`swa`), the rate is constant, `swa_rate` · `learning_rate`; `cosine` then
    falls to this rate, not to zero.
    """
    if config.swa and step // steps_per_epoch >= first_averaged(config):
        return config.learning_rate * config.swa_rate
    if config.schedule == "constant":
        return config.learning_rate
    if config.schedule == "exponential":
        epoch = step // steps_per_epoch
        return float(config.learning_rate * 0.1 ** (epoch / config.decay_epochs))
    total = first_averaged(config) * steps_per_epoch
    warm = max(1, round(config.warmup * total))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, total - warm)
    height = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    if config.swa:
        height = config.swa_rate + (1 - config.swa_rate) * height
    return config.learning_rate * height


def first_averaged(config: TrainConfig) -> int:
    """Return the first epoch, from 0, whose weights are averaged; else `epochs`."""
    if not config.swa:
        return config.epochs
    return config.epochs - max(1, round(config.swa * config.epochs))


_STEPS_OF_SIZE, _STRIDE = 4, 32


def image_side(config: TrainConfig, epoch: int) -> int:
    """Return the side of the training images in `epoch`, counted from 0, in pixels.

    With `progressive` below 1 the side grows from `progressive` · `image_size` to
    `image_size` in four steps of equally many epochs (Tan & Le 2021, arXiv:2104.00298),
    counted from the first epoch in which the backbone learns, in multiples of 32 pixels.
    The last epoch and the frozen epochs have the whole side.
    """
    whole = config.image_size
    learning = config.epochs - config.frozen_epochs
    place = epoch - config.frozen_epochs
    if config.progressive == 1 or place < 0 or place >= learning - 1:
        return whole
    done = (_STEPS_OF_SIZE * place // learning) / (_STEPS_OF_SIZE - 1)
    side = whole * (config.progressive + (1 - config.progressive) * done)
    return min(whole, max(_STRIDE, _STRIDE * round(side / _STRIDE)))


def first_settled(config: TrainConfig) -> int:
    """Return the first epoch, from 0, from which on the validation result may be compared.

    Before it the images grow (`progressive`), or the weights that are to be judged in the
    end are not averaged yet (`swa`).
    """
    smaller = [k for k in range(config.epochs) if image_side(config, k) < config.image_size]
    grown = max(smaller) + 1 if smaller else 0
    return max(grown, first_averaged(config)) if config.swa else grown


def _make(
    groups: list[dict[str, object]], config: TrainConfig, *, scaled: bool
) -> torch.optim.Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    # One fused pass over all weights: on a CPU a loop over tensors takes 3 × as long. It
    # would undo the scale of the gradients itself, after they have been clipped.
    return kind(groups, lr=config.learning_rate, fused=not scaled)


def start_at_prior(output: nn.Linear, logit: float) -> None:
    """Initialise the output layer so that it gives about `logit` for any image, in place.

    Its weights are also made small: with random weights the first logits would be far off.
    """
    with torch.no_grad():
        output.weight.mul_(0.01)
        output.bias.fill_(logit)


def start_at_shares(output: nn.Linear, shares: NDArray[np.float64]) -> None:
    """Initialise the output layer of K classes to give `shares`, (K,), for any image."""
    with torch.no_grad():
        output.weight.mul_(0.01)
        output.bias.copy_(torch.from_numpy(np.log(np.maximum(shares, 1e-6))))


def epoch_length(config: TrainConfig, count: int) -> int:
    """Return the number of images of an epoch: `epoch_images`, at most `count` (all).

    If an epoch drew the images of a small data set several times, it would overfit.
    """
    return min(config.epoch_images or count, count)
