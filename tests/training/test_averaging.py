"""The mean of weights over epochs, beside torch's own."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, update_bn

from lentigo.config import ModelConfig
from lentigo.errors import ConfigError
from lentigo.models.batch import Batch
from lentigo.models.classifier import Classifier
from lentigo.models.network import build_model
from lentigo.training.averaging import EpochAverage
from lentigo.training.loop import fit
from lentigo.training.run import settled
from lentigo.training.step import set_mode
from tests.cohorts import tiny_config
from tests.training.test_trainer import settings, trainer


@pytest.fixture(scope="module")
def network() -> Classifier:
    torch.manual_seed(0)
    return build_model(ModelConfig(backbone="resnet10t", pretrained=False))


def moved(model: Classifier, seed: int) -> Classifier:
    """The network with other weights."""
    torch.manual_seed(seed)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return other


def batches() -> list[Batch]:
    torch.manual_seed(9)
    sizes = (8, 8, 5)
    return [
        Batch(torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8),
              torch.zeros(n), torch.arange(n))
        for n in sizes
    ]  # fmt: skip


def test_the_mean_and_its_statistics_are_those_of_torch(network: Classifier) -> None:
    average, oracle = EpochAverage(network), AveragedModel(network)
    for epoch in range(3):
        other = moved(network, epoch)
        average.add(other, epoch)
        oracle.update_parameters(other)
    set_mode(network, frozen=False)
    average.recompute(network, batches(), nullcontext())
    update_bn([batch.images for batch in batches()], oracle)
    expected = oracle.module.state_dict()
    for name, value in average.module.state_dict().items():
        assert torch.allclose(value.float(), expected[name].float(), atol=1e-5), name
    assert not any(layer.training for layer in average.module.modules())


def test_an_epoch_counts_once(network: Classifier) -> None:
    average = EpochAverage(network)
    for epoch in (4, 4):
        average.add(moved(network, 1), epoch)
    assert (average.epochs, average.last) == (1, 4)
    other = EpochAverage(network)
    other.restore(average.state())
    assert (other.epochs, other.last) == (1, 4)


def test_statistics_of_frozen_layers_stay(network: Classifier) -> None:
    average = EpochAverage(network)
    average.add(network, 0)
    before = copy.deepcopy(average.module.state_dict())
    set_mode(network, frozen=True)
    average.recompute(network, batches(), nullcontext())
    assert all(torch.equal(v, before[k]) for k, v in average.module.state_dict().items())


def test_the_last_epochs_of_a_training_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four epochs the last two: each weight is the mean of what it was after them."""
    seen = []
    add = EpochAverage.add

    def noted(self: EpochAverage, model: Classifier, epoch: int) -> None:
        seen.append({n: w.detach().clone() for n, w in model.named_parameters()})
        add(self, model, epoch)

    monkeypatch.setattr(EpochAverage, "add", noted)
    config = settings(training__epochs=4, training__swa=0.5, training__average=0.0)
    fold = trainer(tmp_path / "fold-0", config)
    fit(fold)
    assert [row["averaged"] for row in fold.progress.history] == [False, False, True, True]
    assert fold.swa is not None
    fold.swa.restore(torch.load(fold.fold.layout.checkpoint, weights_only=True)["swa"])
    first, second = seen
    for name, mean in fold.swa.module.named_parameters():
        assert torch.allclose(mean, (first[name] + second[name]) / 2, atol=1e-6)


def test_a_network_of_one_size_cannot_grow() -> None:
    config = tiny_config(
        model__backbone="vit_tiny_patch16_224", training__image_size=224,
        training__epochs=4, training__progressive=0.5,
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"begin at 128 pixels, which vit_tiny"):
        settled(config)
