"""Every timm backbone is built for the size that was asked for, or refused in a line."""

from __future__ import annotations

import pytest

from lentigo.config import ModelConfig
from lentigo.errors import ConfigError, LentigoError
from lentigo.models.input_size import fit_to_size
from lentigo.models.network import build_model


def fitted(backbone: str, size: int) -> ModelConfig:
    config = ModelConfig(backbone=backbone, pretrained=False)
    return fit_to_size(config, view=("rgb",), size=size)


def test_a_convolutional_network_is_left_as_it_is() -> None:
    assert fitted("resnet10t", 64).backbone_args == {}


def test_a_transformer_is_built_for_the_size_that_was_asked_for() -> None:
    import torch

    config = fitted("vit_tiny_patch16_224", 64)
    assert config.backbone_args == {"img_size": 64}
    network = build_model(config).eval()
    assert network(torch.zeros(1, 3, 64, 64, dtype=torch.uint8)).shape == (1,)


def test_a_network_of_one_size_says_which_it_is() -> None:
    with pytest.raises(ConfigError, match=r"takes no images of 64 pixels .*image_size=224"):
        fitted("efficientformer_l1", 64)


@pytest.mark.parametrize(
    "name",
    ["checkpoint_path", "pretrained_cfg", "features_only", "cache_dir", "pretrained"],
)
def test_arguments_that_open_files_are_no_settings(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not among the arguments"):
        ModelConfig(backbone_args={name: "/etc/passwd"})


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 96, 224])
@pytest.mark.parametrize(
    "backbone",
    ["swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "deit_tiny_patch16_224",
     "beit_base_patch16_224", "maxvit_tiny_tf_224", "coatnet_0_rw_224", "levit_128s",
     "convnext_atto", "mixer_s32_224", "xcit_nano_12_p16_224", "cait_xxs24_224",
     "efficientformerv2_s0", "volo_d1_224", "botnet26t_256", "halonet26t", "inception_v3"],
)  # fmt: skip
def test_the_families_of_timm_take_a_size_or_say_which_they_take(
    backbone: str, size: int
) -> None:
    said = ""
    try:
        fitted(backbone, size)
    except LentigoError as error:
        said = str(error)
    assert not said or ("takes no images of" in said and "\n" not in said)
