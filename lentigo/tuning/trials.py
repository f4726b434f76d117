"""The trials of a search, in an Optuna study that survives a kill at any moment."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from lentigo.errors import RunError
from lentigo.files import written_beside
from lentigo.tuning.space import Dimension

_STUDY = "lentigo"
REASON = "reason"
"""The attribute of a trial that says why it was not finished."""
_STARTUP = 8
"""Trials that are drawn by chance before the sampler learns from them."""


@contextmanager
def opened_study(path: Path, *, pruner: str) -> Iterator[optuna.Study]:
    """Open the study in the SQLite file `path`; where it is not there, it is made, whole.

    Raises `RunError` where the file cannot be read or written as one.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        if not path.is_file():
            with written_beside(path) as temporary, _storage(temporary) as storage:
                optuna.create_study(
                    storage=storage, study_name=_STUDY, direction="maximize"
                )
        with _storage(path) as storage:
            yield optuna.load_study(
                study_name=_STUDY, storage=storage, pruner=_pruner(pruner)
            )
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, KeyError) as error:
        reason = " ".join(str(error.__cause__ or error).split())[:160]
        raise RunError(
            f"{path} cannot be read or written as the trials of a search ({reason}). See "
            "that the disk has space; if the file is broken, give a new --out."
        ) from error


@contextmanager
def _storage(path: Path) -> Iterator[optuna.storages.RDBStorage]:
    url = URL.create("sqlite", database=str(path)).render_as_string()
    storage = optuna.storages.RDBStorage(
        url, engine_kwargs={"connect_args": {"timeout": 60}}
    )
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _pruner(name: str) -> optuna.pruners.BasePruner:
    """Median: worse than half of the trials before it; hyperband: Li et al. 2018."""
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_min_trials=3)
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner()
    return optuna.pruners.NopPruner()


def next_trial(study: optuna.Study) -> Trial:
    """Return the trial that a killed process was at, else a new one."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if running:
        return Trial(study, running[0]._trial_id)
    return study.ask()


def values_of(trial: Trial, space: Sequence[Dimension], *, seed: int) -> dict[str, Any]:
    """Return the settings of a trial, drawn once and kept with it.

    By a tree of Parzen estimators (Bergstra et al. 2011), after some drawn by chance. What
    is drawn depends on the seed, the number of the trial, and the trials before it, so that
    a search that was killed goes on as if it had not been.
    """
    return {
        each.name: _drawn(trial, each, (seed * 100_003 + trial.number) * 101 + place)
        for place, each in enumerate(space)
    }


def _drawn(trial: Trial, each: Dimension, seed: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        trial.study.sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, n_startup_trials=_STARTUP, multivariate=False
        )
    if each.kind == "choice":
        return trial.suggest_categorical(each.name, each.choices)
    if each.kind == "int":
        low, high = int(each.low), int(each.high)
        return trial.suggest_int(each.name, low, high, log=each.log)
    return trial.suggest_float(each.name, each.low, each.high, log=each.log)


def report(trial: Trial, values: dict[int, float]) -> bool:
    """Note the validation AUC of each step that is not noted; tell if it should end."""
    known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for step, value in values.items():
        if step not in known:
            trial.report(value, step)
    return trial.should_prune()


def finish(trial: Trial, value: float) -> None:
    """Note the AUC of a trial that was trained to its end."""
    trial.study.tell(trial, value)


def give_up(trial: Trial, reason: str) -> None:
    """Note that a trial ended early, and why; the sampler takes it for a poor one."""
    trial.set_user_attr(REASON, reason)
    trial.study.tell(trial, state=TrialState.PRUNED)


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that ended, in their order, whether to their end or early."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=states)
