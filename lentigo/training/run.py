"""Train on a lesion table: the one call behind `lentigo train`."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from lentigo.config import BY_SOURCE, Config, ModelConfig, build_config, check_watch
from lentigo.config.sense import check_makes_sense, enlarged, useless
from lentigo.curation import read_split
from lentigo.curation.splits.schemes import several_sources
from lentigo.errors import ConfigError, LentigoError
from lentigo.imaging.store.place import check_squares, check_store_folder
from lentigo.inference.columns import with_columns
from lentigo.machine import is_first_process
from lentigo.models.input_size import check_adapts, check_grows, fit_to_size
from lentigo.models.network import Classifier, build_model, resolve
from lentigo.models.stages import first_stages
from lentigo.output import alone, check_run_folder
from lentigo.progress import log
from lentigo.recipes import recipe_or
from lentigo.run_layout import RunLayout
from lentigo.stopping import die_with_parent
from lentigo.tables import NotedTable, as_noted, read_any_table, write_table
from lentigo.training.arithmetic import read_arithmetic, settle_arithmetic
from lentigo.training.data import worker_count
from lentigo.training.ensemble import train_fold
from lentigo.training.fabric import make_fabric
from lentigo.training.learnable import learnable
from lentigo.training.left_out import left_out
from lentigo.training.nested import (
    check_can_nest,
    check_nested_table,
    train_pairs,
    write_nested,
)
from lentigo.training.prepare import held_out_folds, prepare, prepared
from lentigo.training.refit import check_can_refit, train_on_all
from lentigo.training.run_folder import (
    Stopwatch,
    claim,
    note_in_environment,
)
from lentigo.training.schedule import image_side, layer_scales
from lentigo.training.shared_folds import Cluster, cluster_of, train_shared
from lentigo.training.teacher_split import check_teacher
from lentigo.training.teaching import check_teachers
from lentigo.training.together import check_started, preparing, wait_for_first
from lentigo.words import counted, listed

if TYPE_CHECKING:
    from lentigo.inference.predict import Model


@dataclass(frozen=True)
class Run:
    """The folder of a finished training run, with access to its tables and its model."""

    folder: Path

    @property
    def layout(self) -> RunLayout:
        """The paths of the files in the run folder."""
        return RunLayout(self.folder)

    @property
    def predictions(self) -> pd.DataFrame:
        """The prediction table of the held-out images."""
        return read_any_table(self.layout.predictions)

    @property
    def table(self) -> pd.DataFrame:
        """The cleaned lesion table of the training, with the columns `group_id`, `fold`."""
        return read_any_table(self.layout.table)

    def load(self) -> Model:
        """Load the model: the one trained on all rows (`refit`), else the folds' mean."""
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
    on: str = "here",
    ray_address: str | None = None,
) -> Run:
    """Train the network that `config` describes on the labelled images of `table`.

    If `table` is the `NotedTable` of `read_archive`, the report also lists its notes.
    `config` is by default the recipe `quick`. `out` is a new folder (by default
    `runs/RECIPE-1`, `-2` …). With `folds=1` one fold is held out and judged. With `folds=k`
    the groups are divided into k parts (or `config.split.folds`), and each of the first k
    parts is held out once, from a model of its own. With `config.split.repeats=r` this is
    done r times, each time with a new division. With `config.split.nested` networks are
    also trained without each pair of folds, all of which have to be held out. With the
    scheme `leave-one-source-out` (`config.split.scheme`) each data set is held out once.
    `split` is the manifest (`split.csv`) of an earlier run, whose folds are then used.
    `resume` continues an interrupted run. With `on="ray"` the folds are trained at the same
    time on a Ray cluster whose machines see `out` and the images (`ray_address`, else
    `RAY_ADDRESS`, else a cluster of this machine alone).

    Raises `ConfigError` if settings contradict each other, `DatasetError` if the table
    cannot be learnt from or divided, `RunError` if a folder is taken or cannot be written
    or a training diverges, and `ModelError` if the starting weights are missing or do not
    fit.
    """
    config = settled(recipe_or(config))
    check_watch(config)
    check_can_refit(config)
    check_can_nest(config, folds)
    check_teacher(config)
    check_started(devices=config.training.devices * config.training.nodes)
    cluster = cluster_of(on, ray_address, config)
    out = Path(out) if out is not None else _next_run(config)
    if not is_first_process():
        return _train_beside(config, out, folds=folds)
    for told in filter(None, (enlarged(config), useless(config))):
        log.warning("%s", told)
    with preparing() as ready:
        labelled = learnable(table, config)
        if config.split.scheme == BY_SOURCE:
            folds = _sources(labelled.table, folds, split)
        _check_can_deal(config, split)
        config = with_parts(config, folds)
        _check_places(config, out, resume=resume)
        # Weights that cannot be had should be known before an hour of decoding.
        model = starting_networks(config)[0]
        with alone(out):
            claim(out, config=config, folds=folds, resume=resume)
            watch = Stopwatch(out)
            settle_arithmetic(model, config.training, out, images=len(labelled.table))
            prepare(labelled, config, out, folds=folds, split=split)
            means, given = _means(config, out), left_out(as_noted(table).table, out)
            note_in_environment(out, folds=folds, trained_by=means, given=given)
            ready()
            train_prepared(config, out, folds=folds, cluster=cluster)
            watch.note()
    return Run(out)


