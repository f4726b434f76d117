"""Every recipe makes a config, and says what it is."""

from __future__ import annotations

import pytest

from lentigo.config import build_config
from lentigo.errors import UnknownNameError
from lentigo.recipes import RECIPES, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_whole_config_under_its_own_name(name: str) -> None:
    config = recipe(name)
    assert config.recipe == name
    assert build_config(config.model_dump()) == config
    assert config.training.image_size <= 2 * config.imaging.size


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_in_a_line_what_it_is(name: str) -> None:
    first, *_ = (RECIPES[name].__doc__ or "").splitlines()
    assert first.endswith(".")


def test_the_nearest_recipe_is_offered() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean quick"):
        recipe("quik")
