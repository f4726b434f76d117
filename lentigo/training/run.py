"""Train on a lesion table: the one call behind `lentigo train`."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException

from lentigo.config import (
    BY_SOURCE,
    Config,
    ModelConfig,
    TrainConfig,
    build_config,
    check_watch,
)
from lentigo.curation import read_split
from lentigo.curation.splits.schemes import several_sources
from lentigo.errors import ConfigError
from lentigo.imaging.store.place import check_store_folder
from lentigo.machine import is_first_process
from lentigo.models.input_size import check_grows, fit_to_size
from lentigo.models.network import Classifier, build_model, resolve
from lentigo.models.stages import first_stages
from lentigo.output import alone, check_run_folder
from lentigo.progress import log
from lentigo.recipes import recipe
from lentigo.run_layout import RunLayout
from lentigo.stopping import die_with_parent
from lentigo.tables import NotedTable, as_noted, read_any_table, write_table
from lentigo.training.arithmetic import Arithmetic, read_arithmetic, settle_arithmetic
from lentigo.training.data import worker_count
from lentigo.training.ensemble import train_fold
from lentigo.training.left_out import left_out
from lentigo.training.prepare import held_out_folds, learnable, prepare, prepared
from lentigo.training.refit import check_can_refit, train_on_all
from lentigo.training.run_folder import (
    Stopwatch,
    claim,
    note_in_environment,
)
from lentigo.training.schedule import image_side
from lentigo.words import counted

if TYPE_CHECKING:
    from lentigo.inference.predict import Model


@dataclass(frozen=True)
class Run:
    """A finished training: its folder and what lies in it."""

    folder: Path

    @property
    def layout(self) -> RunLayout:
        """Where each of its files lies."""
        return RunLayout(self.folder)

    @property
    def predictions(self) -> pd.DataFrame:
        """The prediction table of the held-out images."""
        return read_any_table(self.layout.predictions)

    @property
    def table(self) -> pd.DataFrame:
        """The lesion table that was learnt from, cleaned, with groups and folds."""
        return read_any_table(self.layout.table)

    def load(self) -> Model:
        """The model of this run; of several folds, their mean."""
        from lentigo.inference.predict import load

        return load(self.folder)


def train(
    table: pd.DataFrame | NotedTable,
    config: Config | None = None,
    *,
    out: Path | str | None = None,
    folds: int = 1,
    resume: bool = False,
    split: Path | None = None,
) -> Run:
    """Train the network that `config` describes on the labelled images of `table`.

    With what `read_archive` gives, the report also tells the notes of the reading.
    `out` is a new folder (by default `runs/RECIPE-1`, `-2` …). With `folds=1` one fold is
    held out and judged; with `folds=k` the groups are dealt into k (or
    `config.split.folds`) and the first k are, by a model each that never saw them; with
    `config.split.repeats` the groups are dealt so often, each time anew.
    By the scheme `leave-one-source-out` (`config.split.scheme`) each data set is, once.
    `split` is the manifest (`split.csv`) of an earlier run, to train on the very same
    folds. `resume` goes on with an interrupted run.

    Raises `ConfigError` for settings that make no sense, `DatasetError` where the table
    cannot be learnt from or divided, `RunError` where a folder is taken or cannot be
    written, and `ModelError` where the weights cannot be had or do not fit.
    """
    config = settled(config or recipe("quick"))
    check_watch(config)
    check_can_refit(config)
    out = Path(out) if out is not None else _next_run(config)
    if not is_first_process():
        return _train_beside(config, out, folds=folds)
    labelled = learnable(table, config)
    if config.split.scheme == BY_SOURCE:
        folds = _sources(labelled.table, folds, split)
    _check_can_deal(config, split)
    config = with_parts(config, folds)
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    # Weights that cannot be had should be known before an hour of decoding.
    model = starting_networks(config)[0]
    with alone(out):
        claim(out, config=config, folds=folds, resume=resume)
        watch = Stopwatch(out)
        settle_arithmetic(model, config.training, out)
        prepare(labelled, config, out, folds=folds, split=split)
        given = left_out(as_noted(table).table, out)
        note_in_environment(out, folds=folds, trained_by=_means(config, out), given=given)
        train_prepared(config, out, folds=folds)
        watch.note()
    return Run(out)


def _train_beside(config: Config, out: Path, *, folds: int) -> Run:
    """Train as one of several processes, what the first of them has prepared."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        die_with_parent()
    train_prepared(config, out, folds=folds)
    return Run(out)


def _check_can_deal(config: Config, split: Path | None) -> None:
    """Refuse a split that is none before an hour of decoding, and to deal it anew."""
    if split is None:
        return
    read_split(split)
    if config.split.repeats > 1:
        raise ConfigError(
            f"{split} has folds of its own, which cannot be dealt anew: leave it or the "
            "repeats out."
        )


def _sources(table: pd.DataFrame, folds: int, split: Path | None) -> int:
    """Count the data sets, each of which is held out; `folds` can be no other number."""
    if split is not None:
        raise ConfigError(
            f"{split} has folds of its own, so that they cannot be by {BY_SOURCE}: leave "
            "the one or the other out."
        )
    count = len(several_sources(table))
    if folds not in {1, count}:
        raise ConfigError(
            f"folds is {folds}, but by {BY_SOURCE} each of the "
            f"{counted(count, 'data set')} is held out once: leave the number of folds out."
        )
    return count


