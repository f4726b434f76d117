"""Settings that make no sense together are refused before a training, and can be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import lentigo
from lentigo.ablation_switches import check_asked
from lentigo.config import with_settings
from lentigo.config.sense import check_makes_sense, check_not_enlarged, enlarged
from lentigo.errors import ConfigError, DatasetError
from lentigo.recipes import RECIPES, recipe
from lentigo.training.run import settled
from tests.cohorts import tiny_config


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_makes_sense(name: str) -> None:
    check_makes_sense(recipe(name))
    check_not_enlarged(recipe(name))


def test_dropout_that_is_not_there_is_not_drawn_several_times() -> None:
    config = tiny_config(model__dropout_samples=4, model__dropout=0.0)
    with pytest.raises(ConfigError, match=r"dropout_samples 4 .* model\.dropout is 0"):
        settled(config)
    settled(with_settings(config, {"model.dropout": 0.2}))
    members = {"members": [{}, {"model.dropout": 0.2}]}
    with pytest.raises(ConfigError, match="dropout_samples 4"):
        settled(with_settings(config, members))


@pytest.mark.parametrize(
    "more", [{"training__micro_batch": 4}, {"training__devices": 2}], ids=str
)
def test_a_loss_that_compares_a_batch_is_not_given_pieces(more: dict[str, int]) -> None:
    config = tiny_config(training__loss="auc_margin", **more)
    with pytest.raises(ConfigError, match=r"auc_margin compares all images of a batch"):
        settled(config)
    settled(tiny_config(training__loss="focal", **more))


def test_images_are_not_compared_larger_than_they_are_stored(tmp_path: Path) -> None:
    config = recipe("quick")
    large = with_settings(config, {"training.image_size": 256})
    asked = [(config, "training.image_size=256"), (large, "training.views=2")]
    for given, switch in asked:
        with pytest.raises(ConfigError, match=r"image_size 256 is above imaging\.size 192"):
            check_asked(given, [switch], tmp_path, seeds=1, folds=1, resume=False)
    assert not enlarged(config)


def test_a_training_on_enlarged_images_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tiny_config(training__image_size=64)
    with pytest.raises(DatasetError):
        lentigo.train(pd.DataFrame(), config, out=tmp_path / "run")
    assert "image_size 64 is above imaging.size 32: the images are stored at" in caplog.text
