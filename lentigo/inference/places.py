"""Find the model folders that predict, and identify a prediction for its journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from lentigo.errors import ConfigError
from lentigo.inference.inputs import Source
from lentigo.inference.journal import Task, task_of
from lentigo.models.description import find_models, read_description
from lentigo.models.network_view import LOOKS
from lentigo.progress import log
from lentigo.run_layout import FoldLayout, RunLayout
from lentigo.words import some


class Loaded(Protocol):
    """A loaded model, as far as `task` needs it."""

    @property
    def engine(self) -> str:
        """Return the name of the engine that computes the model's networks."""
        ...

    @property
    def rows(self) -> int:
        """Return how many numbers the model computes for each image."""
        ...


def check_views(views: int | None) -> None:
    """Raise `ConfigError` unless `views` is 1, 2, 8 or None."""
    if views is not None and views not in LOOKS:
        raise ConfigError(f"views is 1, 2 or 8, not {views}.")


def task(
    model: Sequence[Path],
    sources: Sequence[Source],
    options: Sequence[str],
    batch_size: int,
    *,
    loaded: Loaded | None = None,
) -> Task:
    """Return the `Task` that identifies a prediction, for its `Journal`.

    It depends on the files of the folders `model`, on `sources`, `options` and
    `batch_size`. `loaded` is the model loaded from the folders; without it, each network is
    taken to give one number per image.
    """
    known = [read_description(place) for place in model]
    parts = [each.sha256 for one in known for each in one.files.values()]
    found = task_of(sources, [*parts, *options], batch_size=batch_size)
    if loaded is None:
        return replace(found, rows=sum(len(one.members) for one in known))
    return replace(found, engine=loaded.engine, rows=loaded.rows)


def model_folders(paths: Sequence[Path | str]) -> list[Path]:
    """Return the model folders of `paths`; a run folder stands for those of its folds.

    Raises `DatasetNotFoundError` if a path holds no model, and `ConfigError` if `paths` is
    empty or a folder was given twice.
    """
    found: list[Path] = []
    for path in paths:
        folder, own = Path(path), find_models(path)
        several = own[0] not in (folder, FoldLayout(folder).model)
        if several and not RunLayout(folder).is_trained():
            log.warning("%s is not finished: only %d folds of it answer.", folder, len(own))
        found += own
    if not found:
        raise ConfigError("No model was given. Name a run folder or a model folder.")
    names = pd.Series([str(place.resolve()) for place in found])
    if names.duplicated().any():
        twice = some([str(found[place]) for place in np.flatnonzero(names.duplicated())])
        raise ConfigError(
            f"The network in {twice} was given twice and would count twice in the mean. "
            "Name each run or model folder once."
        )
    return found
