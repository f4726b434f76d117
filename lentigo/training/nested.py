"""Nested cross-validation: after the folds, train without each pair of folds, too.

The network trained without two folds predicts both. So each image is predicted with every
other fold left out besides its own, which tells how much the losses of cross-validation
vary (`lentigo.evaluation.nested`). The model of the run stays that of the folds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pandas as pd
from lightning_fabric import Fabric

from lentigo.config import BY_SOURCE, Config
from lentigo.errors import ConfigError
from lentigo.evaluation.nested_table import INNER, OUTER
from lentigo.evaluation.repeated import REPEAT
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table, write_table
from lentigo.training.ensemble import train_fold
from lentigo.training.prepare import Prepared
from lentigo.words import counted

FEWEST = 3
"""Fewest folds: with two, no image is left to learn from without both."""


def check_can_nest(config: Config, folds: int) -> None:
    """Raise `ConfigError` if nested folds are asked for and cannot be had.

    `folds` is the number of folds to hold out, which has to be all of them, and at least
    three.
    """
    if not config.split.nested:
        return
    if config.split.scheme == BY_SOURCE:
        raise ConfigError(
            f"By {BY_SOURCE} the parts are archives and no folds alike, of which nested "
            "cross-validation is about: leave out --nested."
        )
    parts = config.split.parts(folds)
    if folds != parts or folds < FEWEST:
        raise ConfigError(
            f"Nested cross-validation holds out every part, of {FEWEST} or more, and "
            f"folds is {folds} of {parts}: give --folds {max(parts, FEWEST)}."
        )
    if config.training.teacher is not None:
        raise ConfigError(
            "A teacher trained without one fold has learnt from the other of a pair: leave "
            "out --nested or training.teacher."
        )


def check_nested_table(work: Prepared, config: Config, folds: int) -> None:
    """Raise `ConfigError` if the split has other folds than the `folds` held out.

    A split that somebody gave may have more of them than the settings say.
    """
    there = int(work.table["fold"].nunique())
    if config.split.nested and there != folds:
        raise ConfigError(
            f"Nested cross-validation holds out every fold, and the split has "
            f"{counted(there, 'fold')}: give --folds {there}."
        )


def train_pairs(fabric: Fabric, work: Prepared, config: Config, *, folds: int) -> None:
    """Train without each pair of folds of each repeat, if nested folds are asked for.

    Finished networks are kept, and an interrupted training continues from its checkpoint.
    The process of each device calls this function.
    """
    if not config.split.nested:
        return
    for repeat in range(config.split.repeats):
        own = work.of_repeat(repeat)
        for one, other in combinations(range(folds), 2):
            train_fold(fabric, own.without_too(one, other), config.of_repeat(repeat), one)
            fabric.barrier()


def write_nested(work: Prepared, config: Config, *, folds: int) -> None:
    """Write the predictions of the folds and of their pairs as one nested table.

    The columns are `image_id`, `group_id`, `probability`, `outer_fold` and `inner_fold`
    (empty if only the image's own fold was left out); with several repeats also `repeat`.
    """
    parts = [
        part.assign(repeat=repeat)
        for repeat in range(config.split.repeats)
        for part in _parts(work.of_repeat(repeat), folds)
    ]
    names = ["image_id", "group_id", "probability", OUTER, INNER]
    if config.split.repeats > 1:
        names.append(REPEAT)
    whole = pd.concat(parts, ignore_index=True)[names]
    write_table(whole, RunLayout(work.out).nested)


def _parts(work: Prepared, folds: int) -> Iterator[pd.DataFrame]:
    """Yield the predictions of each network of a repeat, with outer and inner folds."""
    layout, repeat = RunLayout(work.out), work.repeat
    fold_of = work.table.set_index("image_id")["fold"].astype("Int64")
    for number in range(folds):
        told = read_any_table(layout.fold(number, repeat).predictions)
        none = pd.Series(pd.NA, index=told.index, dtype="Int64")
        yield told.assign(outer_fold=number, inner_fold=none)
    for one, other in combinations(range(folds), 2):
        told = read_any_table(layout.without_pair(one, other, repeat).predictions)
        own = told["image_id"].map(fold_of)
        yield told.assign(outer_fold=one + other - own, inner_fold=own)
