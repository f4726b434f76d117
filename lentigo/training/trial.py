"""Trials of `lentigo tune`: trainings evaluated on validation images to choose settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from lentigo.config import Config, with_settings
from lentigo.errors import ConfigError
from lentigo.run_layout import PIXELS, FoldLayout
from lentigo.tables import NotedTable, read_any_table, write_table
from lentigo.training.arithmetic import read_arithmetic, settle_arithmetic
from lentigo.training.checkpoint import Row, previous_of
from lentigo.training.ensemble import brought_to_one_scale, mean_of
from lentigo.training.fabric import make_fabric
from lentigo.training.learnable import learnable
from lentigo.training.network import HeldOut, tried
from lentigo.training.prepare import Prepared, prepare, prepared
from lentigo.training.run import starting_networks, with_parts
from lentigo.training.run_folder import claim
from lentigo.training.thresholds import calibrated, calibration_of

Told = Callable[[int, list[Row]], None]
"""Callable that receives the number of a network and its epochs so far."""


@dataclass(frozen=True)
class Bench:
    """The images, groups, folds and precision that all trials share."""

    fabric: Fabric
    work: Prepared
    """The prepared images."""
    role: pd.Series
    """Role of each image; trials never use the images with the role "test"."""

    def answers(
        self, config: Config, layout: FoldLayout, told: Told | None = None
    ) -> pd.DataFrame:
        """Train the networks of `config`; return the predictions for the validation images.

        The columns are `image_id`, `group_id` and `logit`; for an ensemble, `logit` is the
        mean of the members' calibrated logits. An interrupted training continues; finished
        predictions are read from `layout.validation`. `told` is called after each epoch.

        Raises `RunError` if a network diverges, `ConfigError` for a soup, of which a trial
        writes no networks, and what `told` raises.
        """
        if config.combine == "soup":
            raise ConfigError(
                "combine soup cannot be tried here: a trial writes no networks whose "
                "weights could be averaged. Give --set combine=logits."
            )
        if layout.validation.is_file():
            return read_any_table(layout.validation)
        tables = []
        for number, own in enumerate(config.of_members()):
            place = layout.member(number) if config.members else layout
            after = partial(told, number) if told is not None else None
            held_out = HeldOut(0, place, self.role, after)
            tables.append(tried(self.fabric, self.work, _shared(own), held_out))
        mean = (
            tables[0]
            if len(tables) == 1
            else self._mean(layout.name, tables, config.combine)
        )
        answers = mean[["image_id", "group_id", "logit"]]
        write_table(answers, layout.validation)
        return answers

    def _mean(self, name: str, tables: list[pd.DataFrame], combine: str) -> pd.DataFrame:
        """Return the mean of several networks' predictions, each calibrated first.

        `combine` is that of the settings. Where no calibration can be fitted, the logits
        get one standard deviation.
        """
        maps = [calibration_of(self.work.table, each) for each in tables]
        alike = [calibrated(own, line) for own, line in zip(tables, maps, strict=True)]
        _, [alike] = brought_to_one_scale(name, maps, [alike], combine=combine)
        return mean_of(alike)

    def truth(self, answers: pd.DataFrame) -> np.ndarray:
        """Return whether each image of `answers` is a melanoma, (N,) bool."""
        known = self.work.table.set_index("image_id")["melanoma"]
        return answers["image_id"].map(known).to_numpy(bool)


def make_bench(table: NotedTable, config: Config, out: Path) -> Bench:
    """Decode, group and divide the labelled rows of `table` once, for all trials.

    The result is written to `out/prepared`, and the pixels to `out`, unless `config` names
    a pixel store. Fold 0 of the division that a training with `config` makes is held out.

    Raises the errors that `lentigo.train` raises before its first epoch.
    """
    labelled = learnable(table, config)
    shared: dict[str, str | bool] = {"refit": False}
    if config.imaging.store is None:
        shared["imaging.store"] = str(out / PIXELS)
    own, place = _shared(with_parts(with_settings(config, shared), 1)), out / "prepared"
    claim(place, config=own, folds=1, resume=True)
    settle_arithmetic(starting_networks(own)[0], own.training, place)
    prepare(labelled, own, place)
    fabric = make_fabric(own.training, read_arithmetic(place))
    fabric.launch()
    work = prepared(own, place)
    return Bench(fabric, work, work.roles(0, own))


def _shared(config: Config) -> Config:
    """Return `config` with one device on one node."""
    return with_settings(config, {"training.devices": 1, "training.nodes": 1})


def minutes_of(layout: FoldLayout) -> float:
    """Return the minutes that the finished epochs of a trial took."""
    parts = [each.metrics for each in (layout, *layout.members())]
    seconds = [read_any_table(path)["seconds"].sum() for path in parts if path.is_file()]
    return float(sum(seconds)) / 60


def cleared(layout: FoldLayout) -> None:
    """Delete checkpoint and best weights of a trial, once its predictions are written."""
    for each in (layout, *layout.members()):
        each.checkpoint.unlink(missing_ok=True)
        previous_of(each.checkpoint).unlink(missing_ok=True)
        each.best.unlink(missing_ok=True)


def has_diverged(layout: FoldLayout) -> bool:
    """Tell whether one of the networks of a trial diverged."""
    return any(each.diverged.is_file() for each in (layout, *layout.members()))
