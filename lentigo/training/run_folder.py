"""The folder of one run: claimed once, never overwritten, continued only when asked to."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.config import Config, flat_settings, read_config
from lentigo.errors import ConfigError, RunError, shown
from lentigo.files import clear_unfinished, write_text
from lentigo.json_files import read_json_object, write_json
from lentigo.output import check_run_folder
from lentigo.run_layout import RunLayout
from lentigo.words import some

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = (
    "numpy", "pandas", "scikit-learn", "pillow", "opencv-python-headless",
    "torch", "torchvision", "timm", "lightning-fabric", "safetensors",
)  # fmt: skip


def claim(out: Path, *, config: Config, folds: int, resume: bool) -> None:
    """Make `out` the folder of this run, or check that the run in it may be continued.

    The caller has to hold the lock of the folder (`output.alone`). A refused folder is not
    changed.

    Raises:
        RunError: the folder is taken (and `resume` is False), or cannot be written.
        ConfigError: the run in `out` was started with other settings, or holds out more
            than `folds` folds.
    """
    check_run_folder(out, resume=resume)
    layout = RunLayout(out)
    if layout.config.is_file() and layout.is_prepared():
        _check_folds(out, folds)
        before = read_config(layout.config)
        added = config.refit and not before.refit
        # Who watches changes nothing of what is learnt.
        watched = before.training.model_copy(update={"watch": config.training.watch})
        split = before.split.model_copy(
            update={"nested": before.split.nested or config.split.nested}
        )
        allowed = before.model_copy(
            update={"training": watched, "refit": before.refit or added, "split": split}
        )
        _check_same(allowed, config, out)
        clear_unfinished(out)
        if allowed != before:
            write_text(layout.config, config.to_yaml())
        return
    clear_unfinished(out)
    write_text(layout.command, command_line() + "\n")
    write_json(layout.environment, environment(config))
    # Written last: from here on the folder is a run that can be resumed.
    write_text(layout.config, config.to_yaml())


def command_line() -> str:
    """Return the command line of this process, quoted for a shell."""
    import shlex

    program = Path(sys.argv[0]).name or "python"
    return shlex.join([program, *sys.argv[1:]])


def environment(config: Config) -> dict[str, Any]:
    """Return what a result depends on besides the data: versions, platform, cores, seed."""
    return {
        "lentigo": metadata.version("lentigo"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "seed": config.seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def note_in_environment(out: Path, **facts: Any) -> None:
    """Add facts to `environment.json`."""
    path = RunLayout(out).environment
    write_json(path, {**read_json_object(path), **facts})


def _noted(out: Path, name: str) -> float:
    """Return the number `name` of `environment.json`, or 0 if it is missing there.

    Raises `RunError` if the value is not a number.
    """
    path = RunLayout(out).environment
    value = read_json_object(path).get(name) or 0
    if type(value) not in {int, float}:
        raise RunError(f"{path}: {name} is {shown(value)} and should be a number.")
    return float(value)


def _check_folds(out: Path, folds: int) -> None:
    """Raise `ConfigError` if a resumed run would hold out fewer folds than before.

    The predictions of the other folds would be lost.
    """
    before = int(_noted(out, "folds"))
    if folds < before:
        raise ConfigError(
            f"The run in {out} holds out {before} folds; resume it with --folds {before}."
        )


class Stopwatch:
    """Measures the minutes spent on a run, summed over all times it was resumed."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.start = time.monotonic()
        self.before = _noted(out, "minutes")

    def note(self) -> None:
        """Write the minutes so far into `environment.json`."""
        minutes = self.before + (time.monotonic() - self.start) / 60
        note_in_environment(self.out, minutes=round(minutes, 2))


def data_digest(table: pd.DataFrame) -> str:
    """Return the SHA-256 of what a training uses: images, labels, groups and folds."""
    columns = ["image_id", "sha256", "melanoma", "group_id", "fold"]
    rows = table[columns].sort_values("image_id").to_csv(index=False)
    return hashlib.sha256(rows.encode()).hexdigest()


def _check_same(before: Config, now: Config, out: Path) -> None:
    if before == now:
        return
    old, new = flat_settings(before), flat_settings(now)
    other = [
        f"{key}: {old.get(key)} then, {new.get(key)} now"
        for key in old
        if old[key] != new.get(key)
    ]
    raise ConfigError(
        f"The run in {out} was started with other settings ({some(other)}). Resume it with "
        "the same ones, or give another --out."
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
