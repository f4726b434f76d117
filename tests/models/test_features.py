"""Features of any backbone, pooled and as a map whose places are those of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from lentigo.errors import ModelError
from lentigo.models.features import as_maps, before_pooling, feature_maps, pooled_features
from lentigo.models.network import Classifier, expected_input

SIDE = 160
SWIN: dict[str, Any] = {
    "img_size": SIDE, "window_size": 5, "embed_dim": 8, "depths": (1, 1, 1),
    "num_heads": (1, 1, 1),
}  # fmt: skip
MAPS: dict[str, tuple[dict[str, Any], tuple[int, int, int]]] = {
    "test_resnet": ({}, (96, 5, 5)),
    "test_convnext": ({}, (64, 5, 5)),
    "test_efficientnet": ({}, (256, 5, 5)),
    "swin_tiny_patch4_window7_224": (SWIN, (32, 10, 10)),  # (N, h, w, F)
    "test_vit": ({"img_size": SIDE}, (64, 10, 10)),  # tokens behind a class token
    "test_vit2": ({"img_size": SIDE}, (64, 10, 10)),  # tokens behind a register
}
"""Backbones with the arguments that make them small, and (F, h, w) of their maps."""


def network(name: str) -> Classifier:
    torch.manual_seed(0)
    backbone = timm.create_model(name, num_classes=0, **MAPS[name][0])
    return classifier(backbone, features=MAPS[name][1][0]).eval()


def images() -> Tensor:
    """An even image, and the same with a white corner, at the top on the right."""
    both = torch.full((2, 3, SIDE, SIDE), 90, dtype=torch.uint8)
    both[1, :, : SIDE // 5, -SIDE // 5 :] = 255
    return both


@pytest.mark.parametrize("name", MAPS)
def test_a_map_changes_where_the_image_does(name: str) -> None:
    with torch.inference_mode():
        maps = feature_maps(network(name), images())
    assert tuple(maps.shape) == (2, *MAPS[name][1])
    change = (maps[1] - maps[0]).abs().sum(dim=0)
    row, column = np.unravel_index(int(change.argmax()), change.shape)
    assert row < change.shape[0] / 2 <= column


@pytest.mark.parametrize("name", MAPS)
def test_the_network_answers_from_what_the_map_shows(name: str) -> None:
    model = network(name)
    with torch.inference_mode():
        pooled = model.backbone.forward_head(before_pooling(model, images()))  # type: ignore[operator]
        assert torch.equal(model.head(pooled).squeeze(-1), model(images()))
    assert np.array_equal(pooled_features(model, [images()]), pooled.double().numpy())


@pytest.mark.parametrize("name", ["test_resnet", "swin_tiny_patch4_window7_224"])
def test_a_pooled_feature_is_the_mean_of_its_map(name: str) -> None:
    model = network(name)
    with torch.inference_mode():
        means = feature_maps(model, images()).mean(dim=(2, 3))
    assert pooled_features(model, [images()]) == pytest.approx(means.numpy(), abs=1e-5)


def test_pooled_features_come_in_order_and_leave_nothing_to_chance() -> None:
    model = network("test_resnet").train()  # in which the statistics of a batch count
    both = images()
    together = pooled_features(model, [both])
    assert not model.training
    assert together.dtype == np.float64
    assert together == pytest.approx(pooled_features(model, [both[:1], both[1:]]), abs=1e-5)
    assert not np.allclose(together[0], together[1])


def test_a_gradient_is_laid_out_as_its_map() -> None:
    model = network("test_vit2")
    features = before_pooling(model, images())
    pooled = model.backbone.forward_head(features)  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(pooled.sum(), features)
    assert as_maps(model, gradient).shape == feature_maps(model, images()).shape


def test_a_map_as_wide_as_it_has_features_is_told_by_what_timm_says() -> None:
    square = torch.arange(64.0).reshape(1, 4, 4, 4)
    for said, wanted in (("NHWC", square.permute(0, 3, 1, 2)), ("NCHW", square)):
        backbone = nn.Identity()
        backbone.num_features, backbone.output_fmt = 4, said  # type: ignore[assignment]
        assert torch.equal(as_maps(classifier(backbone), square), wanted)


@pytest.mark.parametrize(
    "name", ["pit_ti_224", "crossvit_tiny_240", "coat_tiny", "volo_d1_224"]
)
def test_a_backbone_without_a_map_is_refused_by_name(name: str) -> None:
    with torch.device("meta"):  # shapes without numbers
        backbone = timm.create_model(name, num_classes=0).eval()
        model = classifier(backbone)
        size = int(expected_input(backbone)["input_size"][-1])
        with pytest.raises(ModelError, match=f"{type(backbone).__name__} has no map"):
            feature_maps(model, torch.zeros(1, 3, size, size, dtype=torch.uint8))


@pytest.mark.parametrize("shape", [(2, 9), (2, 1, 8), (2, 10, 8), (2, 8, 2, 2, 2)])
def test_tokens_of_no_square_are_no_map(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="has no map of features"):
        as_maps(classifier(nn.Identity()), torch.zeros(shape))


def test_a_network_that_is_none_of_timm_has_no_map() -> None:
    with pytest.raises(ModelError, match="does not say what it is about to pool"):
        feature_maps(classifier(nn.Identity()), images())


def classifier(backbone: nn.Module, *, features: int = 1) -> Classifier:
    """`backbone` with a head of one layer."""
    return Classifier(
        backbone, mean=(0.5,) * 3, std=(0.5,) * 3, hidden=0, dropout=0.0, features=features
    )
