"""Frozen first stages that ONNX Runtime computes: the same network learns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from torch import Tensor, nn

import lentigo
from lentigo.config import ModelConfig, TrainConfig
from lentigo.models.batch import Batch
from lentigo.models.network import build_model
from lentigo.models.stages import Stages, first_stages
from lentigo.run_layout import FoldLayout
from lentigo.training import prefix
from lentigo.training.arithmetic import Arithmetic, read_arithmetic
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.loop import fit
from lentigo.training.prefix import FrozenStages, engine_of, frozen_stages
from lentigo.training.trainer import Trainer
from tests.cohorts import draw_cohort, tiny_config
from tests.training.test_trainer import examples

SMALL = ModelConfig(backbone="resnet10t", pretrained=False)


def frozen(backbone: nn.Module, count: int) -> FrozenStages:
    stages = first_stages(SimpleNamespace(backbone=backbone), count)  # type: ignore[arg-type]
    stages.freeze()
    return FrozenStages(backbone, stages)


def batch(side: int = 32) -> Batch:
    images = torch.randint(0, 256, (4, 3, side, side), dtype=torch.uint8)
    return Batch(images, torch.zeros(4), torch.arange(4))


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Any training is long enough; the sizes for which an engine was made."""
    made: list[tuple[int, ...]] = []
    real = prefix.engine_of

    def noting(backbone: nn.Module, names: Any, size: tuple[int, ...]) -> Any:
        found = real(backbone, names, size)
        made.extend([size] if found else [])
        return found

    monkeypatch.setattr(prefix, "FEWEST", 0)
    monkeypatch.setattr(prefix, "engine_of", noting)
    return made


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("resnet10t", ["conv1", "bn1", "layer1", "layer2"]),  # a pooling lies between
        ("test_efficientnet", ["conv_stem", "bn1", "blocks.0", "blocks.1"]),
        ("test_convnext", ["stem", "stages.0", "stages.1"]),
    ],
)
def test_the_outermost_layers_are_replaced_in_their_order(
    name: str, layers: list[str]
) -> None:
    torch.manual_seed(0)
    backbone = timm.create_model(name, num_classes=0)
    found = engine_of(backbone, frozen(backbone, 2).names, (3, 64, 64))
    assert found is not None
    assert found[0] == layers


def test_a_step_has_the_loss_and_the_gradients_of_torch() -> None:
    torch.manual_seed(0)
    model = build_model(SMALL).train()
    stages = first_stages(model, 2)
    stages.freeze()
    given = batch()
    results = []
    for engine in (False, True):
        model.zero_grad()
        torch.manual_seed(1)  # of the dropout
        if engine:
            with FrozenStages(model.backbone, stages).by_engine(given):
                loss = model(given.images).sum()
        else:
            loss = model(given.images).sum()
        loss.backward()
        found = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        assert not any(name.startswith("backbone.layer1") for name in found)
        results.append((loss.item(), torch.cat([g.flatten() for g in found.values()])))
    (plain, by_torch), (ours, by_engine) = results
    assert ours == pytest.approx(plain, rel=1e-4)
    assert float((by_engine - by_torch).abs().max()) < 1e-3 * float(by_torch.abs().max())
    assert ours != plain or not torch.equal(by_engine, by_torch)  # another program computed


def test_after_a_step_that_failed_torch_computes_again() -> None:
    model = build_model(SMALL)
    stages = frozen(model.backbone, 2)
    layers = list(model.backbone.modules())

    def failing() -> None:
        with stages.by_engine(batch()):
            assert any("forward" in vars(each) for each in layers)
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert not any("forward" in vars(each) for each in layers)


def test_a_backbone_that_adds_something_between_is_left_to_torch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    vit = timm.create_model("test_vit", num_classes=0)  # positions, between its stages
    names = frozen(vit, 1).names
    with caplog.at_level("INFO", logger="lentigo"):
        assert engine_of(vit, names, (3, 160, 160)) is None
    assert "The frozen stages are computed by torch" in caplog.text


