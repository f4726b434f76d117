"""The arithmetic of a run is chosen once and then kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lentigo.config import ModelConfig, TrainConfig
from lentigo.errors import RunError
from lentigo.json_files import write_json
from lentigo.models.network import Classifier, build_model
from lentigo.training import arithmetic, soup
from lentigo.training.arithmetic import (
    Arithmetic,
    faster_arithmetic,
    read_arithmetic,
    settle_arithmetic,
    short_precision,
)
from lentigo.training.data import Examples

CPU = torch.device("cpu")
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
    def seconds(_model: object, _images: object, *, short: torch.dtype | None) -> float:
        return 1.0 if (short is not None) == (quick == "bf16-mixed") else 2.0

    monkeypatch.setattr(arithmetic, "step_seconds", seconds)
    model = build_model(TINY)
    before = {name: value.clone() for name, value in model.named_parameters()}
    chosen = faster_arithmetic(model, size=32, device=CPU, batch=8)
    assert chosen.precision == quick
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


@pytest.mark.parametrize(
    ("size", "batch", "timed"), [(72, 32, 32), (160, 64, 32), (299, 32, 9), (512, 32, 8),
                                 (512, 4, 4)],
)  # fmt: skip
def test_a_whole_batch_is_timed_unless_its_images_are_large(
    size: int, batch: int, timed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of few small images is spent on the weights, and tells nothing of a batch."""
    counts: set[int] = set()

    def seconds(_: object, images: torch.Tensor, *, short: torch.dtype | None) -> float:
        counts.add(len(images))
        return 1.0

    monkeypatch.setattr(arithmetic, "step_seconds", seconds)
    faster_arithmetic(build_model(TINY), size=size, device=CPU, batch=batch)
    assert counts == {timed}


