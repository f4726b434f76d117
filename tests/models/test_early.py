"""Early features: means of the first stages' maps, each stage's of length 1."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lentigo.config import ModelConfig
from lentigo.models.early import early_stages, features_and_early
from lentigo.models.network import Classifier, build_model
from lentigo.models.outputs import Outputs


def untrained(backbone: str, **known: object) -> Classifier:
    config = ModelConfig(backbone=backbone, pretrained=False, backbone_args=dict(known))
    return build_model(config).eval()


def squares(count: int = 2, size: int = 64) -> torch.Tensor:
    seed = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=seed, dtype=torch.uint8)


def test_the_means_of_a_resnet_are_those_of_its_first_three_stages() -> None:
    model, images = untrained("resnet10t"), squares()
    assert early_stages(model.backbone) == [("act1", 64), ("layer1", 64), ("layer2", 128)]
    with torch.inference_mode():
        features, early = features_and_early(model, images)
        maps = model.backbone.forward_intermediates(  # type: ignore[operator]
            model.scaled(images), indices=[0, 1, 2], intermediates_only=True
        )
        assert torch.equal(features, model.features(images))
    parts = torch.split(early, [64, 64, 128], dim=1)
    for part, known in zip(parts, maps, strict=True):
        mean = known.mean(dim=(2, 3))
        expected = mean / mean.norm(dim=1, keepdim=True)
        assert np.allclose(part.numpy(), expected.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("backbone", "known", "width"),
    [
        ("test_vit", {"img_size": 64}, 3 * 64),  # tokens, (N, L, F)
        ("test_convnext", {}, 24 + 32 + 48),
        ("swin_tiny_patch4_window7_224", {"img_size": 224}, 96 + 192 + 384),  # (N, h, w, F)
    ],
)
def test_other_layouts_have_early_features_too(
    backbone: str, known: dict[str, int], width: int
) -> None:
    model = untrained(backbone, **known)
    with torch.inference_mode():
        _, early = features_and_early(model, squares(size=known.get("img_size", 64)))
    assert early.shape == (2, width)
    lengths = early.square().sum(dim=1)
    assert lengths.tolist() == pytest.approx([3.0, 3.0], abs=1e-4)


def test_a_backbone_of_which_timm_tells_no_stages_has_none() -> None:
    model = untrained("resnet10t")
    model.backbone.feature_info = None  # type: ignore[assignment]
    with torch.inference_mode():
        features, early = features_and_early(model, squares())
        assert len(Outputs(model)(squares())) == 2
    assert features.shape == (2, 512)
    assert early.shape == (2, 0)


def test_nothing_stays_hooked() -> None:
    model = untrained("test_resnet")
    features_and_early(model, squares())
    assert not any(each._forward_hooks for each in model.backbone.modules())