class Skipping(nn.Module):
    """Its last layer also sees what its first one gave."""

    def __init__(self, *, twice: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.twice = twice

    def forward(self, images: Tensor) -> Tensor:
        early = self.first(images)
        late = self.second(early)
        late = self.second(late) if self.twice else late + early
        pooled: Tensor = late.mean(dim=(2, 3))
        return pooled


@pytest.mark.parametrize("twice", [True, False])
def test_an_early_result_that_is_used_later_or_a_layer_that_runs_twice_is_seen(
    *, twice: bool
) -> None:
    torch.manual_seed(0)
    network = Skipping(twice=twice)
    stages = Stages(layers=(network.first, network.second))
    names = FrozenStages(network, stages).names
    assert names == ["first", "second"]
    assert engine_of(network, names, (3, 8, 8)) is None


def test_pooled_features_instead_of_images_have_no_engine() -> None:
    model = build_model(SMALL)
    stages = frozen(model.backbone, 2)
    pooled = Batch(torch.zeros(4, 512), torch.zeros(4), torch.arange(4))
    with stages.by_engine(pooled):
        assert not any("forward" in vars(each) for each in model.backbone.modules())


def test_few_or_small_images_and_older_runs_are_left_to_torch() -> None:
    model = build_model(SMALL)
    stages = first_stages(model, 2)
    long = TrainConfig(image_size=224, epochs=4, epoch_images=1000)
    assert frozen_stages(model, stages, long, 1000, "onnx") is not None
    assert frozen_stages(model, stages, long, 1000, Arithmetic().frozen_by) is None
    assert frozen_stages(model, Stages(), long, 1000, "onnx") is None
    for fewer in ({"epochs": 1}, {"image_size": 112}, {"frozen_epochs": 3}):
        short = long.model_copy(update=fewer)
        assert frozen_stages(model, stages, short, 1000, "onnx") is None, fewer


def learnt(folder: Path, by: str, **more: Any) -> tuple[pd.DataFrame, dict[str, Tensor]]:
    config = tiny_config(training__batch_size=8, training__frozen_stages=2, **more)
    folder.mkdir()
    torch.manual_seed(0)
    fold = Fold(FoldLayout(folder), config, examples(21, 0), examples(12, 1), frozen_by=by)
    trainer = Trainer(
        make_fabric(config.training, Arithmetic(device="cpu")),
        build_model(config.model),
        fold,
    )
    fit(trainer)
    return pd.read_csv(fold.layout.metrics), trainer.model.state_dict()


def test_a_training_learns_what_it_learns_with_torch(
    tmp_path: Path, many: list[tuple[int, ...]]
) -> None:
    plain, weights = learnt(tmp_path / "torch", "torch")
    assert many == []
    ours, found = learnt(tmp_path / "onnx", "onnx")
    assert many == [(3, 32, 32)]
    assert ours["loss"].to_numpy() == pytest.approx(plain["loss"].to_numpy(), rel=1e-3)
    for name, value in weights.items():
        if name.startswith(("backbone.conv1", "backbone.layer1")):
            assert torch.equal(found[name], value), name
    again, same = learnt(tmp_path / "again", "onnx")
    assert again["loss"].tolist() == ours["loss"].tolist()
    assert all(torch.equal(same[name], value) for name, value in found.items())


def test_each_size_of_the_images_has_one_engine(many: list[tuple[int, ...]]) -> None:
    model = build_model(SMALL).eval()
    stages = frozen(model.backbone, 2)
    for side in (32, 64, 32):
        given = batch(side)
        with torch.no_grad():
            expected = model(given.images)
            with stages.by_engine(given):
                assert model(given.images).numpy() == pytest.approx(
                    expected.numpy(), abs=1e-4
                )
    assert many == [(3, 32, 32), (3, 64, 64)]


def test_a_run_notes_what_computes_and_a_resumed_one_keeps_to_it(
    tmp_path: Path, many: list[tuple[int, ...]]
) -> None:
    cohort = draw_cohort(tmp_path / "images")
    config = tiny_config(training__frozen_stages=2, training__accelerator="cpu")
    run = lentigo.train(cohort, config, out=tmp_path / "run")
    assert read_arithmetic(run.folder).frozen_by == "onnx"
    assert many == [(3, 32, 32)]
    assert np.isfinite(run.predictions["logit"]).all()
