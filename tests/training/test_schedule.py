"""The learning rate, as it is written in the papers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from torch.nn.functional import binary_cross_entropy_with_logits

from lentigo.config import ModelConfig, TrainConfig
from lentigo.errors import ConfigError
from lentigo.models.batch import Batch
from lentigo.models.network import build_model
from lentigo.training.schedule import (
    build_optimizer,
    epoch_length,
    first_averaged,
    first_settled,
    image_side,
    learning_rate,
    start_at_prior,
)
from lentigo.training.step import overflows, train_step


@pytest.mark.parametrize(("epoch", "expected"), [(0, 0.01), (20, 0.001), (40, 0.0001)])
def test_exponential_is_a_tenth_every_twenty_epochs(epoch: int, expected: float) -> None:
    config = TrainConfig(learning_rate=0.01, schedule="exponential", decay_epochs=20)
    rate = learning_rate(config, epoch * 7, steps_per_epoch=7)
    assert rate == pytest.approx(expected)


def test_cosine_warms_up_and_ends_near_zero() -> None:
    config = TrainConfig(learning_rate=1.0, schedule="cosine", warmup=0.1, epochs=10)
    rates = [learning_rate(config, step, steps_per_epoch=10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1.0)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.01
    assert all(later <= sooner for sooner, later in pairwise(rates[10:]))


def test_constant_is_constant() -> None:
    config = TrainConfig(learning_rate=0.3, schedule="constant")
    assert {learning_rate(config, step, steps_per_epoch=3) for step in range(20)} == {0.3}


def test_epochs_that_are_averaged_have_one_rate_and_cosine_falls_to_it() -> None:
    """Of eight epochs of ten steps, the last two at 0.4 of the rate."""
    config = TrainConfig(
        learning_rate=1.0, schedule="cosine", warmup=0.1, epochs=8, swa=0.25, swa_rate=0.4
    )
    assert first_averaged(config) == 6
    rates = [learning_rate(config, step, steps_per_epoch=10) for step in range(80)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[59] == pytest.approx(0.4, abs=0.002)
    assert set(rates[60:]) == {0.4}
    assert all(later <= sooner for sooner, later in pairwise(rates[6:60]))


def test_images_grow_in_four_steps_to_the_whole() -> None:
    """From 112 by 37.3 pixels each time, in multiples of 32."""
    config = TrainConfig(image_size=224, epochs=8, progressive=0.5)
    sides = [image_side(config, epoch) for epoch in range(8)]
    assert sides == [128, 128, 160, 160, 192, 192, 224, 224]
    frozen = TrainConfig(image_size=224, epochs=10, frozen_epochs=2, progressive=0.5)
    assert [image_side(frozen, epoch) for epoch in range(10)] == [224, 224, *sides]
    for epochs in (1, 2, 3):
        few = TrainConfig(image_size=224, epochs=epochs, progressive=0.2)
        assert image_side(few, epochs - 1) == 224
    plain = TrainConfig(image_size=200, epochs=8)
    assert {image_side(plain, epoch) for epoch in range(8)} == {200}


def test_results_are_compared_once_the_images_are_whole_and_weights_are_averaged() -> None:
    grown = TrainConfig(image_size=224, epochs=8, progressive=0.5)
    assert first_settled(grown) == 6
    assert first_settled(TrainConfig(epochs=8, swa=0.25)) == 6
    both = TrainConfig(image_size=224, epochs=8, progressive=0.5, swa=0.125)
    assert first_settled(both) == 7
    frozen = TrainConfig(image_size=224, epochs=10, frozen_epochs=2, progressive=0.5)
    assert first_settled(frozen) == 8
    assert first_settled(TrainConfig(epochs=8)) == 0


def test_averages_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="two ways to average"):
        TrainConfig(swa=0.25, average=0.9)
    with pytest.raises(ConfigError, match="averages all of the 1 epochs"):
        TrainConfig(swa=0.25, epochs=1)


def test_the_optimiser_holds_every_weight_once_and_decays_no_bias() -> None:
    model = build_model(ModelConfig(backbone="resnet10t", pretrained=False, hidden=4))
    optimizer = build_optimizer(model, TrainConfig(weight_decay=0.1))
    held = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(held) == len({id(p) for p in held}) == len(list(model.parameters()))
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            assert (group["weight_decay"] > 0) == (parameter.ndim > 1)


def test_weights_that_timm_exempts_do_not_decay() -> None:
    model = build_model(ModelConfig(backbone="test_vit", pretrained=False))
    optimizer = build_optimizer(model, TrainConfig(weight_decay=0.1))
    decayed = {
        id(weight): group["weight_decay"] > 0
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    names = dict(model.backbone.named_parameters())
    assert not decayed[id(names["pos_embed"])]
    assert not decayed[id(names["cls_token"])]
    assert decayed[id(names["blocks.0.attn.qkv.weight"])]
    assert len(decayed) == len(list(model.parameters()))


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_half_precision_takes_a_step_with_clipped_gradients(
    name: Literal["adam", "adamw", "sgd"],
) -> None:
    """The gradients of a scaled loss have to be unscaled before they are clipped."""
    precision = MixedPrecision(
        "16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=8)
    )
    fabric = Fabric(accelerator="cpu", devices=1, plugins=precision)
    model = build_model(ModelConfig(backbone="test_resnet", pretrained=False))
    before = model.output.weight.clone()
    config = TrainConfig(optimizer=name)
    optimizer = build_optimizer(model, config, scaled=overflows(fabric))
    taught, stepped = fabric.setup(model, optimizer)
    images = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    batch = Batch(images, torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.arange(4))
    lossy: Any = stepped
    train_step(fabric, taught, batch, binary_cross_entropy_with_logits, lossy)
    assert not torch.equal(model.output.weight, before)


def test_each_layer_learns_at_a_share_of_the_one_above() -> None:
    """ResNet-10t: a stem and four stages of one block each, here with decay 1/2."""
    model = build_model(ModelConfig(backbone="resnet10t", pretrained=False))
    config = TrainConfig(layer_decay=0.5, backbone_rate=0.1, learning_rate=1.0)
    optimizer = build_optimizer(model, config)
    rate = {
        id(weight): group["rate"]
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    backbone = dict(model.backbone.named_parameters())
    names = [f"layer{number}.0.conv1.weight" for number in (4, 3, 2, 1)]
    rates = [rate[id(backbone[name])] for name in ("conv1.0.weight", *reversed(names))]
    assert [above / below for below, above in pairwise(rates)] == pytest.approx([2.0] * 4)
    assert rates[-1] <= 0.1
    assert max(rate[id(weight)] for weight in backbone.values()) == pytest.approx(0.1)
    assert {rate[id(weight)] for weight in model.head.parameters()} == {1.0}
    assert len(rate) == len(list(model.parameters()))


def test_an_untaught_output_answers_the_prior() -> None:
    output = torch.nn.Linear(64, 1)
    start_at_prior(output, -4.02)
    answers = output(torch.randn(100, 64)).detach()
    assert answers.mean().item() == pytest.approx(-4.02, abs=0.05)


@pytest.mark.parametrize(
    ("wanted", "images", "expected"), [(None, 7, 7), (5, 7, 5), (5, 3, 3)]
)
def test_an_epoch_draws_no_image_twice(
    wanted: int | None, images: int, expected: int
) -> None:
    assert epoch_length(TrainConfig(epoch_images=wanted), images) == expected