def with_parts(config: Config, folds: int) -> Config:
    """`config` with the number of parts that the groups are dealt into filled in.

    Raises `ConfigError` where fewer are asked for than are to be held out.
    """
    parts = config.split.parts(folds)
    if not 1 <= folds <= parts:
        raise ConfigError(
            f"folds is {folds}, but the groups are dealt into {parts} parts: give 1 to "
            "that many, or more parts with --set split.folds=N."
        )
    split = config.split.model_copy(update={"folds": parts})
    return build_config({**config.model_dump(), "split": split.model_dump()})


def _means(config: Config, out: Path) -> dict[str, Any]:
    """Return what `auto` means in this run: precision, device and worker processes."""
    arithmetic = read_arithmetic(out)
    device = torch.device(arithmetic.device or "cpu")
    workers = worker_count(device, config.training.workers)
    return {**asdict(arithmetic), "workers": workers}


def train_prepared(config: Config, out: Path, *, folds: int) -> None:
    """Train the folds of a prepared run folder; every device of a run calls this."""
    fabric = make_fabric(config.training, read_arithmetic(out))
    fabric.launch()
    work = prepared(config, out)
    folds = held_out_folds(work.table, config, folds)
    for repeat in range(config.split.repeats):
        for held_out in range(folds):
            train_fold(fabric, work.of_repeat(repeat), config.of_repeat(repeat), held_out)
            fabric.barrier()
    if config.refit:
        train_on_all(fabric, work, config, folds=folds)
        fabric.barrier()
    if fabric.is_global_zero:
        _write_predictions(RunLayout(out), folds, config.split.repeats)


def _write_predictions(layout: RunLayout, folds: int, repeats: int) -> None:
    """Write the answers of all folds as one table, and those of all repeats beside it."""
    dealt = []
    for repeat in range(repeats):
        own = [layout.fold(number, repeat).predictions for number in range(folds)]
        whole = pd.concat(map(read_any_table, own), ignore_index=True)
        # A fold may tell diagnoses apart that another does not; the reason stays last.
        dealt.append(whole[[*whole.columns.drop("reason"), "reason"]])
    if repeats > 1:
        told = [each.assign(repeat=number) for number, each in enumerate(dealt)]
        write_table(pd.concat(told, ignore_index=True), layout.repeated)
    write_table(dealt[0], layout.predictions)


def settled(config: Config, *, backbone_given: bool = True) -> Config:
    """`config` with all filled in that its weights files and its sizes of image decide.

    Raises `ConfigError` where a backbone takes no images of that size.
    """
    members = config.of_members()
    fitted = config.model_copy(
        update={"model": _fitted(config, backbone_given=backbone_given)}
    )
    if not config.members:
        _say_backbones([(config, fitted.model)])
        return fitted
    told, models = [], []
    for own, member in zip(config.members, members, strict=True):
        given = backbone_given or "model.backbone" in own
        models.append(_fitted(member, backbone_given=given))
        found, base = (each.model_dump(mode="json") for each in (models[-1], fitted.model))
        changed = {name: value for name, value in found.items() if value != base[name]}
        told.append({**own, **{f"model.{name}": value for name, value in changed.items()}})
    _say_backbones(list(zip(members, models, strict=True)))
    return build_config({**fitted.model_dump(), "members": told})


def _say_backbones(found: list[tuple[Config, ModelConfig]]) -> None:
    """Say once of each backbone that a weights file brought along that it did."""
    brought = [m.backbone for asked, m in found if m.backbone != asked.model.backbone]
    for name in dict.fromkeys(brought):
        log.info("The backbone is %s, after the name of the weights file.", name)


def _fitted(config: Config, *, backbone_given: bool) -> ModelConfig:
    model = resolve(config.model, backbone_given=backbone_given)
    size = config.training.image_size
    fitted = fit_to_size(model, view=config.imaging.view, size=size)
    if config.training.progressive < 1:
        asked = {image_side(config.training, k) for k in range(config.training.epochs)}
        check_grows(fitted, view=config.imaging.view, sizes=sorted(asked))
    return fitted


def starting_networks(config: Config) -> list[Classifier]:
    """Build the networks of a fold, to refuse at once what cannot be built or frozen."""
    found = []
    for member in config.of_members():
        network = build_model(member.model, view=member.imaging.view)
        first_stages(network, member.training.frozen_stages)
        found.append(network)
    return found


def make_fabric(config: TrainConfig, arithmetic: Arithmetic) -> Fabric:
    """Lightning Fabric for the devices that `config` asks for.

    Raises `ConfigError` when they are not there.
    """
    if config.batch_size % (config.devices * config.nodes):
        raise ConfigError(
            f"batch_size {config.batch_size} cannot be shared evenly by "
            f"{config.devices * config.nodes} devices."
        )
    # Its notes are about its own classes, and its level is set when it is imported.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    auto = config.accelerator == "auto"
    kind = (arithmetic.device if auto else None) or config.accelerator
    several = config.devices * config.nodes > 1
    try:
        return Fabric(
            accelerator=kind,
            devices=config.devices,
            num_nodes=config.nodes,
            strategy="ddp" if several else "auto",
            precision=arithmetic.precision,  # type: ignore[arg-type]
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise ConfigError(
            f"Cannot train on {config.devices} × {config.accelerator}: {error}"
        ) from error


def _next_run(config: Config) -> Path:
    taken = 1
    while (Path("runs") / f"{config.recipe}-{taken}").exists():
        taken += 1
    return Path("runs") / f"{config.recipe}-{taken}"
