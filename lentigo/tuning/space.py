"""The settings that `lentigo tune` searches, checked before any image is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from lentigo.ablation_switches import SHARED
from lentigo.config import BY_SOURCE, Config, with_settings
from lentigo.config.sense import check_not_enlarged
from lentigo.errors import ConfigError
from lentigo.extras import require
from lentigo.output import check_folder, check_planned_folder
from lentigo.run_layout import TUNING_PLAN

PRUNERS = ("median", "hyperband", "none")
"""Rules by which poor trials are stopped early; `none` stops none."""
_FORMS = "NAME=0..0.5, NAME=log:1e-4..1e-2 or NAME=choice:a,b,c"
_NOT_LEARNT = ("accelerator", "devices", "nodes", "precision", "workers", "index")
_TRIES_NOTHING = {
    *SHARED, "recipe", "members", "training.watch", *(f"training.{x}" for x in _NOT_LEARNT)
}  # fmt: skip
"""Settings that cannot be searched: all trials share them, or they do not influence what a
network learns."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A searched setting: its name, and a range (low, high) or a list of choices."""

    name: str
    kind: Literal["float", "int", "choice"]
    """Kind of the range, or `choice`."""
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    """Whether the range is searched on a logarithmic scale."""
    choices: tuple[Any, ...] = ()

    def ends(self) -> tuple[Any, ...]:
        """Return (low, high) of a range, or all values of a choice."""
        return self.choices or (self.low, self.high)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the range, or those of the choice, as values for JSON."""
        left_out = ("low", "high", "log") if self.choices else ("choices",)
        return {name: v for name, v in asdict(self).items() if name not in left_out}


def search_space(config: Config, searches: Sequence[str]) -> tuple[Dimension, ...]:
    """Return the settings to search with their ranges; without `searches`, the default.

    Each of `searches` has a form such as `model.dropout=0..0.5` (see `tune`). Raises
    `ConfigError` for a setting that does not exist, is named twice or is shared by all
    trials, for a value that it may not have, and for a malformed range or choice.
    """
    found = [_read(each, config) for each in searches] or default_space(config)
    names = [each.name for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{twice[0]} is searched twice; give one range for it.")
    return tuple(found)


def default_space(config: Config) -> list[Dimension]:
    """Return the default search: learning rate, weight decay, dropout, label smoothing.

    The learning rate is searched from a tenth to ten times that of `config`; the loss
    `auc_margin` has no label smoothing. Raises `ConfigError` if a network is trained by
    `logistic`, which has no learning rate.
    """
    if any(each.training.method == "logistic" for each in config.of_members()):
        raise ConfigError(
            "training.method logistic uses no learning rate, so there is no default "
            f"search; name a setting with --search ({_FORMS})."
        )
    rate = config.training.learning_rate
    space = [
        Dimension(
            name="training.learning_rate", kind="float", log=True,
            low=rate / 10, high=min(rate * 10, 10_000),
        ),
        Dimension(
            name="training.weight_decay", kind="float", low=1e-4, high=0.2, log=True
        ),
        Dimension(name="model.dropout", kind="float", low=0.0, high=0.5),
    ]  # fmt: skip
    if config.training.loss != "auc_margin":
        space.append(
            Dimension(name="training.label_smoothing", kind="float", low=0.0, high=0.1)
        )
    return space


def _read(search: str, config: Config) -> Dimension:
    name, equals, values = (part.strip() for part in search.partition("="))
    if not (name and equals and values):
        raise ConfigError(f"--search {search!r} is none; write {_FORMS}.")
    if name in _TRIES_NOTHING or name.startswith(("split.", "evaluation.")):
        raise ConfigError(
            f"--search {name}: all trials share it, or it changes nothing that is learnt; "
            "change it with --set."
        )
    found = _dimension(name, values)
    for value in found.ends():
        with_settings(config, {name: value})
    return found


def _dimension(name: str, values: str) -> Dimension:
    if values.startswith("choice:"):
        return Dimension(name=name, kind="choice", choices=_choices(name, values[7:]))
    log, given = values.startswith("log:"), values.removeprefix("log:")
    ends = [_number(name, word) for word in given.split("..", 1)]
    if len(ends) != 2:
        raise ConfigError(f"--search {name}={values} is no range; write {_FORMS}.")
    low, high = ends
    if not low < high:
        raise ConfigError(f"--search {name}: the range {given} is empty; give low..high.")
    if log and low <= 0:
        raise ConfigError(f"--search {name}: log needs a range above 0, not {given}.")
    kind = _kind(name)
    if kind == "choice":
        raise ConfigError(
            f"--search {name}: it is no number; write {name}=choice:A,B with its values."
        )
    if kind == "int":
        if low != int(low) or high != int(high):
            raise ConfigError(f"--search {name}: it is a whole number, not {given}.")
        low, high = int(low), int(high)
    return Dimension(name=name, kind=kind, low=low, high=high, log=log)


def _number(name: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"--search {name}: {word!r} is no number; write {_FORMS}.")
    return value


def _choices(name: str, words: str) -> tuple[Any, ...]:
    try:
        found = tuple(yaml.safe_load(word) for word in words.split(","))
    except (yaml.YAMLError, ValueError):
        found = tuple(word.strip() for word in words.split(","))
    if any(isinstance(each, list | dict) or each == "" for each in found):
        raise ConfigError(f"--search {name}: {words!r} are no single words or numbers.")
    if len(found) < 2 or len(set(map(repr, found))) < len(found):
        raise ConfigError(
            f"--search {name}: a choice is among two values or more, each given once."
        )
    return found


def _kind(name: str) -> Literal["float", "int", "choice"]:
    """Return "int" for a setting of whole numbers, "float" for one of other numbers.

    Else "choice"; "float" also for a setting that does not exist.
    """
    settings: Any = Config
    annotation: Any = Config
    for part in name.split("."):
        field = getattr(settings, "model_fields", {}).get(part)
        if field is None:
            return "float"  # there is no such setting, and `with_settings` says so
        settings = annotation = field.annotation
    kinds = set(get_args(annotation) or (annotation,)) - {type(None)}
    if kinds == {float}:
        return "float"
    return "int" if kinds == {int} else "choice"


def check_asked(
    config: Config,
    searches: Sequence[str],
    out: Path,
    *,
    trials: int,
    hours: float | None,
    pruner: str,
    resume: bool,
) -> tuple[Dimension, ...]:
    """Check the arguments of `tune` before any image is read; return what is searched.

    Raises `ConfigError` for a wrong argument or setting, `RunError` for a folder that is
    taken or cannot be written, and `NotInstalledError` without Optuna.
    """
    space = search_space(config, searches)
    if pruner not in PRUNERS:
        raise ConfigError(f"--pruner {pruner!r} is none of {', '.join(PRUNERS)}.")
    if trials < 1:
        raise ConfigError(f"trials is {trials}; give 1 or more.")
    if hours is not None and not 0 < hours < math.inf:
        raise ConfigError(f"hours is {hours:g}; give more than 0.")
    if config.split.repeats > 1 or config.split.scheme == BY_SOURCE:
        raise ConfigError(
            "All trials share one division into training, validation and held-out images: "
            "leave split.repeats and the scheme source out. To judge on another archive, "
            "search on a table without it."
        )
    check_not_enlarged(config)
    require("optuna", what="lentigo tune")
    check_folder(out)
    check_planned_folder(out, plan=TUNING_PLAN, holds="a search", resume=resume)
    return space
