"""Train on a lesion table: the one call behind `lentigo train`."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from scipy.special import expit

from lentigo.config import Config, TrainConfig, build_config
from lentigo.curation import read_split
from lentigo.datasets.registry import FORMATS
from lentigo.errors import ConfigError
from lentigo.imaging.store.place import check_store_folder
from lentigo.machine import is_first_process
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.input_size import fit_to_size
from lentigo.models.network import build_model, resolve
from lentigo.models.stages import first_stages
from lentigo.output import alone, check_run_folder
from lentigo.progress import log
from lentigo.recipes import recipe
from lentigo.run_layout import RunLayout
from lentigo.stopping import die_with_parent
from lentigo.tables import NotedTable, as_noted, read_any_table, write_table
from lentigo.training.arithmetic import Arithmetic, read_arithmetic, settle_arithmetic
from lentigo.training.data import Examples, worker_count
from lentigo.training.divergence import check_not_diverged, diverged
from lentigo.training.left_out import left_out
from lentigo.training.lesson import Lesson, taught
from lentigo.training.logistic import fit_logistic
from lentigo.training.loop import fit
from lentigo.training.prepare import Prepared, learnable, prepare, prepared
from lentigo.training.run_folder import (
    Stopwatch,
    claim,
    note_in_environment,
)
from lentigo.training.thresholds import (
    calibration_of,
    costs_of,
    finished,
    operating_points,
)
from lentigo.training.trainer import Fold, Trainer
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
    `config.split.folds`) and the first k are, by a model each that never saw them.
    `split` is the manifest (`split.csv`) of an earlier run, to train on the very same
    folds. `resume` goes on with an interrupted run.

    Raises `ConfigError` for settings that make no sense, `DatasetError` where the table
    cannot be learnt from or divided, `RunError` where a folder is taken or cannot be
    written, and `ModelError` where the weights cannot be had or do not fit.
    """
    config = with_parts(settled(config or recipe("quick")), folds)
    out = Path(out) if out is not None else _next_run(config)
    if not is_first_process():
        return _train_beside(config, out, folds=folds)
    labelled = learnable(table, config.training)
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    if split is not None:
        read_split(split)  # what is wrong with it is told before an hour of decoding
    # Weights that cannot be had should be known before an hour of decoding.
    model = build_model(config.model, view=config.imaging.view)
    first_stages(model, config.training.frozen_stages)
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
    for held_out in range(folds):
        _train_fold(fabric, work, config, held_out)
        fabric.barrier()
    if fabric.is_global_zero:
        layout = RunLayout(out)
        parts = [read_any_table(layout.fold(k).predictions) for k in range(folds)]
        whole = pd.concat(parts, ignore_index=True)
        # A fold may tell diagnoses apart that another does not; the reason stays last.
        write_table(whole[[*whole.columns.drop("reason"), "reason"]], layout.predictions)


def settled(config: Config, *, backbone_given: bool = True) -> Config:
    """`config` with all filled in that its weights file and its size of image decide.

    Raises `ConfigError` where the backbone takes no images of that size.
    """
    model = resolve(config.model, backbone_given=backbone_given)
    size = config.training.image_size
    fitted = fit_to_size(model, view=config.imaging.view, size=size)
    return config.model_copy(update={"model": fitted})


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


def _train_fold(fabric: Fabric, work: Prepared, config: Config, held_out: int) -> None:
    layout = RunLayout(work.out).fold(held_out)
    if layout.predictions.is_file():
        log.info("%s is trained already.", layout.folder.name)
        return
    check_not_diverged(layout)
    lesson, role = taught(work.table, work.roles(held_out, config), config.training)
    if fabric.is_global_zero:
        roles = pd.DataFrame({"image_id": work.table["image_id"], "role": role.to_numpy()})
        write_table(roles, layout.roles)
    fabric.barrier()
    train_set, validation, test = (_examples(work, role, config, name) for name in _ROLES)
    _say_split(fabric, work, role, layout.folder)
    fold = Fold(
        layout, config, train_set, validation,
        channels_last=read_arithmetic(work.out).channels_last, given=lesson,
    )  # fmt: skip
    if lesson.tells_diagnoses and fabric.is_global_zero:
        log.info("%s", lesson.sentence)
    # Every fold starts from the same random head, whichever was trained before it.
    torch.manual_seed(config.seed)
    trainer = Trainer(fabric, build_model(config.model, view=config.imaging.view), fold)
    if config.training.method == "logistic":
        _fit_logistic(trainer)
    else:
        fit(trainer)
    judged_as, chosen_as = _answers(trainer, test), _answers(trainer, validation)
    if fabric.is_global_zero:
        judged = _predictions(work, role, judged_as[0], held_out)
        chosen_on = _predictions(work, role, chosen_as[0], held_out, name="validation")
        calibration = calibration_of(work.table, chosen_on)
        names = trainer.model.others
        judged = finished(judged, calibration, names, judged_as)
        chosen_on = finished(chosen_on, calibration, names, chosen_as)
        write_table(chosen_on, layout.validation)
        points = operating_points(
            work.table, validation=chosen_on, held_out=judged, costs=costs_of(config)
        )
        card = replace(
            _card(trainer, work, role), calibration=calibration, operating_points=points
        )
        if calibration.prevalence is not None:
            card = replace(card, prevalence=calibration.prevalence)
        save_model_folder(trainer.judged, layout.model, card=card, config=config)
        # The table of predictions comes last: it says that this fold is done.
        write_table(judged, layout.predictions)


