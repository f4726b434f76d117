"""Several run folders side by side: their progress, results and settings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from lentigo.config import Config, flat_settings, read_config
from lentigo.errors import DatasetNotFoundError, LentigoError
from lentigo.json_files import read_json_object
from lentigo.progress import log
from lentigo.run_layout import FoldLayout, RunLayout
from lentigo.tables import read_any_table
from lentigo.words import counted, listed, some

_DEPTH = 3
"""Levels of folders below a named folder in which run folders are searched."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """The summary of one run folder."""

    folder: Path
    state: str
    """The progress: "finished", "trained", "preparing", "fold 2 of 5: fold-1, epoch 3 of 8"
    …"""
    config: Config
    started: str
    """Date and time (UTC) at which the run began; empty if that is not recorded."""
    minutes: float
    """Minutes of work so far, over all interruptions; NaN if not recorded."""
    epochs: int
    """Epochs trained so far, summed over all networks."""
    validation_auc: float
    """Mean over networks of the best validation AUC. It chose the epoch, so it is biased
    upwards and is no estimate of performance."""
    auc: float
    """AUC on the held-out images; NaN until the run is evaluated. `low` and `high` are the
    ends of its 95 % interval."""
    low: float
    high: float
    n_images: int
    """Held-out images of the evaluation; 0 until the run is evaluated."""
    n_melanomas: int
    digest: str
    """SHA-256 of images, labels, groups and folds: runs with the same digest can be
    compared."""
    repeated: str = ""
    """Sentence on the results of all repeats, if the split was repeated; otherwise
    empty."""

    @property
    def settings(self) -> dict[str, Any]:
        """Return all settings by their full names, such as `training.epochs`."""
        return flat_settings(self.config)

    def as_row(self) -> dict[str, Any]:
        """Return the fields as a row of a table, with recipe, backbone and seed."""
        plain = {name: value for name, value in vars(self).items() if name != "config"}
        data = plain.pop("digest")[:8]
        return {
            **plain,
            "folder": str(self.folder),
            "recipe": self.config.recipe,
            "backbone": self.config.model.backbone,
            "seed": self.config.seed,
            "data": data,
        }


def find_runs(places: Iterable[Path | str]) -> list[RunSummary]:
    """Return the runs in `places` and up to three folders below, sorted by their start.

    A folder with settings that cannot be read is left out with a warning.

    Raises `DatasetNotFoundError` where a place is no folder, or no place holds a run.
    """
    named = [Path(place) for place in places]
    for place in named:
        if not place.is_dir():
            raise DatasetNotFoundError(f"There is no folder {place}.")
    found = {folder.resolve(): folder for place in named for folder in _below(place)}
    summaries = []
    for folder in found.values():
        try:
            summaries.append(summary_of(folder))
        except LentigoError as error:
            log.warning("%s is left out: %s", folder, error)
    if not summaries:
        raise DatasetNotFoundError(
            f"There is no run in {some(named)}; `lentigo run` makes one."
        )
    return sorted(summaries, key=lambda each: (each.started, str(each.folder)))


def _below(place: Path, depth: int = _DEPTH) -> Iterable[Path]:
    """Yield the run folders in `place` and up to `depth` levels of folders below it.

    Folders inside a run folder are not searched.
    """
    if RunLayout(place).config.is_file():
        yield place
    elif depth:
        try:
            inside = sorted(path for path in place.iterdir() if path.is_dir())
        except OSError as error:
            log.warning("%s cannot be looked into: %s.", place, error.strerror)
            return
        for folder in inside:
            if not folder.name.startswith(".") and not folder.is_symlink():
                yield from _below(folder, depth - 1)


def summary_of(folder: Path | str) -> RunSummary:
    """Return the summary of the run in `folder`, finished or not."""
    layout = RunLayout(Path(folder))
    config = read_config(layout.config)
    known = read_json_object(layout.environment) if layout.environment.is_file() else {}
    networks = _networks(layout)
    best = [history["validation_auc"].max() for _, history in networks if len(history)]
    return RunSummary(
        folder=layout.folder,
        state=_state(layout, config, _number(known.get("folds"))),
        config=config,
        started=str(known.get("started") or ""),
        minutes=_number(known.get("minutes")),
        epochs=sum(len(history) for _, history in networks),
        validation_auc=float(pd.Series(best, dtype=float).mean()),
        digest=str(known.get("data_digest") or ""),
        **_judged(layout),
    )


def _judged(layout: RunLayout) -> dict[str, Any]:
    found = read_json_object(layout.evaluation) if layout.evaluation.is_file() else {}
    model = found.get("model")
    model = model if isinstance(model, dict) else {}
    auc = model.get("auc")
    auc = auc if isinstance(auc, dict) else {}
    return {
        "auc": _number(auc.get("value")),
        "low": _number(auc.get("low")),
        "high": _number(auc.get("high")),
        "n_images": int(model.get("n_images") or 0),
        "n_melanomas": int(model.get("n_melanomas") or 0),
        "repeated": str((model.get("by_repeat") or {}).get("sentence") or ""),
    }


def _number(value: object) -> float:
    return float(value) if type(value) in {int, float} else math.nan  # type: ignore[arg-type]


def _networks(layout: RunLayout) -> list[tuple[FoldLayout, pd.DataFrame]]:
    """Return each network whose training has begun, with its table of epochs."""
    places = [member for fold in layout.folds() for member in fold.members() or [fold]]
    return [
        (place, read_any_table(place.metrics))
        for place in places
        if place.metrics.is_file()
    ]


_FINISHED = "finished"


def _state(layout: RunLayout, config: Config, folds: float) -> str:
    if layout.evaluation.is_file():
        return _FINISHED
    if layout.is_trained():
        return "trained"
    if not layout.is_prepared():
        return "preparing"
    # With several repeats, this counts the folds of all repeats.
    of = f" of {folds * config.split.repeats:.0f}" if folds == folds else ""
    begun = layout.folds()
    if not begun:
        return "prepared"
    networks = begun[-1].members() or [begun[-1]]
    if any(place.diverged.is_file() for place in networks):
        return f"{begun[-1].name} diverged"
    if begun[-1].predictions.is_file():
        return f"{counted(len(begun), 'fold')}{of} trained"
    epochs = (
        len(read_any_table(networks[-1].metrics)) if networks[-1].metrics.is_file() else 0
    )
    own = config.of_members()
    whole = own[min(len(networks), len(own)) - 1].training.epochs
    return f"fold {len(begun)}{of}: {networks[-1].name}, epoch {epochs} of {whole}"


def runs_table(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Return one row per run: state, results, and the settings in which the runs differ."""
    rows = [each.as_row() for each in runs]
    shown = set(rows[0]) | {"recipe", "seed", "model.backbone"}
    differing = [name for name in differences(runs) if name not in shown]
    told = TypeAdapter(Any)
    for row, run in zip(rows, runs, strict=True):
        own = run.settings
        row |= {
            name: value
            if isinstance(value := own.get(name), str | int | float | bool | None)
            else told.dump_json(value).decode()
            for name in differing
        }
    return pd.DataFrame(rows)


