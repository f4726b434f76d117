"""Every recipe makes a config, and says what it is."""

from __future__ import annotations

import pytest

from lentigo.config import build_config
from lentigo.errors import ConfigError, UnknownNameError
from lentigo.recipes import RECIPES, recipe, recipe_or


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_whole_config_under_its_own_name(name: str) -> None:
    config = recipe(name)
    assert config.recipe == name
    assert build_config(config.model_dump()) == config
    assert config.training.image_size <= 2 * config.imaging.size


def test_what_was_measured_of_one_recipe_is_in_those_like_it() -> None:
    """docs/results.md: the gains of `quick`, and its backbone, were measured so."""
    measured = ("target", "balance", "views")
    quick, thorough, strong = (recipe(each) for each in ("quick", "thorough", "strong"))
    for other in (thorough, strong):
        for name in measured:
            assert getattr(other.training, name) == getattr(quick.training, name), name
        assert other.model.metadata == quick.model.metadata == "auto"
    assert quick.model.backbone == thorough.model.backbone == "tf_efficientnet_lite0"
    own = strong.training
    assert own.warmup * own.epochs >= own.frozen_epochs + 1  # the backbone warms up, too


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_in_a_line_what_it_is(name: str) -> None:
    first, *_ = (RECIPES[name].__doc__ or "").splitlines()
    assert first.endswith(".")


def test_the_nearest_recipe_is_offered() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean quick"):
        recipe("quik")


def test_the_name_of_a_recipe_is_no_settings() -> None:
    assert recipe_or(None) == recipe("quick")
    assert recipe_or(recipe("frozen")) == recipe("frozen")
    with pytest.raises(ConfigError, match=r"are a str, .* lentigo\.recipe\('quick'\)"):
        recipe_or("quick")  # type: ignore[arg-type]