@pytest.mark.parametrize(("behind", "times"), [(1.4, 5), (1.6, 2), (3.9, 2), (4.1, 1)])
def test_a_way_that_is_far_behind_is_not_timed_to_the_end(
    behind: float, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    laps = {"bf16": 0, "32": 0}

    def seconds(_: object, __: object, *, short: torch.dtype | None) -> float:
        laps["32" if short is None else "bf16"] += 1
        return 1.0 if short is None else behind

    monkeypatch.setattr(arithmetic, "step_seconds", seconds)
    chosen = faster_arithmetic(build_model(TINY), size=32, device=CPU, batch=8)
    assert chosen.precision == "32-true"
    assert laps == {"bf16": 2 * times, "32": 2 * 5}


def test_a_gain_within_the_noise_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(_model: object, _images: object, *, short: torch.dtype | None) -> float:
        return 0.97 if short is not None else 1.0

    monkeypatch.setattr(arithmetic, "step_seconds", seconds)
    chosen = faster_arithmetic(build_model(TINY), size=32, device=CPU, batch=8)
    assert chosen == Arithmetic("32-true", channels_last=False, device="cpu")


def test_what_is_timed_is_a_step_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images as a batch has them in memory, and the first stages without gradients."""
    rows = np.arange(2)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    examples = Examples(images, rows, rows.astype(np.float32), size=32)
    batch = examples.__getitems__([(0, ()), (1, ())])
    found: list[tuple[int, ...]] = []

    def seconds(model: Classifier, images: torch.Tensor, **_: object) -> float:
        assert images.shape == (12, 3, 32, 32)
        assert images[:2].stride() == batch.images.stride()
        assert not model.backbone.get_parameter("layer1.0.conv1.weight").requires_grad
        assert model.backbone.get_parameter("layer2.0.conv1.weight").requires_grad
        found.append(images.stride())
        return 1.0

    monkeypatch.setattr(arithmetic, "step_seconds", seconds)
    model = build_model(TINY)
    faster_arithmetic(model, size=32, device=CPU, batch=12, frozen_stages=1)
    assert len(found) == 20
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_gpu_without_bf16_computes_in_half_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for known, precision in ((True, "bf16-mixed"), (False, "16-mixed")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda known=known, **_: known)
        assert short_precision(torch.device("cuda")) == precision
    assert short_precision(torch.device("cpu")) == "bf16-mixed"


def measured_as(monkeypatch: pytest.MonkeyPatch, *answers: Arithmetic) -> list[Arithmetic]:
    """Let the measuring answer these, one a time; what is left of them is returned."""
    left = list(answers)
    monkeypatch.setattr(arithmetic, "faster_arithmetic", lambda *_, **__: left.pop(0))
    return left


def test_what_the_clock_chose_once_is_chosen_by_the_same_command_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = Arithmetic("bf16-mixed", device="cpu", frozen_by="onnx")
    second = Arithmetic(device="cpu", frozen_by="onnx")
    left = measured_as(monkeypatch, first, second)
    model = build_model(TINY)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        settle_arithmetic(model, TrainConfig(image_size=64), tmp_path / name)
        assert read_arithmetic(tmp_path / name) == first
    assert left == [second]
    (tmp_path / "c").mkdir()
    settle_arithmetic(model, TrainConfig(image_size=96), tmp_path / "c")
    assert left == []  # another size is another question
    other = measured_as(monkeypatch, second)
    (tmp_path / "d").mkdir()
    settle_arithmetic(model, TrainConfig(image_size=64, batch_size=8), tmp_path / "d")
    assert other == []  # and another batch, too


def test_what_cannot_be_remembered_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").touch()  # a file where a folder should be
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    left = measured_as(monkeypatch, Arithmetic(device="cpu"))
    settle_arithmetic(build_model(TINY), TrainConfig(), tmp_path)
    assert left == []


def test_a_run_does_not_go_on_where_its_device_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    write_json(tmp_path / "arithmetic.json", {"precision": "bf16-mixed", "device": "cuda"})
    with pytest.raises(RunError, match="of the kind cuda, which is not here"):
        settle_arithmetic(build_model(TINY), TrainConfig(), tmp_path)


def test_each_way_is_timed_five_times_in_its_own_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = build_model(TINY)
    timed: list[tuple[bool, object]] = []

    def step(model: nn.Module, images: Tensor, *, short: torch.dtype | None) -> float:
        wide = next(
            each for each in model.parameters() if each.ndim == 4 and each.shape[2] > 1
        )
        timed.append((wide.is_contiguous(memory_format=torch.channels_last), short))
        assert images.shape[0] == 8
        return 1.0

    monkeypatch.setattr(arithmetic, "step_seconds", step)
    arithmetic.faster_arithmetic(model, size=32, device=CPU, batch=8)
    assert len(timed) == 5 * 4
    assert [last for last, _ in timed] == [False, True] * 10
    assert [short for _, short in timed[:4]] == [None, None, torch.bfloat16, torch.bfloat16]


def test_steps_that_are_always_compiled_are_tried_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[torch.device] = []
    monkeypatch.setattr(arithmetic, "check_compiles", asked.append)
    model, chosen = build_model(TINY), arithmetic.Arithmetic()
    always = {"compile": "always", "accelerator": "cpu"}
    for method, compiles in (("gradient", True), ("logistic", False)):
        config = TrainConfig.model_validate({**always, "method": method})
        assert arithmetic._compiles(model, config, chosen, images=100) == compiles
        assert len(asked) == 1
    assert not arithmetic._compiles(
        model, TrainConfig(compile="auto", accelerator="cpu"), chosen, images=100
    )


def test_weights_of_another_network_make_no_soup() -> None:
    trainer: Any = SimpleNamespace(model=nn.Linear(2, 1))
    layout: Any = SimpleNamespace(model="member-1/model")
    other = {"weight": torch.zeros(1, 3), "bias": torch.zeros(1)}
    with pytest.raises(RunError, match="of another network than the one of the other"):
        soup._judged(trainer, [other], layout)
