"""Learning rate range test: which rate would suit a training. No setting is changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.config import BY_SOURCE, Config, RatesConfig, with_settings
from lentigo.errors import ConfigError
from lentigo.figures.registry import drawing_of, shown_by
from lentigo.files import temporary_folder
from lentigo.json_files import write_json
from lentigo.output import new_folder
from lentigo.recipes import recipe_or
from lentigo.reports.drawable import drawable
from lentigo.run_layout import FIGURES, PIXELS, RATES, RATES_TABLE, RunLayout
from lentigo.tables import NotedTable, write_table
from lentigo.training.arithmetic import read_arithmetic, settle_arithmetic
from lentigo.training.fabric import make_fabric
from lentigo.training.learnable import learnable
from lentigo.training.network import HeldOut, begun
from lentigo.training.prepare import prepare, prepared
from lentigo.training.rates import Advice, advice, losses_at, rates_of, smoothed
from lentigo.training.run import settled, starting_networks, with_parts
from lentigo.training.run_folder import claim


@dataclass(frozen=True, kw_only=True)
class FoundRate:
    """The range test of one network of a fold."""

    name: str
    """`network`, or `member-0`, `member-1` … where a fold has several networks."""
    given: float
    """The learning rate in the settings, which is not changed."""
    advice: Advice
    """The advised learning rate, and the rate of the lowest loss."""
    table: pd.DataFrame
    """One row for each step: `learning_rate`, `loss`, `smoothed` (the smoothed loss)."""

    @property
    def sentence(self) -> str:
        """The advised learning rate beside that of the settings, or why none is advised."""
        found, tried = self.advice, self.table["learning_rate"]
        if math.isnan(found.rate):
            return (
                f"{self.name}: from {tried.iloc[0]:.1e} to {tried.iloc[-1]:.1e} the loss "
                "does not fall clearly, so no rate is named; try more --steps, or other "
                "bounds."
            )
        return (
            f"{self.name}: would take training.learning_rate={found.rate:.2g} (the loss "
            f"is lowest at {found.lowest_at:.2g}); "
            f"the settings say {self.given:.2g}, and are not changed."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the results without the table, ready for JSON."""
        return {
            "network": self.name, "given": self.given, **asdict(self.advice),
            "steps": len(self.table), "sentence": self.sentence,
        }  # fmt: skip


@dataclass(frozen=True)
class FoundRates:
    """The range tests of all networks of a fold."""

    networks: tuple[FoundRate, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the results of all networks, ready for JSON."""
        return {"networks": [each.as_dict() for each in self.networks]}

    def as_text(self) -> str:
        """Return one sentence for each network, each on a line."""
        return "\n".join(each.sentence for each in self.networks)


def find_rate(
    table: NotedTable | pd.DataFrame,
    config: Config | None = None,
    rates: RatesConfig | None = None,
    *,
    out: Path | str,
) -> FoundRates:
    """Try ever higher learning rates on the training images of the first fold.

    Each network of `config` takes one step at each of `rates` (see `training.rates`).
    Writes `rates.csv`, `rates.json` and one figure for each network into the new folder
    `out`, and the decoded images too, unless `config` names a pixel store. No setting is
    changed, and the trained network is not kept.

    Raises `ConfigError` where a network is trained by `logistic`, which has no learning
    rate, `RunError` where `out` is taken, and what `lentigo.train` raises.
    """
    out, rates = Path(out), rates or RatesConfig()
    config = settled(recipe_or(config))
    if any(each.training.method == "logistic" for each in config.of_members()):
        raise ConfigError("training.method logistic uses no learning rate.")
    labelled = learnable(table, config)
    with new_folder(out, besides=(PIXELS,)):  # decoded images serve the next command
        own = with_parts(with_settings(config, _plain(config, out)), 1)
        with temporary_folder() as place:
            found = FoundRates(tuple(_tried(labelled, own, rates, place / "run")))
        _write(found, out)
    return found


def _plain(config: Config, out: Path) -> dict[str, Any]:
    """Return the settings that a range test replaces, with their values.

    It needs one device, images of one size, new images in each step, and no average of
    weights. Decoded images are
    stored in `out` unless the settings name a store.
    """
    plain: dict[str, Any] = {
        "training.devices": 1, "training.nodes": 1, "training.average": 0.0,
        "training.swa": 0.0, "training.progressive": 1.0, "split.repeats": 1,
        "training.frozen_views": 0,
        "refit": False, "imaging.store": str(config.imaging.store or out / PIXELS),
    }  # fmt: skip
    if config.split.scheme == BY_SOURCE:
        plain["split.scheme"] = "grouped"
    members = [
        {**own, **{k: v for k, v in plain.items() if k in own}} for own in config.members
    ]
    return {**plain, "members": members}


def _tried(
    table: NotedTable, config: Config, rates: RatesConfig, place: Path
) -> list[FoundRate]:
    claim(place, config=config, folds=1, resume=False)
    settle_arithmetic(starting_networks(config)[0], config.training, place)
    prepare(table, config, place)
    fabric = make_fabric(config.training, read_arithmetic(place))
    fabric.launch()
    work, found = prepared(config, place), []
    role, tried = work.roles(0, config), rates_of(rates).tolist()
    for number, own in enumerate(config.of_members()):
        name = f"member-{number}" if config.members else "network"
        layout = RunLayout(place).fold(0).member(number)
        trainer, _ = begun(fabric, work, own, HeldOut(0, layout, role))
        losses = losses_at(trainer, tried)
        rows = {
            "learning_rate": tried[: len(losses)],
            "loss": losses,
            "smoothed": smoothed(losses),
        }
        given = own.training.learning_rate
        found.append(
            FoundRate(
                name=name, given=given, advice=advice(tried, losses),
                table=pd.DataFrame(rows),
            )
        )  # fmt: skip
    return found


def _write(found: FoundRates, out: Path) -> None:
    """Write the table and the figures, then the JSON: once it exists, all is written."""
    tables = [each.table.assign(network=each.name) for each in found.networks]
    write_table(pd.concat(tables, ignore_index=True), out / RATES_TABLE)
    if drawable():
        from lentigo.figures.style import style

        with style():
            for row in shown_by("rates"):
                for each in found.networks:
                    named: Mapping[str, Any] = {
                        "name": each.name, "rate": each.advice.rate, "given": each.given
                    }  # fmt: skip
                    drawing_of(row)(each.table, **named).save(out / FIGURES)
    write_json(out / RATES, found.as_dict())
