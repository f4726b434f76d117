"""The network: its head, its scaling, its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lentigo.config import ModelConfig
from lentigo.errors import DatasetNotFoundError, ModelError, UnknownNameError
from lentigo.models.network import Classifier, build_model, resolve

TINY = ModelConfig(backbone="resnet10t", pretrained=False)


def test_a_linear_head_is_one_dense_layer_and_a_hidden_one_two() -> None:
    linear = build_model(TINY)
    hidden = build_model(TINY.model_copy(update={"hidden": 8}))
    dense = [layer for layer in hidden.head if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in dense] == [8, 1]
    assert sum(isinstance(layer, torch.nn.Linear) for layer in linear.head) == 1
    assert linear.output.in_features == 512


def test_images_go_in_as_bytes_and_come_out_as_one_logit_each() -> None:
    model = build_model(TINY).eval()
    logits = model(torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8))
    assert logits.shape == (3,)
    assert torch.isfinite(logits).all()


def test_the_scaling_is_that_of_the_weights() -> None:
    """Byte 0 and 255 become -1 and 1 where mean and deviation are a half."""

    class Probe(torch.nn.Module):
        default_cfg = {"input_size": (3, 32, 32)}  # noqa: RUF012

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(2, 3))

    half = (0.5, 0.5, 0.5)
    probe = Classifier(Probe(), mean=half, std=half, hidden=0, dropout=0, features=3)
    black, white = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 255.0)
    assert probe.features(black).flatten().tolist() == pytest.approx([-1, -1, -1])
    assert probe.features(white).flatten().tolist() == pytest.approx([1, 1, 1])


def test_a_misspelt_backbone_is_told_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean resnet10t"):
        build_model(ModelConfig(backbone="resnet10tt"))


def test_a_backbone_without_weights_says_so_before_any_download() -> None:
    with pytest.raises(ModelError, match="--weights"):
        build_model(ModelConfig(backbone="mobilenet_edgetpu_100"))


def test_weights_that_cannot_be_fetched_name_the_ways_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host\nand much more")

    monkeypatch.setattr("timm.create_model", refuse)
    with pytest.raises(
        ModelError, match=r"no route to host\. Check the network.*--weights"
    ):
        build_model(ModelConfig(backbone="resnet10t"))


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    saved = build_model(TINY)
    path = tmp_path / "resnet10t.safetensors"
    save_file(dict(saved.backbone.state_dict()), path)
    loaded = build_model(TINY.model_copy(update={"weights": path}))
    for name, value in saved.backbone.state_dict().items():
        assert torch.equal(loaded.backbone.state_dict()[name], value), name


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"conv1.0.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(ModelError, match="does not fit resnet10t"):
        build_model(TINY.model_copy(update={"weights": path}))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet10t.safetensors"
    path.write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be read as a safetensors file"):
        build_model(TINY.model_copy(update={"weights": path}))


def test_the_name_of_a_weights_file_brings_its_backbone(tmp_path: Path) -> None:
    path = tmp_path / "mobilenet_edgetpu_100.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    config = resolve(ModelConfig(weights=path), backbone_given=False)
    assert config.backbone == "mobilenet_edgetpu_100"
    assert config.backbone_args == {"pad_type": "same"}
    assert config.mean == config.std == (0.5, 0.5, 0.5)


def test_a_backbone_that_was_asked_for_stands(tmp_path: Path) -> None:
    path = tmp_path / "mobilenet_edgetpu_100.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    assert resolve(ModelConfig(backbone="resnet10t", weights=path)).backbone == "resnet10t"


def test_a_missing_weights_file_is_named() -> None:
    with pytest.raises(DatasetNotFoundError, match=r"no weights file nowhere\.safetensors"):
        resolve(ModelConfig(weights=Path("nowhere.safetensors")))


def test_the_shared_weights_classify_as_converted(shared: Path) -> None:
    """With the file, its padding and its scaling right, a real photograph is recognised."""
    import timm
    from safetensors.torch import load_file

    from lentigo.imaging.decoding.image import read_image
    from lentigo.imaging.decoding.square import to_square

    path = shared / "weights" / "mobilenet_edgetpu_100.safetensors"
    config = resolve(ModelConfig(weights=path), backbone_given=False)
    ours = build_model(config).eval()
    whole: Any = timm.create_model("mobilenet_edgetpu_100", pad_type="same").eval()
    whole.load_state_dict(load_file(path))
    image = to_square(read_image(shared / "data/natural/baboon-174073_1280.jpg"), size=224)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    with torch.inference_mode():
        scores = whole.classifier(ours.features(batch))
        direct = whole((batch / 255 - 0.5) / 0.5)
    assert torch.allclose(scores, direct, atol=1e-4)
    assert int(scores.argmax()) == 373  # macaque; a near relative of the baboon shown
