"""Networks that differ in weights alone are followed once, and answer as themselves."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from lentigo.config import ModelConfig
from lentigo.models import onnx_export
from lentigo.models.network import Classifier, build_model
from lentigo.models.onnx_export import onnx_content, structure
from lentigo.models.outputs import Outputs


def network(seed: int) -> Classifier:
    torch.manual_seed(seed)
    built = build_model(ModelConfig(backbone="test_resnet", pretrained=False)).eval()
    with torch.no_grad():  # what is 0 or 1 in each new network, too
        for each in built.state_dict().values():
            if each.is_floating_point():
                each.add_(0.1 * torch.rand(each.shape))
    return built


def test_the_second_network_is_not_followed_and_answers_as_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, whole = [], torch.onnx.export

    def noted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return whole(*arguments, **options)

    monkeypatch.setattr(onnx_export, "_KNOWN", {})
    own = inspect.unwrap(onnx_export._followed)  # not what other processes have traced
    monkeypatch.setattr(onnx_export, "_followed", own)
    monkeypatch.setattr(torch.onnx, "export", noted)
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8)
    contents, answers = [], []
    for seed in (0, 1, 0):
        contents.append(onnx_content(network(seed), size=32))
        with torch.no_grad():
            expected = Outputs(network(seed))(torch.from_numpy(images))
        found = onnxruntime.InferenceSession(contents[-1]).run(None, {"images": images})
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-3, atol=1e-4)
        answers.append(found[0])
    assert len(calls) == 1
    assert contents[0] == contents[2] != contents[1]
    assert np.abs(answers[0] - answers[1]).max() > 0.01


def test_a_network_of_another_structure_is_another() -> None:
    def layers(**options: Any) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, **options))

    assert structure(layers()) == structure(layers())
    assert structure(layers()) != structure(layers(eps=1e-3))
    assert structure(layers()) != structure(layers().eval())


def test_a_tensor_that_is_no_weight_counts_with_its_values() -> None:
    def layer(value: float, *, kept: bool) -> nn.Module:
        made = nn.Linear(2, 1)
        made.register_buffer("scale", torch.tensor(value), persistent=kept)
        return made

    assert structure(layer(1, kept=True)) == structure(layer(2, kept=True))
    assert structure(layer(1, kept=False)) != structure(layer(2, kept=False))


def test_what_cannot_be_compared_is_followed_anew() -> None:
    layer = nn.Linear(2, 1)
    layer.turned = lambda each: each  # type: ignore[assignment]
    assert structure(layer) is None
