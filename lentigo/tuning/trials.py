"""Trials of a search, kept in an Optuna study on disk, so that a kill loses none."""

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
"""Name of the trial's attribute with the reason why it was not trained to its end."""
_STARTUP = 8
"""Number of the first trials whose settings are drawn at random; after them the sampler
uses the results."""


@contextmanager
def opened_study(path: Path, *, pruner: str) -> Iterator[optuna.Study]:
    """Open the Optuna study in the SQLite file `path`, created if it does not exist.

    `pruner` is `median`, `hyperband`, or any other word for none; see `_pruner`.

    Raises `RunError` if the file cannot be read or written as a study.
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
    """Return the Optuna pruner `name`, the rule that stops a poor trial early.

    `median` stops a trial that is worse than the median of earlier ones at the same epoch;
    `hyperband` is that of Li et al. 2018; any other name stops none.
    """
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_min_trials=3)
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner()
    return optuna.pruners.NopPruner()


def next_trial(study: optuna.Study) -> Trial:
    """Return the trial that a killed process left unfinished, else a new one."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if running:
        return Trial(study, running[0]._trial_id)
    return study.ask()


def values_of(trial: Trial, space: Sequence[Dimension], *, seed: int) -> dict[str, Any]:
    """Return the value of each setting in `space` for a trial, drawn once and stored.

    The first `_STARTUP` trials are random; later ones come from a tree-structured Parzen
    estimator (Bergstra et al. 2011). The values depend only on the seed, the number of the
    trial and the results of earlier trials, so a resumed search makes the same trials.
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
    """Store the validation AUCs of new epochs; return whether to stop the trial early.

    `values` maps the number of an epoch, counted over all networks, to its AUC.
    """
    known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for step, value in values.items():
        if step not in known:
            trial.report(value, step)
    return trial.should_prune()


def finish(trial: Trial, value: float) -> None:
    """Store `value`, the validation AUC of a trial that was trained to its end."""
    trial.study.tell(trial, value)


def give_up(trial: Trial, reason: str) -> None:
    """Record that a trial ended early, and the reason; the sampler ranks it as poor."""
    trial.set_user_attr(REASON, reason)
    trial.study.tell(trial, state=TrialState.PRUNED)


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that ended, finished or stopped early, sorted by their number."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=states)