def differences(runs: Sequence[RunSummary]) -> list[str]:
    """Return the names of the settings whose values are not the same in all of `runs`."""
    settings = [each.settings for each in runs]
    names = list(dict.fromkeys(name for own in settings for name in own))
    return [
        name
        for name in names
        if any(o.get(name) != settings[0].get(name) for o in settings)
    ]


@dataclass(frozen=True, kw_only=True)
class SeedSpread:
    """The AUCs of runs whose settings differ only in the seed."""

    folders: tuple[str, ...]
    seeds: tuple[int, ...]
    aucs: tuple[float, ...]
    same_images: bool
    """Whether all runs held out the same images; if not, the AUCs differ also because the
    images do."""

    @property
    def mean(self) -> float:
        """Mean of the AUCs."""
        return float(np.mean(self.aucs))

    @property
    def deviation(self) -> float:
        """Sample standard deviation of the AUCs (the divisor is the number minus one)."""
        return float(np.std(self.aucs, ddof=1))

    def as_line(self) -> str:
        """Return a line with the mean, standard deviation and range of the AUCs."""
        drawn = "the same images" if self.same_images else "images drawn by the seed"
        return (
            f"Seeds {listed(list(map(str, self.seeds)))} and else the same settings: AUC "
            f"{self.mean:.3f}, standard deviation {self.deviation:.3f}, from "
            f"{min(self.aucs):.3f} to {max(self.aucs):.3f}, on {drawn}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all fields, the mean and the standard deviation, ready for JSON."""
        return {**asdict(self), "mean": self.mean, "deviation": self.deviation}


def spread_of_seeds(runs: Sequence[RunSummary]) -> list[SeedSpread]:
    """Return the AUCs of each set of evaluated runs whose settings differ only in the seed.

    A difference between two recipes that is smaller than their range may come from the seed
    (Bouthillier et al. 2021, arXiv:2103.03098).
    """
    alike: dict[str, list[RunSummary]] = {}
    for run in runs:
        if not math.isnan(run.auc):
            own = {name: value for name, value in run.settings.items() if name != "seed"}
            key = json.dumps(own, sort_keys=True)
            alike.setdefault(key, []).append(run)
    return [
        SeedSpread(
            folders=tuple(str(run.folder) for run in same),
            seeds=tuple(run.config.seed for run in same),
            aucs=tuple(run.auc for run in same),
            same_images=len({run.digest for run in same}) == 1 and bool(same[0].digest),
        )
        for same in alike.values()
        if len({run.config.seed for run in same}) > 1
    ]


def runs_text(runs: Sequence[RunSummary]) -> str:
    """Return the runs as text for a terminal: results, differing settings, comparisons.

    Also the AUCs of runs that differ only in the seed.
    """
    lines = []
    for run in runs:
        minutes = (
            "" if math.isnan(run.minutes) else f", {counted(round(run.minutes), 'minute')}"
        )
        lines.append(f"{run.folder}: {run.config.recipe}, {run.state}{minutes}")
        lines += [f"    {line}" for line in _figures(run)]
    for name in differences(runs):
        values = [str(run.settings.get(name)) for run in runs]
        lines.append(f"{name}: {', '.join(values)}")
    lines += [each.as_line() for each in spread_of_seeds(runs)]
    return "\n".join([*lines, *_comparable(runs)])


def _figures(run: RunSummary) -> Iterable[str]:
    if not math.isnan(run.auc):
        ends = (
            "no interval"
            if math.isnan(run.low)
            else f"95 % interval {run.low:.3f}–{run.high:.3f}"
        )
        yield (
            f"AUC {run.auc:.3f} ({ends}) on {counted(run.n_images, 'held-out image')}, "
            f"{counted(run.n_melanomas, 'melanoma')}"
        )
    if run.repeated:
        yield run.repeated.rstrip(".")
    if not math.isnan(run.validation_auc):
        yield (
            f"validation AUC {run.validation_auc:.3f} of the best epoch, which it chose; "
            f"{counted(run.epochs, 'epoch')}{'' if run.state == _FINISHED else ' so far'}"
        )


def _comparable(runs: Sequence[RunSummary]) -> Iterable[str]:
    """Yield a line for each set of runs that held out the same images.

    Only such runs can be compared; the line holds the command that does it.
    """
    by_data: dict[tuple[object, ...], list[RunSummary]] = {}
    for run in runs:
        if run.digest and not math.isnan(run.auc):
            key = (run.digest, run.n_images)
            by_data.setdefault(key, []).append(run)
    for same in by_data.values():
        if len(same) > 1:
            folders = " ".join(str(RunLayout(run.folder).predictions) for run in same)
            truth = RunLayout(same[0].folder).table
            yield f"Held out the same images: lentigo compare {folders} --truth {truth}"