def _train_beside(config: Config, out: Path, *, folds: int) -> Run:
    """Train in a process other than the first, which prepares the run folder."""
    if _local_rank() != "0":
        die_with_parent()
    try:
        wait_for_first(out)
        train_prepared(config, out, folds=folds)
    except LentigoError as error:  # the command line tells those of the first process
        log.error("Process %s: %s", os.environ.get("RANK") or _local_rank(), error)
        raise
    return Run(out)


def _local_rank() -> str:
    return os.environ.get("LOCAL_RANK", "0")


def _check_places(config: Config, out: Path, *, resume: bool) -> None:
    """Raise an error if `out` or the pixel store of the settings cannot be used."""
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    check_squares(config.imaging.store, size=config.imaging.size, fit=config.imaging.fit)


def _check_can_deal(config: Config, split: Path | None) -> None:
    """Read the manifest `split` to raise its errors early, before the images are decoded.

    Raises `ConfigError` if the settings ask for repeats, which need new folds.
    """
    if split is None:
        return
    read_split(split)
    if config.split.repeats > 1:
        raise ConfigError(
            f"{split} has folds of its own, which cannot be dealt anew: leave it or the "
            "repeats out."
        )


def _sources(table: pd.DataFrame, folds: int, split: Path | None) -> int:
    """Return the number of data sets in `table`; each data set is one held-out fold.

    Raises `ConfigError` if `folds` is neither 1 nor this number, or if `split` is given.
    """
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
    """Return `config` with `split.folds` set: the number of parts of the division.

    Raises `ConfigError` if `folds`, the number of parts to hold out, is 0 or above that.
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
    """Return what `auto` was resolved to in this run: precision, device, workers …"""
    arithmetic = read_arithmetic(out)
    device = torch.device(arithmetic.device or "cpu")
    workers = worker_count(device, config.training)
    return {**asdict(arithmetic), "workers": workers}


def train_prepared(
    config: Config, out: Path, *, folds: int, cluster: Cluster | None = None
) -> None:
    """Train all folds of a prepared run folder; the process of each device calls this.

    A `cluster` trains the folds; what comes after them is trained in this process.
    """
    fabric = make_fabric(config.training, read_arithmetic(out))
    fabric.launch()
    work = prepared(config, out)
    check_teachers(work, config, folds=folds)
    folds = held_out_folds(work.table, config, folds)
    check_nested_table(work, config, folds)
    if cluster is not None:
        train_shared(cluster, config, out, folds=folds)
    for repeat in range(config.split.repeats):
        for held_out in range(folds):
            train_fold(fabric, work.of_repeat(repeat), config.of_repeat(repeat), held_out)
            fabric.barrier()
    train_pairs(fabric, work, config, folds=folds)
    if config.refit:
        train_on_all(fabric, work, config, folds=folds)
        fabric.barrier()
    if fabric.is_global_zero:
        if config.split.nested:
            write_nested(work, config, folds=folds)
        _write_predictions(RunLayout(out), folds, config.split.repeats)


def _write_predictions(layout: RunLayout, folds: int, repeats: int) -> None:
    """Join the predictions of all folds in one table; with repeats, also all of these."""
    dealt = []
    for repeat in range(repeats):
        own = [layout.fold(number, repeat).predictions for number in range(folds)]
        whole = pd.concat(map(read_any_table, own), ignore_index=True)
        # A fold may tell diagnoses apart that another does not; the reason stays last.
        dealt.append(with_columns(whole, {}))
    if repeats > 1:
        told = [each.assign(repeat=number) for number, each in enumerate(dealt)]
        write_table(pd.concat(told, ignore_index=True), layout.repeated)
    write_table(dealt[0], layout.predictions)


def settled(config: Config, *, backbone_given: bool = True) -> Config:
    """Return `config` with the network settings that weights files and image size decide.

    These are the backbone (unless `backbone_given`), its arguments, mean and standard
    deviation; see `resolve` and `fit_to_size`. Each member of an ensemble gets its own.

    Raises `ConfigError` if a backbone does not take images of `training.image_size`, and
    the errors of `check_makes_sense` and `resolve`.
    """
    check_makes_sense(config)
    config = _with_whole_path(config)
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


def _with_whole_path(config: Config) -> Config:
    """Return `config` with an absolute path of the teacher, if there is one."""
    folder = config.training.teacher
    if folder is None:
        return config
    # What is stored in a run folder has to be found again from any other folder.
    training = config.training.model_copy(update={"teacher": folder.resolve()})
    return config.model_copy(update={"training": training})


def _say_backbones(found: list[tuple[Config, ModelConfig]]) -> None:
    """Log each backbone that was taken from the name of a weights file, once.

    `found` holds for each member its settings as they were asked for, and those it gets.
    The members are named if the others have another backbone.
    """
    brought: dict[str, list[str]] = {}
    for number, (asked, own) in enumerate(found):
        if own.backbone != asked.model.backbone:
            brought.setdefault(own.backbone, []).append(f"member-{number}")
    for name, members in brought.items():
        whose = f" of {listed(members)}" if len(members) < len(found) else ""
        log.info("The backbone%s is %s, after the name of the weights file.", whose, name)


def _fitted(config: Config, *, backbone_given: bool) -> ModelConfig:
    model = resolve(config.model, backbone_given=backbone_given)
    size = config.training.image_size
    fitted = fit_to_size(model, view=config.imaging.view, size=size)
    check_adapts(fitted, view=config.imaging.view)
    if config.training.progressive < 1:
        asked = {image_side(config.training, k) for k in range(config.training.epochs)}
        check_grows(fitted, view=config.imaging.view, sizes=sorted(asked))
    return fitted


def starting_networks(config: Config) -> list[Classifier]:
    """Build the networks of a fold, to raise the errors of building and freezing early."""
    found = []
    for member in config.of_members():
        network = build_model(member.model, view=member.imaging.view)
        first_stages(network, member.training.frozen_stages)
        layer_scales(network.backbone, member.training.layer_decay)
        found.append(network)
    return found


def check_can_train(config: Config, table: pd.DataFrame | NotedTable) -> None:
    """Raise the errors with which `train` refuses settings before it decodes an image.

    `config` is from `settled`. Its networks are built once, which takes about a second.
    """
    check_watch(config)
    check_can_refit(config)
    check_teacher(config)
    learnable(table, config)
    starting_networks(config)


def _next_run(config: Config) -> Path:
    taken = 1
    while (Path("runs") / f"{config.recipe}-{taken}").exists():
        taken += 1
    return Path("runs") / f"{config.recipe}-{taken}"
