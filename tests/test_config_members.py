"""The settings of the members of an ensemble, and of a soup of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lentigo.config import Config, TrainConfig, flat_settings, read_config, with_settings
from lentigo.config.run import _is_of_a_member
from lentigo.config.soup import FREE_IN_A_SOUP, SAME_IN_A_SOUP
from lentigo.errors import ConfigError
from lentigo.recipes import recipe


def test_each_setting_of_a_member_is_the_same_in_a_soup_or_free() -> None:
    """A new setting has to be put into a list: does it change what the logits mean?"""
    own = {
        name for name in flat_settings(Config())
        if _is_of_a_member(name)
    }  # fmt: skip
    assert not SAME_IN_A_SOUP & FREE_IN_A_SOUP
    assert own == SAME_IN_A_SOUP | FREE_IN_A_SOUP


@pytest.mark.parametrize(
    ("whole", "name", "value"),
    [
        ({}, "training.loss", "logit_adjusted"),
        ({"training.target": "diagnosis"}, "training.rare_diagnosis", 0.2),
        ({"training.loss": "focal"}, "training.focus", 1),
        ({}, "training.views", 8),
    ],
)
def test_members_of_a_soup_mean_the_same(
    whole: dict[str, Any], name: str, value: Any
) -> None:
    settings = {**whole, "members": [{}, {name: value}]}
    with_settings(recipe("demo"), settings)
    with pytest.raises(ConfigError, match=f"soup .* cannot differ in {name}"):
        with_settings(recipe("demo"), {**settings, "combine": "soup"})
    learnt = [{}, {"training.mixup": 0.2, "training.frozen_stages": 1, "augment.hue": 5}]
    with_settings(recipe("demo"), {**whole, "members": learnt, "combine": "soup"})


def test_members_differ_from_the_whole_and_begin_at_seeds_of_their_own() -> None:
    own = {"training.frozen_stages": 2, "imaging.view": ["hsv"]}
    config = with_settings(Config(seed=5), {"members": [{}, own]})
    first, second = config.of_members()
    assert (first.training.frozen_stages, second.training.frozen_stages) == (0, 2)
    assert second.imaging.view == ("hsv",)
    assert first.seed == 5 != second.seed
    assert first.members == second.members == ()


def test_one_network_has_the_settings_as_they_are() -> None:
    config = Config(seed=5, training=TrainConfig(epochs=3))
    assert config.of_members() == (config,)


def test_a_setting_that_is_changed_holds_for_every_member() -> None:
    members = [{"training.epochs": 2, "training.average": 0.5}, {"training.epochs": 7}]
    config = with_settings(Config(), {"members": members})
    changed = with_settings(config, {"training.epochs": 4})
    assert changed.members == ({"training.average": 0.5}, {})
    assert [each.training.epochs for each in changed.of_members()] == [4, 4]


@pytest.mark.parametrize(("name", "value"), [("target", "diagnosis"), ("balance", "class")])
def test_a_setting_by_hand_wins_over_a_member_that_does_not_go_along(
    name: str, value: str
) -> None:
    own = {
        "training.imbalance": "oversample",
        "training.target": "melanoma",
        "training.balance": "none",
    }
    config = with_settings(Config(), {"members": [{}, own]})
    changed = with_settings(config, {f"training.{name}": value})
    assert {getattr(each.training, name) for each in changed.of_members()} == {value}
    assert {each.training.imbalance for each in changed.of_members()} == {"bias"}


def test_a_member_keeps_what_goes_along_with_a_setting_by_hand() -> None:
    own = {"training.imbalance": "oversample", "training.balance": "none"}
    config = with_settings(Config(), {"members": [{}, own]})
    changed = with_settings(config, {"training.balance": "none"})
    assert [each.training.imbalance for each in changed.of_members()] == [
        "bias", "oversample",
    ]  # fmt: skip


def test_members_come_back_from_yaml(tmp_path: Path) -> None:
    members = [{}, {"training.target": "diagnosis"}]
    config = with_settings(Config(), {"members": members})
    (tmp_path / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    assert read_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ({"imaging.size": 64}, "cannot differ in imaging.size"),
        ({"training.devices": 2}, "cannot differ in training.devices"),
        ({"split.folds": 3}, "cannot differ in split.folds"),
        ({"members": []}, "cannot differ in members"),
        ({"training.epocs": 3}, "no setting called 'training.epocs'"),
        ({"training.epochs": -1}, "training.epochs: input should be greater"),
        ({"model": 3}, "cannot differ in model: .* such as training.epochs"),
        ({"training": {"epochs": 3}}, "cannot differ in training: .* by its whole name"),
        ({"training": {"devices": 2}}, "cannot differ in training"),
        (3, "members.0: input should be a valid dictionary"),
    ],
)
def test_a_member_that_makes_no_sense_is_refused(member: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_settings(Config(), {"members": [member]})


def test_more_than_a_hundred_members_are_refused() -> None:
    with pytest.raises(ConfigError, match="100 is the most"):
        with_settings(Config(), {"members": [{}] * 101})
