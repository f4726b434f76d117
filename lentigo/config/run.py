"""Settings of a whole run: `--set`, and `config.yaml` in a run folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import ValidationError, model_validator

from lentigo.config.augment import AugmentConfig
from lentigo.config.evaluation import EvaluationConfig
from lentigo.config.imaging import ImagingConfig
from lentigo.config.model import ModelConfig
from lentigo.config.settings import Seed, Settings, in_words
from lentigo.config.soup import differing
from lentigo.config.split import SplitConfig
from lentigo.config.training import BALANCING, TrainConfig, views_of
from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    UnreadableFileError,
)
from lentigo.extras import require
from lentigo.files import read_bytes
from lentigo.run_layout import CONFIG
from lentigo.visible import shortened
from lentigo.words import some


class Config(Settings):
    """All settings of one run."""

    recipe: str = "custom"
    """The recipe from which these settings started."""
    seed: Seed = 0
    """Seed of the split, the initial weights, the order of the images and the
    augmentation."""
    export: bool = True
    """Whether `lentigo run` also writes its networks as one folder (`model`) that predicts
    without torch."""
    refit: bool = False
    """Whether, after the folds, the networks are trained once more on all rows, for as many
    epochs as was best in the folds. The result is then the model; its expected performance
    is that of the folds."""
    split: SplitConfig = SplitConfig()
    imaging: ImagingConfig = ImagingConfig()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    training: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    members: tuple[dict[str, Any], ...] = ()
    """Several networks per fold, whose mean is the prediction (Hansen and Salamon 1990,
    doi:10.1109/34.58871): for each network, the settings in which it differs from those
    above, such as `{training.frozen_stages: 0}`. By default one network."""
    combine: Literal["logits", "ranks", "soup"] = "logits"
    """How several networks of a fold become one prediction: the mean of their calibrated
    `logits`; the mean of what their `ranks` among the validation images say, so that none
    counts more for its larger logits; or a greedy `soup`, one network with the mean of the
    weights of those members that raise its validation AUC (Wortsman et al. 2022,
    arXiv:2203.05482). The members of a soup start from the same weights."""

    def of_members(self) -> tuple[Config, ...]:
        """Return the settings of each network of a fold.

        The first has the seed `seed`, each further one another seed; all have the same
        split.
        """
        alone = self.model_copy(update={"members": (), "combine": "logits"})
        found = []
        for number, own in enumerate(self.members or ({},)):
            seed = (self.seed + number * _SEEDS_APART) % 2**31
            found.append(with_settings(alone, {**own, "seed": seed}))
        return tuple(found)

    def of_repeat(self, number: int) -> Config:
        """Return the settings of repeat `number` of the split.

        Repeat 0, the first, has these settings. Each further repeat has another seed, so
        that groups are divided, and networks trained, in another way.
        """
        seed = (self.seed + number * _REPEATS_APART) % 2**31
        return self.model_copy(update={"seed": seed})

    @property
    def targets(self) -> set[str]:
        """Return what the networks of a fold predict: melanoma, diagnosis, or both."""
        return {each.training.target for each in self.of_members()}

    @model_validator(mode="after")
    def _members_differ_in_what_they_may(self) -> Self:
        if len(self.members) > 100:
            raise ValueError(f"members has {len(self.members)} networks; 100 is the most")
        for own in self.members:
            wrong = [name for name in own if not _is_of_a_member(name)]
            if wrong:
                raise ValueError(
                    f"a member cannot differ in {wrong[0]}: only in imaging.view, and in "
                    "settings of model, augment and training but for devices and teacher, "
                    "each by its whole name, such as training.epochs"
                )
        try:
            if self.members:
                self.of_members()
        except ConfigError as error:
            raise ValueError(
                f"a member is wrong: {str(error).rstrip('.')}; without members, "
                "members=[], one network is trained"
            ) from error
        return self

    @model_validator(mode="after")
    def _combined_as_it_can_be(self) -> Self:
        if self.combine == "logits":
            return self
        if len(self.members) < 2:
            raise ValueError(
                f"combine {self.combine} is for several networks: give members, such as "
                "members=[{}, {}]"
            )
        if self.combine == "ranks":
            return self
        if self.refit:
            raise ValueError(
                "combine soup chooses its networks by validation images, and a refit has "
                "none: give refit=false, or combine=logits"
            )
        trees = [_flat(each.model_dump(mode="json")) for each in self.of_members()]
        if name := differing(trees):
            raise ValueError(
                f"combine soup averages weights, so its members cannot differ in {name}"
            )
        return self

    @model_validator(mode="after")
    def _logistic_head_is_linear(self) -> Self:
        if self.training.method == "logistic" and self.model.hidden:
            raise ValueError("training.method logistic needs a linear head: model.hidden=0")
        if self.training.method == "logistic" and self.model.lora_rank:
            raise ValueError(
                "training.method logistic trains no backbone: give model.lora_rank=0"
            )
        if self.training.method == "logistic" and self.model.needs_metadata:
            raise ValueError(
                "training.method logistic has no use for model.metadata, which is trained; "
                "give model.metadata=none"
            )
        return self

    def of_one_network(self) -> Config:
        """Return the settings of a network whose answers are averaged with others.

        Patient context (`model.context`) is off: it is that of the mean.
        """
        model = self.model.model_copy(update={"context": False})
        return self.model_copy(update={"model": model})

    @property
    def fuses_metadata(self) -> bool:
        """Tell whether a network of a fold takes age, sex and site where they are known."""
        return any(
            each.model.metadata != "none" and each.training.method != "logistic"
            for each in self.of_members()
        )

    @property
    def needs_metadata(self) -> bool:
        """Tell whether a network of a fold cannot be trained without age, sex and site."""
        return any(each.model.needs_metadata for each in self.of_members())

    def to_yaml(self) -> str:
        """Return the settings as YAML, readable by `read_config`."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


