from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from lentigo.cli.options import ask
from lentigo.config import (
    AuditConfig,
    Config,
    GridConfig,
    ScoringConfig,
    SplitConfig,
    SplitPlan,
    build_config,
    parse_settings,
    read_config,
    with_settings,
)
from lentigo.errors import ConfigError, DatasetNotFoundError
from lentigo.recipes import recipe


def sections(model: type[BaseModel] = Config) -> list[type[BaseModel]]:
    nested = [field.annotation for field in model.model_fields.values()]
    inner = [
        kind for kind in nested if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]
    return [model, *(section for kind in inner for section in sections(kind))]


def test_every_field_says_what_it_is() -> None:
    for section in sections():
        for name, field in section.model_fields.items():
            plain_section = isinstance(field.annotation, type) and issubclass(
                field.annotation, BaseModel
            )
            assert field.description or plain_section, f"{section.__name__}.{name}"


def test_a_config_cannot_be_changed_in_place() -> None:
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_a_single_setting_is_changed_in_a_copy() -> None:
    before = Config()
    after = with_settings(before, {"training.epochs": 9, "seed": 4})
    assert (after.training.epochs, after.seed) == (9, 4)
    assert before == Config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"training.epoch": 3},
            "no setting called 'training.epoch'. Did you mean training.epochs",
        ),
        ({"trainin.epochs": 3}, "Did you mean training.epochs"),
        ({"nothing.like.it": 3}, "There is no setting called"),
        ({"training": 3}, r"training: .* \(got 3\)"),
        ({"training.epochs": 0}, r"training.epochs: input should be greater .* \(got 0\)"),
        ({"training.epochs": "many"}, "valid integer"),
        ({"training.optimizer": "adamm"}, "'adam'"),
        ({"training.frozen_epochs": 99}, "more than the"),
        ({"training.patience": 99}, "can never stop"),
        ({"imaging.size": 8}, "imaging.size"),
        ({"seed": -1}, "seed"),
    ],
)
def test_senseless_settings_are_refused_in_words(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        with_settings(Config(), settings)


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (AuditConfig, {"seed": -1}, r"^seed: .* \(got -1\)\.$"),
        (GridConfig, {"limit": 0}, r"^limit: .* \(got 0\)\.$"),
        (ScoringConfig, {"threshold": math.nan}, "^threshold: input should be a finite"),
        (ScoringConfig, {"repeats": 10**7}, "^repeats: .* equal to 1000000"),
        (SplitPlan, {"folds": 1001}, "^folds: .* equal to 1000"),
        (SplitConfig, {"folds": 1001}, "^folds: .* equal to 1000"),
        (SplitPlan, {"fold": 3}, "^fold: there is no such setting"),
    ],
)
def test_settings_that_are_made_by_a_call_are_refused_in_words(
    kind: type[BaseModel], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kind(**given)


def test_several_faults_are_told_together() -> None:
    with pytest.raises(ConfigError, match=r"size.*; .*epochs"):
        build_config({"training": {"epochs": 0}, "imaging": {"size": 1}})


def test_arguments_of_the_backbone_are_free() -> None:
    config = with_settings(Config(), {"model.backbone_args.pad_type": "same"})
    assert config.model.backbone_args == {"pad_type": "same"}


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("a.b=3", 3),
        ("a.b=1e-3", "1e-3"),  # YAML 1.1 wants a dot; pydantic reads the text as a number
        ("a.b=true", True),
        ("a.b=[1, 2]", [1, 2]),
        ("a.b=x=y", "x=y"),
        ("a.b=", None),
        ("a.b=[", "["),
    ],
)
def test_assignments_are_read_as_yaml(assignment: str, value: object) -> None:
    assert parse_settings([assignment]) == {"a.b": value}


def test_a_number_with_an_exponent_arrives_as_a_number() -> None:
    settings = parse_settings(["training.learning_rate=1e-4"])
    assert with_settings(Config(), settings).training.learning_rate == 1e-4


def test_an_assignment_needs_an_equals_sign() -> None:
    with pytest.raises(ConfigError, match="has no '='"):
        parse_settings(["training.epochs"])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20))
def test_any_assignment_is_read_or_refused_in_words(assignment: str) -> None:
    try:
        with_settings(Config(), parse_settings([assignment]))
    except ConfigError:
        return


