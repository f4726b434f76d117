"""Check the switches of an ablation before any data is read.

A switch is a change of one or several settings, whose effect the ablation measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lentigo.config import Config, parse_settings, with_settings
from lentigo.config.sense import check_not_enlarged
from lentigo.errors import ConfigError, DatasetError, ModelError
from lentigo.output import check_folder, check_planned_folder
from lentigo.run_layout import ABLATION_PLAN
from lentigo.words import some

SHARED = ("seed", "export", "refit", "imaging.store", "imaging.size", "imaging.fit")
"""Settings that a switch must not change, because all trainings of an ablation share them;
the same holds for the settings whose names begin with `split.`."""


def check_asked(
    config: Config,
    switches: Sequence[str],
    out: Path,
    *,
    seeds: int,
    folds: int,
    resume: bool,
) -> None:
    """Check the arguments of `ablate` before anything is read or trained.

    Raises `ConfigError` for a wrong switch, images larger than they are stored, seeds
    below 1 or folds below 1, and `RunError`
    for a folder `out` that is taken or cannot be written.
    """
    for each in (config, *changed_by(switches, config).values()):
        check_not_enlarged(each)
    _check_counts(config, seeds, folds)
    check_folder(out)
    check_planned_folder(out, plan=ABLATION_PLAN, holds="an ablation", resume=resume)


def changed_by(switches: Sequence[str], config: Config) -> dict[str, Config]:
    """Return, by switch, `config` with the change that the switch makes.

    Settings that a file of weights determines, such as the backbone, are not filled in yet.

    Raises `ConfigError` for a switch that is wrong, changes nothing or repeats another one.
    """
    found: dict[str, Config] = {}
    for switch in switches:
        name = " ".join(switch.split())
        settings = parse_settings(name.split())
        shared = [each for each in settings if each in SHARED or each.startswith("split.")]
        if shared or not settings:
            raise ConfigError(
                f"The switch {switch!r} changes {some(shared) or 'nothing'}. A switch "
                "changes what a network is or how it learns, such as training.views=2; "
                "what all trainings share is changed with --set."
            )
        changed = with_settings(config, settings)
        if changed in [config, *found.values()]:
            raise same(switch)
        found[name] = changed
    if not found:
        raise ConfigError("No switch was given; name one, such as training.views=2.")
    return found


def same(switch: str) -> ConfigError:
    """Return the error for a switch that changes nothing, or does what another one does."""
    return ConfigError(f"The switch {switch!r} trains what another one does.")


def _check_counts(config: Config, seeds: int, folds: int) -> None:
    if config.split.nested:
        raise ConfigError(
            "An ablation compares the predictions of folds, for which those of pairs of "
            "folds are of no use: leave split.nested out."
        )
    if config.split.repeats > 1:
        raise ConfigError(
            "All trainings of an ablation share their folds, so these are not dealt anew: "
            "leave split.repeats out, and take more seeds or folds."
        )
    if seeds < 1 or folds < 1:
        raise ConfigError(f"seeds is {seeds} and folds is {folds}; give 1 or more of each.")


@contextmanager
def of_switch(name: str) -> Iterator[None]:
    """Begin the message of an error of settings with the name of their switch, if any."""
    try:
        yield
    except (ConfigError, DatasetError, ModelError) as error:
        if not name:
            raise
        raise type(error)(f"The switch {name!r}: {error}") from error
