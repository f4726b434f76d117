"""Training steps are compiled where that pays back, and learn the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lentigo.config import ModelConfig, TrainConfig
from lentigo.errors import ConfigError
from lentigo.models.network import build_model
from lentigo.run_layout import FoldLayout
from lentigo.training import arithmetic
from lentigo.training.arithmetic import Arithmetic, read_arithmetic, settle_arithmetic
from lentigo.training.compiling import Compiling, check_compiles, measure_compiling
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.loop import fit
from lentigo.training.trainer import Trainer
from tests.cohorts import tiny_config
from tests.training.test_trainer import examples

TINY = ModelConfig(backbone="resnet10t", pretrained=False)
CPU = torch.device("cpu")


def test_compiling_has_to_pay_back_within_the_run() -> None:
    """30 s, three times: 90 s, which 100 ms a step give back in 900 steps."""
    found = Compiling(once=30.0, plain=0.3, compiled=0.2)
    assert not found.pays_back(899)
    assert found.pays_back(901)
    assert not Compiling(once=1.0, plain=0.2, compiled=0.3).pays_back(10**9)


@pytest.mark.parametrize(
    ("found", "images", "pays"),
    [
        (Compiling(30.0, 0.3, 0.2), 32 * 91 * 10, True),  # ten epochs of 91 steps
        (Compiling(30.0, 0.3, 0.2), 32 * 89, False),
        (None, 32 * 91 * 10, False),  # it cannot be compiled
    ],
)
def test_on_a_gpu_it_is_measured_and_written_down(
    found: Compiling | None,
    images: int,
    pays: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def measured(_model: object, **how: Any) -> Compiling | None:
        asked.append(how)
        return found

    monkeypatch.setattr(arithmetic, "device_of", lambda _: torch.device("cuda"))
    monkeypatch.setattr(arithmetic, "_situation", lambda *_: "here")
    monkeypatch.setattr(arithmetic, "measure_compiling", measured)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = TrainConfig(
        precision="bf16-mixed", batch_size=64, devices=2, epochs=10, frozen_epochs=0,
        image_size=64,
    )  # fmt: skip
    for name in ("a", "b"):  # the clock decides once
        (tmp_path / name).mkdir()
        settle_arithmetic(build_model(TINY), config, tmp_path / name, images=2 * images)
        assert read_arithmetic(tmp_path / name).compiled == pays
    whole = {
        "size": 64, "batch": 32, "device": torch.device("cuda"),
        "short": torch.bfloat16, "frozen_stages": config.frozen_stages,
    }  # fmt: skip
    assert asked == [whole] * (1 if found else 2)


@pytest.mark.parametrize(
    "more",
    [
        {"compile": "never"},
        {"compile": "auto", "accelerator": "cpu"},
        {"compile": "always", "method": "logistic", "frozen_epochs": 1, "epochs": 1},
        {"compile": "auto", "frozen_epochs": 1, "epochs": 1},  # the head alone learns
    ],
)
def test_where_nothing_can_be_gained_nothing_is_measured(
    more: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tried(*_: object, **__: object) -> None:
        raise AssertionError("it was measured")

    if "accelerator" not in more:
        monkeypatch.setattr(arithmetic, "device_of", lambda _: torch.device("cuda"))
    monkeypatch.setattr(arithmetic, "measure_compiling", tried)
    config = TrainConfig(precision="32-true", **more)
    settle_arithmetic(build_model(TINY), config, tmp_path, images=10**6)
    assert not read_arithmetic(tmp_path).compiled


def test_without_a_compiler_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("No working C++ compiler found\nmore lines")

    monkeypatch.setattr(torch, "compile", missing)
    config = TrainConfig(precision="32-true", accelerator="cpu", compile="always")
    with pytest.raises(ConfigError, match=r"compiler found\).*training.compile=never"):
        settle_arithmetic(build_model(TINY), config, tmp_path)
    assert not list(tmp_path.iterdir())
    assert (
        measure_compiling(build_model(TINY), size=32, batch=2, device=CPU, short=None)
        is None
    )


def test_measuring_leaves_the_network_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda network, **_: network)
    model = build_model(TINY)
    before = {name: value.clone() for name, value in model.named_parameters()}
    found = measure_compiling(
        model, size=32, batch=2, device=CPU, short=torch.bfloat16, frozen_stages=1
    )
    assert found is not None
    assert found.plain > 0
    assert found.compiled > 0
    for name, weight in model.named_parameters():
        assert torch.equal(before[name], weight), name
        assert weight.requires_grad, name
        assert weight.grad is None, name


def test_what_is_compiled_is_kept_in_the_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch chooses a folder when the first is compiled, and keeps to it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept: list[str | None] = []

    def noted(network: Any, **_: object) -> Any:
        kept.append(os.environ.get("TORCHINDUCTOR_CACHE_DIR"))
        return network

    monkeypatch.setattr(torch, "compile", noted)
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    check_compiles(CPU)
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    measure_compiling(build_model(TINY), size=32, batch=2, device=CPU, short=None)
    assert kept == [str(tmp_path / "lentigo" / "compiled")] * 2


def trained(folder: Path, *, compile: bool) -> Trainer:
    folder.mkdir()
    torch.manual_seed(0)
    config = tiny_config(training__batch_size=8, training__epochs=2, training__average=0.0)
    fold = Fold(
        FoldLayout(folder), config, examples(21, 0), examples(12, 1), compiled=compile
    )
    fabric = make_fabric(config.training, Arithmetic(device="cpu"))
    trainer = Trainer(fabric, build_model(config.model), fold)
    fit(trainer)
    return trainer


def test_the_steps_alone_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is judged and saved is the network itself, under its own names."""
    compiled: list[nn.Module] = []

    def noted(network: nn.Module, **_: object) -> nn.Module:
        compiled.append(network)
        return network

    monkeypatch.setattr(torch, "compile", noted)
    trainer = trained(tmp_path / "fold-0", compile=True)
    assert [type(each).__name__ for each in compiled] == ["Taught"]
    assert trainer.judged is trainer.model
    assert set(trainer.state()["model"]) == set(
        build_model(tiny_config().model).state_dict()
    )


@pytest.mark.slow
def test_a_compiled_training_learns_what_a_plain_one_learns(tmp_path: Path) -> None:
    try:
        check_compiles(CPU)
    except ConfigError as error:
        pytest.skip(str(error))
    plain, compiled, again = (
        trained(tmp_path / name, compile=how)
        for name, how in (("plain", False), ("compiled", True), ("again", True))
    )
    for name, value in plain.model.state_dict().items():
        other, third = (each.model.state_dict()[name] for each in (compiled, again))
        assert torch.equal(other, third), name
        torch.testing.assert_close(other, value, rtol=1e-3, atol=1e-4, msg=name)