def test_a_config_survives_its_file(tmp_path: Path) -> None:
    config = with_settings(
        Config(), {"training.epochs": 3, "model.weights": "w.safetensors"}
    )
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert read_config(path) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not readable as YAML"), ("- 1", "holds no settings"), ("sed: 1", "sed")],
)
def test_a_file_that_is_no_config_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_config(path)
    with pytest.raises(DatasetNotFoundError, match="no settings file"):
        read_config(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("given", "view"),
    [
        ("hsv-blur", ("hsv_blur",)),
        ("Gray", ("gray",)),
        (["rgb", "hsv_blur"], ("rgb", "hsv_blur")),
        (("lab",), ("lab",)),
    ],
)
def test_a_view_is_one_name_or_several(given: object, view: tuple[str, ...]) -> None:
    config = with_settings(Config(), {"imaging.view": given})
    assert config.imaging.view == view
    assert build_config(config.model_dump()) == config
    assert Config().imaging.view == ("rgb",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("dulrazor", "Did you mean dullrazor"),
        (["rgb", "rgb"], "same view twice"),
        ([], "give the name of a view"),
        ([3], "give the name of a view"),
        (None, "give the name of a view"),
        (7, "view"),
        ("outline", "no view called 'outline'"),
    ],
)
def test_a_view_that_is_none_is_refused(given: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_settings(Config(), {"imaging.view": given})


NUMBERS = [
    f"{name}.{field}"
    for name, section in Config.model_fields.items()
    if isinstance(section.annotation, type) and issubclass(section.annotation, BaseModel)
    for field, info in section.annotation.model_fields.items()
    if {int, float} & {info.annotation, *get_args(info.annotation)}
]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_endless(name: str) -> None:
    senseless = ("1e30", "-1e30", ".nan", "nan", ".inf", "-.inf", "1e400", "-1", "true")
    for value in (*senseless, "9" * 5000, "[" * 50, "2020-13-45"):
        with pytest.raises(ConfigError) as caught:
            with_settings(Config(), parse_settings([f"{name}={value}"]))
        assert str(caught.value).startswith(f"{name}: ")
        assert len(str(caught.value)) < 300


def test_text_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_settings(["seed=" + "[" * 100_000])
    for content in (b"a: " + b"[" * 100_000, b"\xff\xfe\x00", b"a: 2020-13-45"):
        (tmp_path / "config.yaml").write_bytes(content)
        with pytest.raises(ConfigError, match="not readable as YAML"):
            read_config(tmp_path / "config.yaml")


def test_as_many_parts_are_dealt_as_are_held_out() -> None:
    assert [Config().split.parts(held_out) for held_out in (1, 2, 7)] == [5, 2, 7]
    assert with_settings(Config(), {"split.folds": 4}).split.parts(2) == 4


@pytest.mark.parametrize(("flip", "views"), [(True, 2), (False, 1)])
def test_settings_from_before_the_views_are_still_read(
    flip: bool, views: int, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"training:\n  flip_predictions: {str(flip).lower()}\n  epochs: 3\n")
    assert read_config(path).training.views == views
    name = "training.flip_predictions"
    assert with_settings(Config(), {name: flip}).training.views == views
    with pytest.raises(ConfigError, match="better give views"):
        with_settings(Config(), {name: 3})


def test_views_are_given_once() -> None:
    name = "training.flip_predictions"
    with pytest.raises(ConfigError, match=r"true is training\.views 2, and .* 8 is"):
        with_settings(Config(), {name: True, "training.views": 8})
    assert with_settings(Config(), {name: True, "training.views": 2}).training.views == 2
    with pytest.raises(ConfigError, match="means views 1, and views is 8"):
        build_config({"training": {"flip_predictions": False, "views": 8}})
    members = with_settings(Config(), {"members": [{name: False}, {}]})
    assert [each.training.views for each in members.of_members()] == [1, 2]
    # A setting by hand holds for every member, by its old name, too.
    asked = with_settings(members, {name: True}).of_members()
    assert [each.training.views for each in asked] == [2, 2]


def test_the_name_of_a_recipe_is_no_setting() -> None:
    with pytest.raises(ConfigError, match="choose a recipe with --recipe NAME"):
        with_settings(Config(), parse_settings(["recipe=strong"]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe: strong\ntraining: {epochs: 3}", "leaves out imaging.size, model.back"),
        ("recipe: hello", "names the recipe 'hello', which there is not"),
        ("recipe: custom\ntraining: {epochs: 3}", ""),
        ("training: {epochs: 3}", ""),
    ],
)
def test_a_file_names_a_recipe_only_with_its_settings(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    if not said:
        assert ask("quick", None, None, config_file=path).config.training.epochs == 3
        return
    with pytest.raises(ConfigError, match=said):
        ask("quick", None, None, config_file=path)
    path.write_text(recipe("strong").to_yaml())
    assert ask("quick", None, None, config_file=path).config.recipe == "strong"


@pytest.mark.parametrize(
    "settings",
    [
        {"training.imbalance": "oversample", "training.balance": "class"},
        {"training.imbalance": "class_weights", "training.target": "diagnosis"},
    ],
)
def test_rarity_is_answered_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="do not go together; give imbalance bias"):
        with_settings(Config(), settings)


def test_a_logistic_head_has_no_stages_and_draws_nothing() -> None:
    settings = {"training.method": "logistic", "training.frozen_stages": 2}
    with pytest.raises(ConfigError, match="logistic has no use for frozen_stages"):
        with_settings(Config(), settings)
