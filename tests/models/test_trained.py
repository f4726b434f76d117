"""A network that was just trained is judged by the engine that ends first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lentigo.errors import ModelError
from lentigo.models import trained
from lentigo.models.description import read_description
from lentigo.models.network import Classifier
from lentigo.models.onnx_export import onnx_content
from lentigo.models.schema import Member
from lentigo.models.torch_predictor import TorchPredictor
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

MANY = trained.MUCH // 32**2 + 1
"""Passes of images of 32 px that are just enough for ONNX Runtime."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, Member]:
    folder = tmp_path_factory.mktemp("model")
    network = save(folder, shift=0.75, config=tiny_config(imaging__size=48))
    (member,) = read_description(folder).members
    return network.to(memory_format=torch.channels_last), member


@pytest.fixture(scope="module")
def content(network: tuple[Classifier, Member]) -> bytes:
    """The network as ONNX, which takes seconds to write."""
    return onnx_content(network[0], size=32)


@pytest.fixture
def _written(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "onnx_content", lambda *_, **__: content)


def squares(count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.stack([noise(48, seed)[:48, :48] for seed in range(count)])


@pytest.mark.usefixtures("_written")
def test_few_images_stay_with_torch_and_many_go_to_onnx(
    network: tuple[Classifier, Member],
) -> None:
    assert trained.predictor_of(*network, passes=MANY - 2).engine == "torch"
    assert trained.predictor_of(*network, passes=MANY).engine == "onnx"


@pytest.mark.usefixtures("_written")
def test_both_engines_give_the_same_answers_and_features(
    network: tuple[Classifier, Member],
) -> None:
    images = squares(11)
    ours, theirs = (
        trained.predictor_of(*network, passes=passes).looked(images, looks=8)
        for passes in (MANY, 0)
    )
    assert ours is not None
    assert theirs is not None
    assert np.ptp(theirs.answers) > 1e-3, "the images differ for the network"
    for name in ("answers", "features", "spread"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-5)


def test_writing_onnx_leaves_the_memory_layout_of_the_network(
    network: tuple[Classifier, Member], content: bytes
) -> None:
    assert content
    kernels = [each for each in network[0].parameters() if each.ndim == 4]
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in kernels)


def test_a_network_that_onnx_does_not_know_stays_with_torch(
    network: tuple[Classifier, Member],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: Any, **__: Any) -> bytes:
        raise ModelError("Such a layer cannot be written as ONNX.")

    monkeypatch.setattr(trained, "onnx_content", refuse)
    caplog.set_level("INFO")
    assert trained.predictor_of(*network, passes=MANY).engine == "torch"
    assert "judged by torch, which takes longer: Such a layer" in caplog.text


@pytest.mark.usefixtures("_written")
def test_a_network_that_onnx_answers_otherwise_stays_with_torch(
    network: tuple[Classifier, Member],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def shifted(self: TorchPredictor, images: Any, **more: Any) -> Any:
        return right(self, images, **more) + 0.01

    right = TorchPredictor.answers
    monkeypatch.setattr(TorchPredictor, "answers", shifted)
    caplog.set_level("INFO")
    assert trained.predictor_of(*network, passes=MANY).engine == "torch"
    assert "other answers than torch, by up to 0.01" in caplog.text
