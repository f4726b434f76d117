"""The defaults and bounds of every setting, and the recipes, are those of the record.

Who changes a default changes every training that did not name it. A change that is meant
is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lentigo import config
from lentigo.config.serving import ServingConfig
from lentigo.config.settings import Settings
from lentigo.recipes import RECIPES, recipe
from tests.record import check_recorded

CLASSES = {
    name: each
    for name in config.__all__
    if isinstance(each := getattr(config, name), type) and issubclass(each, Settings)
} | {"ServingConfig": ServingConfig}
_TOLD = {"description", "title", "$ref", "type"}


def bounds(schema: dict[str, Any]) -> Iterator[str]:
    """Yield what a value may be: the choices and limits, also those inside lists."""
    for key, value in schema.items():
        if key in {"anyOf", "prefixItems"}:
            yield f"{key} " + " | ".join(" ".join(bounds(each)) for each in value)
        elif key == "items":
            yield f"of ({' '.join(bounds(value))})"
        elif key == "type" or key not in _TOLD:
            yield f"{key} {value!r}"


@pytest.mark.parametrize("name", CLASSES)
def test_the_defaults_and_bounds_of_settings(name: str) -> None:
    fields = CLASSES[name].model_json_schema()["properties"]
    lines = [f"{field}: {', '.join(bounds(found))}" for field, found in fields.items()]
    check_recorded(f"settings/{name}", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", RECIPES)
def test_the_settings_of_a_recipe(name: str) -> None:
    check_recorded(f"settings/recipe-{name}", recipe(name).to_yaml())