_SEEDS_APART, _REPEATS_APART = 7919, 104_729
_SHARED = {
    "accelerator", "devices", "nodes", "precision", "compile", "workers",
    "watch", "teacher",
}  # fmt: skip
"""Settings of the training that all networks of a fold share."""


def _is_of_a_member(name: str) -> bool:
    section, _, field = name.partition(".")
    if section == "training":
        return field not in {"", *_SHARED}
    if name == "model.context":  # it is fitted to the mean of the networks
        return False
    # A whole section would reset the fields that it does not name to their defaults.
    return (section in {"model", "augment"} and field != "") or name == "imaging.view"


def check_watch(config: Config) -> None:
    """Raise `NotInstalledError` if the library of `training.watch` is not installed."""
    watch = config.training.watch
    if watch != "none":
        require(watch, what=f"training.watch {watch}")


def with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
    """Return a copy of `config` with settings changed, such as `{"training.epochs": 3}`.

    A changed setting holds for every member: a member's own value of it is dropped, and so
    is one that contradicts the changed settings.

    Raises `ConfigError` for a setting that does not exist (the message names the nearest
    one), for a wrong value, and for `recipe`, which is only the name of the settings.
    """
    settings, tree = _by_their_new_names(settings), config.model_dump()
    for name, value in settings.items():
        _put(tree, name, value)
    if "members" not in settings:
        tree["members"] = [_that_goes_along(own, settings) for own in tree["members"]]
    return build_config(tree)


