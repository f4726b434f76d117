"""The network of another view than RGB: its first layer and its scaling."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lentigo.config import ModelConfig
from lentigo.errors import ConfigError
from lentigo.models.network import build_model

HALF = (0.5, 0.5, 0.5)
TINY = ModelConfig(backbone="resnet10t", pretrained=False, mean=HALF, std=HALF)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet10t.safetensors"
    torch.manual_seed(0)
    save_file(dict(build_model(TINY).backbone.state_dict()), path)
    return path


@pytest.mark.parametrize(
    ("view", "channels"),
    [(("gray",), 1), (("gray", "melanin"), 2), (("hsv",), 3), (("rgb", "hsv_blur"), 6)],
)
def test_weights_of_rgb_are_carried_over_to_any_view(
    weights: Path, view: tuple[str, ...], channels: int
) -> None:
    """A grey picture in every channel makes the features that it made in RGB."""
    config = TINY.model_copy(update={"weights": weights})
    network = build_model(config, view=view).eval()
    assert network.channels == channels
    plane = torch.randint(0, 256, (2, 1, 32, 32), dtype=torch.uint8)
    plain = build_model(config).eval()
    with torch.inference_mode():
        ours = network.features(plane.expand(-1, channels, -1, -1))
        in_rgb = plain.features(plane.expand(-1, 3, -1, -1))
    if channels != 2:  # two channels of three drop one filter of the three
        assert torch.allclose(ours, in_rgb, atol=1e-4)
    assert torch.isfinite(ours).all()


def test_rgb_takes_the_weights_bit_by_bit(weights: Path) -> None:
    network = build_model(TINY.model_copy(update={"weights": weights}), view=("rgb",))
    plain = build_model(TINY.model_copy(update={"weights": weights}))
    for name, value in plain.backbone.state_dict().items():
        assert torch.equal(network.backbone.state_dict()[name], value), name


@pytest.mark.parametrize(
    ("given", "view", "wanted"),
    [
        ((0.1, 0.2, 0.6), ("rgb",), (0.1, 0.2, 0.6)),
        ((0.1, 0.2, 0.6), ("gray",), (0.3,)),
        ((0.1, 0.2, 0.6), ("rgb", "gray"), (0.1, 0.2, 0.6, 0.3)),
        ((0.1, 0.2, 0.6), ("hsv", "lab"), (0.1, 0.2, 0.6, 0.1, 0.2, 0.6)),
        ((0.1, 0.2, 0.6, 0.7), ("rgb", "gray"), (0.1, 0.2, 0.6, 0.7)),
        ((0.4,), ("gray",), (0.4,)),
    ],
)
def test_three_numbers_are_spread_and_one_a_channel_stays(
    given: tuple[float, ...], view: tuple[str, ...], wanted: tuple[float, ...]
) -> None:
    network = build_model(TINY.model_copy(update={"mean": given}), view=view)
    assert network.mean.flatten().tolist() == pytest.approx(wanted)


def test_as_many_numbers_as_no_input_has_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"2 numbers, but rgb \+ gray has 4 channels"):
        build_model(TINY.model_copy(update={"mean": (0.1, 0.2)}), view=("rgb", "gray"))
