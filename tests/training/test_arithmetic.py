"""The arithmetic of a run is chosen once and then kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lentigo.config import ModelConfig, TrainConfig
from lentigo.modeling.backbone import build_model
from lentigo.training import arithmetic
from lentigo.training.arithmetic import (
    Arithmetic,
    faster_arithmetic,
    read_arithmetic,
    settle_arithmetic,
)

TINY = ModelConfig(backbone="resnet10t", pretrained=False)


def test_a_precision_that_was_asked_for_is_taken_untried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(*_: object, **__: object) -> Arithmetic:
        raise AssertionError("it was measured")

    monkeypatch.setattr(arithmetic, "faster_arithmetic", tried)
    settle_arithmetic(build_model(TINY), TrainConfig(precision="bf16-mixed"), tmp_path)
    assert read_arithmetic(tmp_path).precision == "bf16-mixed"


def test_what_was_chosen_first_stays(tmp_path: Path) -> None:
    model = build_model(TINY)
    settle_arithmetic(model, TrainConfig(precision="bf16-mixed"), tmp_path)
    settle_arithmetic(model, TrainConfig(precision="32-true"), tmp_path)
    assert read_arithmetic(tmp_path).precision == "bf16-mixed"


@pytest.mark.parametrize("quick", ["32-true", "bf16-mixed"])
def test_the_quickest_is_taken_and_the_weights_stay(
    quick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(model: object, images: object, *, bf16: bool) -> float:
        return 1.0 if bf16 == (quick == "bf16-mixed") else 2.0

    monkeypatch.setattr(arithmetic, "_seconds", seconds)
    model = build_model(TINY)
    before = {name: value.clone() for name, value in model.named_parameters()}
    chosen = faster_arithmetic(model, size=32, device=torch.device("cpu"))
    assert chosen.precision == quick
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


def test_a_gain_within_the_noise_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(model: object, images: object, *, bf16: bool) -> float:
        return 0.97 if bf16 else 1.0

    monkeypatch.setattr(arithmetic, "_seconds", seconds)
    chosen = faster_arithmetic(build_model(TINY), size=32, device=torch.device("cpu"))
    assert chosen == Arithmetic("32-true", channels_last=False, device="cpu")