def _that_goes_along(own: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a member's settings, `own`, except those `settings` replaces or contradicts.

    A member's own `imbalance` is dropped where it contradicts the given target or balance,
    and its own target and balance where they contradict the given imbalance (see
    `TrainConfig`).
    """
    own = _by_their_new_names(own)
    kept = {name: value for name, value in own.items() if name not in settings}
    plain = {"training.target": "melanoma", "training.balance": "none"}
    asked = any(settings.get(name, value) != value for name, value in plain.items())
    if asked and kept.get("training.imbalance") in BALANCING:
        del kept["training.imbalance"]
    if settings.get("training.imbalance") in BALANCING:
        kept = {k: v for k, v in kept.items() if v == plain.get(k, v)}
    return kept


def build_config(tree: Mapping[str, Any]) -> Config:
    """Return a `Config` from a nested mapping.

    Raise `ConfigError` with the faulty fields.
    """
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise in_words(error) from None


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """Return `["training.epochs=3"]` as `{"training.epochs": 3}`.

    Values are read as YAML; a value that is not valid YAML stays text.

    Raises `ConfigError` for an assignment without "=" or nested too deeply.
    """
    settings: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"--set {assignment!r} has no '='; write it as --set training.epochs=3."
            )
        try:
            settings[name.strip()] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):  # such as a wrong date
            settings[name.strip()] = value
        except RecursionError:
            raise ConfigError(f"--set {name.strip()} is nested too deeply.") from None
    return settings


def read_config(path: Path) -> Config:
    """Return the `Config` in a YAML file, such as a run folder's `config.yaml`.

    Raises `DatasetNotFoundError` where there is no such file, and `ConfigError` where it
    cannot be read or holds a wrong setting.
    """
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no settings file {path}.")
    try:
        tree = yaml.safe_load(read_bytes(path, most=1_000_000).decode("utf-8"))
    except UnreadableFileError as error:
        raise ConfigError(str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # The messages of the parser have several lines.
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path} is not readable as YAML: {reason}.") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds no settings; see {CONFIG} in any run folder.")
    return build_config(tree)


_CORE = {
    "imaging": {"size"}, "model": {"backbone"}, "training": {"image_size", "epochs"}
}  # fmt: skip
"""Settings that every settings file of a run has, of whichever version."""


def check_names_its_recipe(config: Config, path: Path, known: Collection[str]) -> None:
    """Raise `ConfigError` if the settings file `path` names a recipe that it is not of.

    `config` was read from it, and `known` are the names of all recipes. A file that leaves
    settings out has their defaults, and not those of the recipe that it names.
    """
    name = config.recipe
    if "recipe" not in config.model_fields_set or name == "custom":
        return
    absent = [
        f"{section}.{field}"
        for section, fields in _CORE.items()
        for field in sorted(fields - getattr(config, section).model_fields_set)
    ]
    if absent and name not in known:
        raise ConfigError(
            f"{path} names the recipe {shortened(name)!r}, which there is not. The name "
            "changes no setting: leave the line out."
        )
    if absent:
        raise ConfigError(
            f"{path} names the recipe {name} and leaves out {some(absent)}, which then "
            f"have their defaults, not the values of {name}. Leave the name out, or give "
            f"--recipe {name} and change settings with --set."
        )


_FLIPS, _VIEWS = "training.flip_predictions", "training.views"


def _by_their_new_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with `training.views` for its name in earlier versions.

    Raises `ConfigError` where both are given and contradict each other.
    """
    kept = {name: value for name, value in settings.items() if name != _FLIPS}
    if len(kept) == len(settings):
        return kept
    try:
        views = views_of(settings[_FLIPS])
    except ValueError as error:
        raise ConfigError(f"training: {error}.") from None
    if kept.setdefault(_VIEWS, views) != views:
        raise ConfigError(
            f"{_FLIPS} {str(settings[_FLIPS]).lower()} is {_VIEWS} {views}, and {_VIEWS} "
            f"{shortened(str(kept[_VIEWS]))} is given, too: give {_VIEWS} alone."
        )
    return kept


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    if name == "recipe":
        raise ConfigError(
            "recipe is only the name of the settings that a run began with, and changes "
            "none of them: choose a recipe with --recipe NAME."
        )
    *sections, field = name.split(".")
    place: Any = tree
    for section in sections:
        place = place.get(section) if isinstance(place, dict) else None
    # Arguments of the backbone are checked by `timm_arguments`, all other names here.
    free = sections[-1:] == ["backbone_args"]
    if not isinstance(place, dict) or (field not in place and not free):
        known = list(_flat(tree))
        elsewhere = [each for each in known if each.rpartition(".")[2] == field]
        close = elsewhere or get_close_matches(name, known, n=3, cutoff=0.5)
        near = " or ".join(close)
        hint = f"Did you mean {near}?" if near else f"Known: {', '.join(known)}."
        raise ConfigError(f"There is no setting called {shortened(name)!r}. {hint}")
    place[field] = value


def flat_settings(config: Config) -> dict[str, Any]:
    """Return all settings by their full names (`training.epochs`), as plain values."""
    return _flat(config.model_dump(mode="json"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, dict) and key != "backbone_args"
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat
