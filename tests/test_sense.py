"""Settings that make no sense together are refused before a training, and can be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import lentigo
from lentigo.ablation_switches import check_asked
from lentigo.config import flat_settings, with_settings
from lentigo.config.sense import (
    check_is_read,
    check_makes_sense,
    check_not_enlarged,
    enlarged,
    read_by_none,
    useless,
)
from lentigo.errors import ConfigError, DatasetError
from lentigo.recipes import RECIPES, recipe
from lentigo.training.run import settled
from tests.cohorts import tiny_config


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_makes_sense(name: str) -> None:
    check_makes_sense(recipe(name))
    check_not_enlarged(recipe(name))
    assert not useless(recipe(name))


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
    large = with_settings(config, {"training.image_size": 320})
    asked = [(config, "training.image_size=320"), (large, "training.views=2")]
    for given, switch in asked:
        with pytest.raises(ConfigError, match=r"image_size 320 is above imaging\.size 256"):
            check_asked(given, [switch], tmp_path, seeds=1, folds=1, resume=False)
    assert not enlarged(config)


def test_a_training_on_enlarged_images_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tiny_config(training__image_size=64)
    with pytest.raises(DatasetError):
        lentigo.train(pd.DataFrame(), config, out=tmp_path / "run")
    assert "image_size 64 is above imaging.size 32: the images are stored at" in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"training.frozen_epochs": 2, "model.lora_rank": 4}, r"model\.lora_rank 4 is for"),
        ({"training.frozen_epochs": 2, "training.layer_decay": 0.5}, "layer_decay 0.5"),
        ({"training.frozen_epochs": 2, "training.progressive": 0.5}, "all 2 epochs it is"),
        ({"training.frozen_epochs": 1, "training.progressive": 0.5}, "there is only one"),
    ],
    ids=str,
)
def test_a_backbone_that_never_learns_has_no_settings_of_learning(
    settings: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check_makes_sense(with_settings(tiny_config(), settings))
    fewer = {**settings, "training.frozen_epochs": 0}
    check_makes_sense(with_settings(tiny_config(), fewer))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.dropout", 0.5),
        ("training.swa", 0.5),
        ("training.progressive", 0.5),
        ("training.label_smoothing", 0.1),
    ],
)
def test_a_logistic_head_has_no_ingredients_of_a_training(name: str, value: float) -> None:
    asked = {"training.method": "logistic", "training.average": 0, name: value}
    with pytest.raises(ConfigError, match=f"logistic has no use for {name}"):
        check_makes_sense(with_settings(tiny_config(), asked))
    check_makes_sense(
        with_settings(tiny_config(), {**asked, "training.method": "gradient"})
    )


def test_what_nothing_reads_is_told_where_it_was_changed() -> None:
    assert not useless(tiny_config())
    told = useless(tiny_config(training__focus=3, model__lora_alpha=8))
    assert told == (
        "Nothing reads training.focus (training.loss is cross_entropy) and "
        "model.lora_alpha (model.lora_rank is 0)."
    )
    one_reads = tiny_config(training__focus=3, members=[{}, {"training.loss": "focal"}])
    assert not useless(one_reads)
    head = tiny_config(training__method="logistic", training__epochs=5)
    assert "training.epochs (training.method is logistic)" in useless(head)


def test_a_change_of_which_nothing_is_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training\.margin .* nothing changes by it"):
        check_is_read(tiny_config(), {"training.margin"})
    check_is_read(tiny_config(), {"training.margin", "training.loss"})
    check_is_read(tiny_config(), set())


def test_settings_that_are_said_to_be_unread_are_there() -> None:
    """A name with a fault, or of a setting that is gone, would never be told."""
    known = flat_settings(tiny_config())
    for method in ("gradient", "logistic"):
        assert set(read_by_none(tiny_config(training__method=method))) <= set(known)
