"""Maps from inside of a network, by what must hold of each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from lentigo.errors import ModelError
from lentigo.models import gradients
from lentigo.models.torch_engine import load_network
from lentigo.models.torch_predictor import TorchPredictor
from tests.inference.test_predict import noise, save
from tests.models.test_features import SIDE, network


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> TorchPredictor:
    folder = tmp_path_factory.mktemp("gradients")
    save(folder)
    return load_network(folder)


def square(predictor: TorchPredictor) -> np.ndarray:
    return noise(predictor.preparation.size)[None]


@pytest.mark.parametrize(
    "method", ["grad_cam", "grad_cam_plus_plus", "integrated_gradients"]
)
def test_a_map_has_the_size_of_the_networks_image_and_is_not_negative(
    predictor: TorchPredictor, method: str
) -> None:
    (heat,) = getattr(gradients, method)(predictor, square(predictor))
    assert heat.shape == (predictor.image_size, predictor.image_size)
    assert heat.min() >= 0
    assert np.isfinite(heat).all()


def test_integrated_gradients_add_up_to_the_difference_in_logits(
    predictor: TorchPredictor,
) -> None:
    images = gradients._images(predictor, square(predictor)).float()
    plain = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    with torch.no_grad():
        difference = float(predictor.network(images) - predictor.network(plain))
    found = float(gradients.attributions(predictor, square(predictor)).sum())
    assert found == pytest.approx(difference, rel=0.1, abs=0.02)


def test_grad_cam_plus_plus_is_equation_19_of_the_paper(
    predictor: TorchPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = predictor.image_size
    rng = np.random.default_rng(0)
    maps = rng.random((2, 3, 3))  # the activations A of two features, 3 × 3
    slopes = rng.normal(size=(2, 3, 3))
    summed = np.zeros((3, 3))
    for feature, slope in zip(maps, slopes, strict=True):
        weight = 0.0
        for row in range(3):
            for column in range(3):
                g = slope[row, column]
                alpha = g**2 / (2 * g**2 + feature.sum() * g**3)
                weight += alpha * max(g, 0)
        summed += weight * feature
    given = (torch.tensor(maps)[None].float(), torch.tensor(slopes)[None].float())
    monkeypatch.setattr(gradients, "_maps_and_gradients", lambda *_: given)
    (heat,) = gradients.grad_cam_plus_plus(predictor, square(predictor))
    expected = gradients._enlarged(torch.tensor(summed)[None].relu().float(), side)
    assert heat == pytest.approx(expected[0], rel=1e-4)


def test_grad_cam_is_the_weighted_sum_of_the_feature_maps(
    predictor: TorchPredictor,
) -> None:
    maps, slopes = gradients._maps_and_gradients(predictor, square(predictor))
    weights = slopes[0].mean(dim=(1, 2))  # one a feature
    summed = (weights[:, None, None] * maps[0]).sum(dim=0).clamp(min=0)
    large = functional.interpolate(
        summed[None, None], size=predictor.image_size, mode="bilinear"
    )
    (heat,) = gradients.grad_cam(predictor, square(predictor))
    assert heat == pytest.approx(large[0, 0].numpy(), abs=1e-5)


def test_shuffling_makes_another_network_and_leaves_the_first_alone(
    predictor: TorchPredictor,
) -> None:
    before = predictor.answers(square(predictor), looks=1)
    other = gradients.shuffled(predictor)
    assert not np.allclose(other.answers(square(predictor), looks=1), before)
    assert np.array_equal(predictor.answers(square(predictor), looks=1), before)
    again = gradients.shuffled(predictor)
    assert np.array_equal(
        other.answers(square(predictor), looks=1), again.answers(square(predictor), looks=1)
    )


def test_attention_is_rolled_out_as_shares_of_the_patches() -> None:
    vit = TorchPredictor(
        network=network("test_vit").eval(), store_size=SIDE, fit="stretch",
        max_pixels=10**6, image_size=SIDE, view=("rgb",), looks=1, logit_shift=0.0,
    )  # fmt: skip
    assert gradients.has_attention(vit)
    before = [layer.fused_attn for layer in gradients._attention_layers(vit.network)]
    (heat,) = gradients.attention_rollout(vit, noise(SIDE)[None])
    assert heat.shape == (SIDE, SIDE)
    assert 0 < heat.min() < heat.max() < 1
    after = [layer.fused_attn for layer in gradients._attention_layers(vit.network)]
    assert after == before


def test_a_network_without_attention_says_so(predictor: TorchPredictor) -> None:
    assert gradients.has_maps(predictor)
    assert not gradients.has_attention(predictor)
    with pytest.raises(ModelError, match="no attention to roll out"):
        gradients.attention_rollout(predictor, square(predictor))
