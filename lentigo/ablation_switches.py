"""The switches of an ablation: wrong ones are refused before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lentigo.config import Config, parse_settings, with_settings
from lentigo.errors import ConfigError, RunError
from lentigo.output import check_folder
from lentigo.run_layout import ABLATION_PLAN
from lentigo.words import some

SHARED = ("seed", "export", "refit", "imaging.store", "imaging.size", "imaging.fit")
"""Settings that all trainings of an ablation share, beside those of `split`."""


def check_asked(
    config: Config,
    switches: Sequence[str],
    out: Path,
    *,
    seeds: int,
    folds: int,
    resume: bool,
) -> None:
    """Refuse at once what `ablate` would refuse before its first training."""
    changed_by(switches, config)
    _check_counts(config, seeds, folds)
    check_folder(out)
    check_place(out, resume=resume)


def changed_by(switches: Sequence[str], config: Config) -> dict[str, Config]:
    """Return the settings with each switch, as far as they are known without weights."""
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
    """The error of a switch that changes nothing, or what another one changes."""
    return ConfigError(f"The switch {switch!r} trains what another one does.")


def _check_counts(config: Config, seeds: int, folds: int) -> None:
    if config.split.repeats > 1:
        raise ConfigError(
            "All trainings of an ablation share their folds, so these are not dealt anew: "
            "leave split.repeats out, and take more seeds or folds."
        )
    if seeds < 1 or folds < 1:
        raise ConfigError(f"seeds is {seeds} and folds is {folds}; give 1 or more of each.")


def check_place(out: Path, *, resume: bool) -> None:
    """Refuse a folder of other things, and one of an ablation that is not to go on."""
    if (out / ABLATION_PLAN).is_file():
        if not resume:
            raise RunError(
                f"{out} holds an ablation. Go on with --resume, or give a new --out."
            )
    elif out.is_dir() and any(each.is_dir() for each in out.iterdir()):
        raise RunError(f"{out} holds other things. Give a new folder as --out.")
