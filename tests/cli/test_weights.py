"""`--weights`, once or several times: which network starts from which file."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
from safetensors.torch import save_file

from lentigo.cli.options import ask
from lentigo.errors import DatasetNotFoundError, ModelError

NAMES = ("test_resnet", "test_efficientnet")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Weights of two small timm models, each named after its model."""
    folder = tmp_path_factory.mktemp("weights")
    found = [folder / f"{name}.safetensors" for name in NAMES]
    for path in found:
        save_file(timm.create_model(path.stem).state_dict(), path)
    return found


def started(recipe: str, weights: list[Path], *changed: str) -> list[tuple[str, str]]:
    """Return backbone and weights file of each network that would be trained."""
    config = ask(recipe, weights, ["training.frozen_stages=0", *changed]).settled()
    models = [each.model for each in config.of_members()]
    return [(each.backbone, Path(str(each.weights)).stem) for each in models]


@pytest.mark.parametrize(("recipe", "count"), [("quick", 2), ("thorough", 3)])
def test_one_file_starts_every_network_of_a_recipe(
    recipe: str, count: int, files: list[Path]
) -> None:
    assert started(recipe, files[:1]) == [(NAMES[0], NAMES[0])] * count


def test_several_files_are_dealt_to_the_networks_in_turn(files: list[Path]) -> None:
    first, second = ((name, name) for name in NAMES)
    assert started("thorough", files) == [first, second, first]
    assert started("frozen", files, "augment.flip=false") == [first, second]


def test_a_backbone_of_a_member_that_was_given_by_hand_stays(files: list[Path]) -> None:
    members = "members=[{model.backbone: test_efficientnet}, {}]"
    # The weights fit no such network, which `lentigo run` says before it reads a table.
    assert started("quick", files[:1], members) == [(NAMES[1], NAMES[0]), (NAMES[0],) * 2]


def test_a_folder_of_weights_is_refused_with_the_files_in_it(files: list[Path]) -> None:
    with pytest.raises(ModelError, match=r"are a folder; .*test_efficientnet\.safetensors"):
        ask("quick", [files[0].parent], [])
    with pytest.raises(DatasetNotFoundError, match="no weights file"):
        ask("quick", [files[0].with_name("gone.safetensors")], [])