_ROLES = ("train", "validation", "test")


def _examples(work: Prepared, role: pd.Series, config: Config, name: str) -> Examples:
    mine = work.table[(role == name).to_numpy()]
    return Examples(
        work.store.images,
        work.store.positions(mine["image_id"]),
        mine["melanoma"].to_numpy(dtype=np.float32, na_value=np.nan),
        size=config.training.image_size,
        config=config.augment if name == "train" else None,
        view=config.imaging.view,
    )


def _answers(trainer: Trainer, test: Examples) -> np.ndarray:
    """What is said of the held-out images; a network silent on some is not kept."""
    answers, fold = trainer.answers(test), trainer.fold
    if np.isfinite(answers[0]).all():
        return answers
    raise diverged(
        fold.layout,
        fold.config.training,
        epoch=trainer.progress.best_epoch,
        first=trainer.fabric.is_global_zero,
    )


def _fit_logistic(trainer: Trainer) -> None:
    fold, fabric = trainer.fold, trainer.fabric
    row = fit_logistic(
        trainer.model,
        fold.train,
        fold.validation,
        batch_size=fold.config.training.batch_size,
        device=fabric.device,
    )
    trainer.progress.history.append(row)
    trainer.progress.epoch = trainer.progress.best_epoch = 1
    if fabric.is_global_zero:
        write_table(pd.DataFrame([row]), fold.layout.metrics)


def _card(trainer: Trainer, work: Prepared, role: pd.Series) -> ModelCard:
    progress, fold = trainer.progress, trainer.fold
    best = progress.history[progress.best_epoch - 1]
    mine = work.table[(role == "train").to_numpy()]
    names = sorted(mine["dataset"].dropna().astype(str).unique().tolist())
    return ModelCard(
        logit_shift=fold.shift,
        prevalence=fold.prevalence,
        training_images=len(mine),
        training_groups=int(mine["group_id"].nunique()),
        training_melanomas=int(mine["melanoma"].sum()),
        archives=[_archive(name) for name in names],
        table_sha256=_table_digest(mine, fold.lesson),
        name=fold.layout.folder.name,
        best_epoch=progress.best_epoch,
        validation_auc=float(best["validation_auc"]),
    )


def _archive(name: str) -> dict[str, str]:
    known = FORMATS.get(name)
    terms = {"licence": known.licence, "citation": known.citation} if known else {}
    return {"name": name, **terms}


def _table_digest(learnt: pd.DataFrame, lesson: Lesson) -> str:
    """SHA-256 of the images, groups and labels, whatever the order of the rows."""
    also = ["diagnosis", "malignant"] if lesson.tells_diagnoses else []
    names = ["image_id", "group_id", "melanoma", *also]
    columns = learnt[names].astype("string").fillna("<NA>")
    lines = sorted("\t".join(row) for row in columns.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _predictions(
    work: Prepared,
    role: pd.Series,
    logits: np.ndarray,
    held_out: int,
    *,
    name: str = "test",
) -> pd.DataFrame:
    mine = work.table[(role == name).to_numpy()]
    return pd.DataFrame(
        {
            "image_id": mine["image_id"].to_numpy(),
            "group_id": mine["group_id"].to_numpy(),
            "probability": expit(logits),
            "logit": logits,
            "raw_logit": logits,
            "fold": held_out,
            "reason": "",
        }
    )


def _say_split(fabric: Fabric, work: Prepared, role: pd.Series, folder: Path) -> None:
    if not fabric.is_global_zero:
        return
    counts = []
    for name in _ROLES:
        mine = work.table[(role == name).to_numpy()]
        counts.append(
            f"{name} {counted(len(mine), 'image')} of "
            f"{counted(mine['group_id'].nunique(), 'group')}, "
            f"{counted(int(mine['melanoma'].sum()), 'melanoma')}"
        )
    log.info("%s: %s.", folder.name, "; ".join(counts))


def _next_run(config: Config) -> Path:
    taken = 1
    while (Path("runs") / f"{config.recipe}-{taken}").exists():
        taken += 1
    return Path("runs") / f"{config.recipe}-{taken}"
