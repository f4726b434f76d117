"""The generalised mean: between the mean and the maximum, and learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lentigo.config import ModelConfig
from lentigo.errors import ModelError
from lentigo.models.network import build_model
from lentigo.models.pooling import GeneralizedMean
from lentigo.models.weights import read_weights

MAP = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
"""One feature at four places: their mean is 2.5, their mean cube 25."""


@pytest.mark.parametrize(
    ("power", "pooled"), [(1.0, 2.5), (3.0, 25 ** (1 / 3)), (20.0, 3.733)]
)
def test_it_is_the_mean_of_powers(power: float, pooled: float) -> None:
    pooling = GeneralizedMean()
    torch.nn.init.constant_(pooling.p, power)
    assert pooling(MAP).item() == pytest.approx(pooled, abs=1e-3)


def test_it_keeps_its_places_where_the_head_wants_them() -> None:
    assert GeneralizedMean(flatten=False)(MAP).shape == (1, 1, 1, 1)
    assert GeneralizedMean()(MAP).shape == (1, 1)


def test_the_exponent_learns() -> None:
    pooling = GeneralizedMean()
    pooling(MAP).sum().backward()
    assert pooling.p.grad is not None
    assert pooling.p.grad.item() > 0  # a larger exponent, a larger mean


def test_negative_features_give_a_number() -> None:
    found = GeneralizedMean()(-MAP)
    assert torch.isfinite(found).all()


def gem(backbone: str, **more: object) -> ModelConfig:
    return ModelConfig.model_validate(
        {"backbone": backbone, "pretrained": False, "pooling": "gem", **more}
    )


@pytest.mark.parametrize(
    "backbone", ["resnet10t", "mobilenetv3_small_050", "convnext_atto"]
)
def test_a_network_pools_by_it(backbone: str) -> None:
    """Its features lie between the mean and the maximum of its own map."""
    model = build_model(gem(backbone)).eval()
    assert [n for n, _ in model.named_parameters() if n.endswith(".p")]
    assert model(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape == (2,)


def test_without_a_map_there_is_nothing_to_pool() -> None:
    with pytest.raises(ModelError, match=r"vit_tiny_patch16_224 does not pool.*average"):
        build_model(gem("vit_tiny_patch16_224"))


def test_weights_learnt_with_the_mean_are_taken_over(tmp_path: Path) -> None:
    from lentigo.models.folder import write_weights

    plain = build_model(ModelConfig(backbone="resnet10t", pretrained=False))
    write_weights(plain.backbone, tmp_path / "resnet10t.safetensors")
    model = build_model(gem("resnet10t", weights=tmp_path / "resnet10t.safetensors"))
    kept = read_weights(tmp_path / "resnet10t.safetensors")
    mine = model.backbone.state_dict()
    assert all(torch.equal(mine[name], value) for name, value in kept.items())
    assert mine["global_pool.p"].item() == 3
