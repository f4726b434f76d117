"""Frozen stages stay as they are, cost no gradient, and are named by timm."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from lentigo.config import ModelConfig, TrainConfig
from lentigo.errors import ModelError
from lentigo.models.network import Classifier, build_model
from lentigo.models.stages import first_stages
from lentigo.training.schedule import build_optimizer
from lentigo.training.step import set_mode

TINY = ModelConfig(backbone="resnet10t", pretrained=False)


def names_of(model: Classifier, count: int) -> set[str]:
    kept = {id(each) for each in first_stages(model, count).parameters}
    found = {name for name, each in model.backbone.named_parameters() if id(each) in kept}
    return {name.partition(".")[0] for name in found}


def test_the_stem_and_the_first_stages_are_frozen() -> None:
    model = build_model(TINY)
    assert names_of(model, 0) == set()
    assert names_of(model, 1) == {"conv1", "bn1", "layer1"}
    assert names_of(model, 3) == {"conv1", "bn1", "layer1", "layer2", "layer3"}


@pytest.mark.parametrize("count", [4, 9])
def test_one_stage_at_least_has_to_learn(count: int) -> None:
    with pytest.raises(ModelError, match=r"4 stages behind its stem.*give at most 3"):
        first_stages(build_model(TINY), count)


def test_a_network_without_stages_says_so() -> None:
    bare = Classifier(
        nn.Flatten(), mean=(0.5,) * 3, std=(0.5,) * 3, hidden=0, dropout=0, features=12
    )
    with pytest.raises(ModelError, match="timm knows no stages of Flatten"):
        first_stages(bare, 1)


def learn(model: Classifier, count: int, *, steps: int, side: int = 32) -> float:
    """Seconds of a few steps, of which the first warms up."""
    stages = first_stages(model, count)
    optimizer = build_optimizer(
        model, TrainConfig(weight_decay=0.1, learning_rate=0.1), frozen=stages.parameters
    )
    set_mode(model, frozen=False, stages=stages)
    images = torch.randint(0, 256, (8, 3, side, side), dtype=torch.uint8)
    best = float("inf")
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        model(images).sum().backward()
        optimizer.step()
        best = min(best, time.perf_counter() - start)
    return best


def test_frozen_weights_and_statistics_keep_their_bits_and_others_do_not() -> None:
    torch.manual_seed(0)
    model = build_model(TINY)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learn(model, 2, steps=2)
    for name, value in model.state_dict().items():
        frozen = name.startswith(("backbone.conv1", "backbone.bn1", "backbone.layer1",
                                  "backbone.layer2"))  # fmt: skip
        if frozen:
            assert torch.equal(value, before[name]), name
    assert not torch.equal(model.output.weight, before["head.1.weight"])
    later = "backbone.layer3.0.bn1.running_mean"
    assert not torch.equal(model.state_dict()[later], before[later])
    gradients = dict(model.backbone.named_parameters())
    assert gradients["layer1.0.conv1.weight"].grad is None


def test_a_step_takes_less_time_where_stages_are_frozen() -> None:
    torch.manual_seed(0)
    whole = learn(build_model(TINY), 0, steps=6, side=64)
    assert learn(build_model(TINY), 3, steps=6, side=64) < whole
