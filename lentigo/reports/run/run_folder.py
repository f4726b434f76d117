"""Read the files of a run folder; the report uses nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.config import Config, read_config
from lentigo.errors import RunError
from lentigo.json_files import read_json
from lentigo.run_layout import CONFIG, EVALUATION, PREDICTIONS, TABLE, RunLayout
from lentigo.tables import check_predictions, read_any_table, read_noted_file
from lentigo.words import some

NEEDED = (CONFIG, TABLE, PREDICTIONS, EVALUATION)
"""Files that a run folder must have for a report; all other files may be absent."""


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """A finished run: its settings, tables and evaluation."""

    folder: Path
    config: Config
    command: str
    """The command line that made the run; empty where it was not kept."""
    environment: Mapping[str, Any]
    table: pd.DataFrame
    """The lesion table, cleaned, with `group_id` and `fold`."""
    notes: tuple[str, ...] = ()
    """Notes on values guessed, filled in or missing when the table was read and cleaned."""
    duplicates: pd.DataFrame | None
    failures: pd.DataFrame | None
    histories: Mapping[str, pd.DataFrame]
    """Name of a network, such as `fold-0`, to one row an epoch."""
    roles: Mapping[int, pd.DataFrame]
    """Fold number to the columns image_id and role."""
    predictions: pd.DataFrame
    baseline: pd.DataFrame | None
    evaluation: Mapping[str, Any]

    @cached_property
    def scored(self) -> pd.DataFrame:
        """Held-out images with a probability and a label, joined with the lesion table."""
        return self._with_truth(self.predictions)

    @cached_property
    def scored_baseline(self) -> pd.DataFrame | None:
        """The same for the metadata-only baseline."""
        return None if self.baseline is None else self._with_truth(self.baseline)

    @property
    def layout(self) -> RunLayout:
        """The paths of the files of the run."""
        return RunLayout(self.folder)

    @property
    def pixels(self) -> Path:
        """Folder of the pixel store that the run used."""
        return self.config.imaging.store or self.layout.pixels

    def _with_truth(self, predictions: pd.DataFrame) -> pd.DataFrame:
        known = predictions[["image_id", "probability"]].merge(
            self.table, on="image_id", how="left", validate="one_to_one"
        )
        labelled = known.dropna(subset=["probability", "melanoma"])
        return labelled.astype({"melanoma": bool}).reset_index(drop=True)


def threshold(run: RunFolder) -> float:
    """Return the probability from which the evaluation of the run called melanoma."""
    judged = (run.evaluation.get("model") or {}).get("threshold")
    return float(run.config.evaluation.threshold if judged is None else judged)


def read_run(folder: Path) -> RunFolder:
    """Read the finished run in `folder`.

    Raises:
        RunError: the folder is no finished run, or one of its files cannot be read.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"{folder} is no finished run: it has no {some(missing, at_most=4)}. "
            "Finish it with `lentigo train --resume`, or give the folder of another run."
        )
    layout = RunLayout(folder)
    read = read_noted_file(layout.table)
    return RunFolder(
        folder=folder,
        config=read_config(layout.config),
        command=_text(layout.command),
        environment=_json(layout.environment),
        table=read.table,
        notes=read.notes,
        duplicates=_optional(layout.duplicates, ("a", "b", "kind")),
        failures=_optional(layout.failures, ("image_id", "reason")),
        histories=_histories(layout),
        roles=_roles(layout),
        predictions=_predictions(layout.predictions),
        baseline=_predictions(layout.baseline) if layout.baseline.is_file() else None,
        evaluation=_json(layout.evaluation),
    )


def _predictions(path: Path) -> pd.DataFrame:
    return check_predictions(read_any_table(path), source=str(path))


def _optional(path: Path, columns: tuple[str, ...]) -> pd.DataFrame | None:
    # A table of no rows may have been written as an empty file, without a header.
    if not path.is_file() or path.stat().st_size <= 1:
        return None
    table = read_any_table(path)
    absent = [name for name in columns if name not in table]
    if absent:
        raise RunError(f"{path} has no column {some(absent)}; it has {some(list(table))}.")
    return table


def _histories(layout: RunLayout) -> dict[str, pd.DataFrame]:
    networks = [each for fold in layout.folds() for each in (fold.members() or [fold])]
    found = {each.name: _optional(each.metrics, ("epoch",)) for each in networks}
    return {name: table for name, table in found.items() if table is not None}


def _roles(layout: RunLayout) -> dict[int, pd.DataFrame]:
    columns = ("image_id", "role")
    folds = layout.folds_of_first_repeat()
    found = {fold.number: _optional(fold.roles, columns) for fold in folds}
    return {number: table for number, table in found.items() if table is not None}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = read_json(path)
    except json.JSONDecodeError as error:
        raise RunError(f"{path} is not readable as JSON: {error}.") from error
    if not isinstance(value, dict):
        raise RunError(f"{path} holds no JSON object.")
    return value
