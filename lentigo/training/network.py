"""Train one network; write it with its predictions, calibration and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from scipy.special import expit

from lentigo.config import Config
from lentigo.inference.abstention.judge import with_abstention
from lentigo.models.folder import member_of, save_model_folder
from lentigo.models.lora import merge_adapters
from lentigo.models.metadata import Fusion, MetadataEncoding, Patients, fields_of
from lentigo.models.network import build_model
from lentigo.models.schema import Member
from lentigo.progress import log
from lentigo.run_layout import FoldLayout
from lentigo.tables import write_table
from lentigo.training.abstention import Known, known_to
from lentigo.training.arithmetic import read_arithmetic
from lentigo.training.card import card_of
from lentigo.training.context import with_context
from lentigo.training.data import Beside, Examples
from lentigo.training.divergence import check_not_diverged
from lentigo.training.fold import AfterEpoch, Fold
from lentigo.training.lesson import taught
from lentigo.training.logistic import fit_logistic
from lentigo.training.loop import fit, tell
from lentigo.training.outputs import Outputs, outputs_of
from lentigo.training.prepare import Prepared
from lentigo.training.teaching import teacher_of
from lentigo.training.thresholds import (
    calibrated,
    calibration_of,
    costs_of,
    operating_points,
    sets_of,
    with_own_sets,
    with_shares,
)
from lentigo.training.trainer import Trainer
from lentigo.training.watching import watcher
from lentigo.training.without import with_raw_without
from lentigo.words import counted, listed


@dataclass(frozen=True)
class HeldOut:
    """A held-out fold, and the paths of the files of the network trained without it."""

    number: int
    """Number of the held-out fold."""
    layout: FoldLayout
    role: pd.Series
    """Role of each image: train, validation, test or left out (`Prepared.roles`)."""
    after_epoch: AfterEpoch | None = None
    """Callable that receives the epochs so far (`Fold.after_epoch`)."""
    starting_seed: int | None = None
    """Seed of the weights that no file gives, such as the head's; by default `seed`."""


def train_network(
    fabric: Fabric, work: Prepared, config: Config, held_out: HeldOut
) -> None:
    """Train the network of `config` without a held-out fold, and write its files.

    The files are those of `held_out.layout`; the held-out predictions are written last. If
    they exist already, nothing is done. An interrupted training continues from its
    checkpoint.

    Raises `RunError` if the network diverges.
    """
    layout = held_out.layout
    if layout.predictions.is_file():
        log.info("%s is trained already.", layout.name)
        return
    trainer, role = begun(fabric, work, config, held_out)
    _learn(trainer)
    judge_and_keep(trainer, work, role, held_out.number)


@dataclass(frozen=True)
class MadeOf:
    """The networks of which one network was made."""

    config: Config
    """Settings of all of them."""
    names: Sequence[str]
    """Names of those that are in it, such as "member-0"."""


def judge_and_keep(
    trainer: Trainer,
    work: Prepared,
    role: pd.Series,
    number: int,
    *,
    made_of: MadeOf | None = None,
) -> None:
    """Predict the held-out and validation images; calibrate and write a trained network.

    `role` is the role of each image, `number` that of the held-out fold. `made_of` are the
    networks that the network was made of, for the model folder. Each of several devices
    must call this function.
    """
    fabric, config = trainer.fabric, trainer.fold.config
    test = _examples(work, role, config, "test", trainer.model.metadata)
    outputs = outputs_of(
        trainer, _described(trainer, work, role), work, role,
        {"test": test, "validation": trainer.fold.validation},
        index=config.training.index != "none",
    )  # fmt: skip
    if fabric.is_global_zero:
        _keep(trainer, work, role, outputs, number, made_of)


def tried(
    fabric: Fabric, work: Prepared, config: Config, held_out: HeldOut
) -> pd.DataFrame:
    """Train a network for a trial, and return its predictions for the validation images.

    The columns are those of a prediction table; `logit` is not calibrated. No model folder
    is written, only `metrics.csv`, `roles.csv` and what a resumed training needs.

    Raises `RunError` if the network diverges.
    """
    trainer, role = begun(fabric, work, config, held_out)
    _learn(trainer)
    member, parts = _described(trainer, work, role), {"validation": trainer.fold.validation}
    said = outputs_of(trainer, member, work, role, parts, index=False).answers["validation"]
    return _predictions(work, role, said[0], held_out.number, name="validation")


def _described(trainer: Trainer, work: Prepared, role: pd.Series) -> Member:
    card = card_of(trainer, work, role)
    return member_of(trainer.model, card, trainer.fold.config)


def _learn(trainer: Trainer) -> None:
    if trainer.fold.config.training.method == "logistic":
        _fit_logistic(trainer)
    else:
        fit(trainer)
        for network in (trainer.model, trainer.judged):
            merge_adapters(network)


def begun(
    fabric: Fabric,
    work: Prepared,
    config: Config,
    held_out: HeldOut,
    *,
    stop_after: int | None = None,
) -> tuple[Trainer, pd.Series]:
    """Return a trainer whose training can begin, and the role of each image.

    `stop_after` is the number of epochs of a training without validation images.
    """
    layout = held_out.layout
    check_not_diverged(layout)
    lesson, role = taught(work.table, held_out.role, config.training)
    if fabric.is_global_zero:
        write_roles(work, role, layout)
    fabric.barrier()
    encoding = _encoding(work, role, config)
    train_set, validation = (
        _examples(work, role, config, name, encoding) for name in ("train", "validation")
    )
    _say_split(fabric, work, role, layout)
    told = held_out.after_epoch or watcher(config, layout, work.out)
    arithmetic = read_arithmetic(work.out)
    fold = Fold(
        layout, config, train_set, validation,
        channels_last=arithmetic.channels_last, compiled=arithmetic.compiled,
        frozen_by=arithmetic.frozen_by, given=lesson, stop_after=stop_after,
        after_epoch=told,
        teacher=teacher_of(
            fabric, work, role, config, lesson, number=held_out.number, layout=layout
        ),
    )  # fmt: skip
    if lesson.tells_diagnoses and fabric.is_global_zero:
        log.info("%s", lesson.sentence)
    # Every network starts from the same random head, whichever was trained before it.
    start = held_out.starting_seed
    torch.manual_seed(config.seed if start is None else start)
    model = build_model(config.model, view=config.imaging.view, metadata=encoding)
    return Trainer(fabric, model, fold), role


def _encoding(work: Prepared, role: pd.Series, config: Config) -> MetadataEncoding | None:
    """Fit the encoding of age, sex and site on the training images; None if not used.

    `role` is the role of each image, such as "train".
    """
    asked = config.model.metadata
    fields = fields_of(asked, work.table)
    if not fields or config.training.method == "logistic":
        return None
    mine = work.table[(role == "train").to_numpy()]
    fusion: Fusion = "film" if asked == "film" else "late"
    return MetadataEncoding.fitted(Patients.of_table(mine).only(fields), fusion)


def write_roles(work: Prepared, role: pd.Series, layout: FoldLayout) -> None:
    """Write the role of each image to `layout.roles`: train, validation, test …"""
    roles = pd.DataFrame({"image_id": work.table["image_id"], "role": role.to_numpy()})
    write_table(roles, layout.roles)


def _keep(
    trainer: Trainer,
    work: Prepared,
    role: pd.Series,
    outputs: Outputs,
    number: int,
    made_of: MadeOf | None,
) -> None:
    """Calibrate a trained network, choose its thresholds, and write its model folder.

    `outputs` are those for the parts "test" and "validation"; for `number` and `made_of`
    see `judge_and_keep`.
    """
    layout, config = trainer.fold.layout, trainer.fold.config
    tables = _raw_predictions(work, role, outputs, number)
    calibration = calibration_of(work.table, tables["validation"])
    beside = with_context(
        config, work, name=layout.name,
        chosen_on=calibrated(tables["validation"], calibration),
        judged=calibrated(tables["test"], calibration),
    )  # fmt: skip
    rows = {name: work.table[(role == name).to_numpy()] for name in outputs.found}
    known, others = known_to(outputs.found, rows, config), trainer.model.others
    judged, chosen_on = (
        _told(with_shares(table, others, outputs.answers[name]), known, name)
        for name, table in (("test", beside.judged), ("validation", beside.chosen_on))
    )
    sets = sets_of(work.table, chosen_on, diagnoses=others)
    judged, chosen_on = (with_own_sets(part, sets, others) for part in (judged, chosen_on))
    write_table(chosen_on, layout.validation)
    points = operating_points(
        work.table, validation=chosen_on, held_out=judged, costs=costs_of(config)
    )
    card = replace(
        card_of(trainer, work, role),
        calibration=calibration, operating_points=points, conformal=sets,
        context=beside.context,
    )  # fmt: skip
    if calibration.prevalence is not None:
        card = replace(card, prevalence=calibration.prevalence)
    if known is not None:
        card = replace(card, index=known.index, abstention=known.abstention)
    if made_of is not None:
        card = replace(card, name=f"{card.name} mean of weights of {listed(made_of.names)}")
    save_model_folder(
        trainer.judged, layout.model, card=card, config=config,
        whole=None if made_of is None else made_of.config,
    )  # fmt: skip
    # The table of predictions comes last: it says that this network is done.
    write_table(judged, layout.predictions)


def _raw_predictions(
    work: Prepared, role: pd.Series, outputs: Outputs, number: int
) -> dict[str, pd.DataFrame]:
    """Return the predictions of each part, by its name, before they are calibrated."""
    tables = {
        name: _predictions(work, role, said[0], number, name=name)
        for name, said in outputs.answers.items()
    }
    for name, said in outputs.without.items():
        tables[name] = with_raw_without(tables[name], said)
    return tables


def _told(predictions: pd.DataFrame, known: Known | None, part: str) -> pd.DataFrame:
    """Return predictions with the out-of-distribution score of each image, if known.

    `part` is the part that they are of, such as "test".
    """
    if known is None or part not in known.judged:
        return predictions
    # The numbers are there all the same: they tell what is gained by not answering.
    return with_abstention(predictions, known.judged[part], shown=True)


_ROLES = ("train", "validation", "test")


def _examples(
    work: Prepared,
    role: pd.Series,
    config: Config,
    name: str,
    encoding: MetadataEncoding | None,
) -> Examples:
    mine = work.table[(role == name).to_numpy()]
    dropout = config.model.metadata_dropout if name == "train" else 0.0
    return Examples(
        work.store.images,
        work.store.positions(mine["image_id"]),
        mine["melanoma"].to_numpy(dtype=np.float32, na_value=np.nan),
        size=config.training.image_size,
        config=config.augment if name == "train" else None,
        view=config.imaging.view,
        beside=None if encoding is None else _beside(mine, encoding, dropout),
    )


def _beside(mine: pd.DataFrame, encoding: MetadataEncoding, dropout: float) -> Beside:
    unknown = np.array(encoding.unknown, np.float32)
    return Beside(encoding.encode(Patients.of_table(mine)), unknown, dropout)


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
    tell(trainer)


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


def _say_split(fabric: Fabric, work: Prepared, role: pd.Series, layout: FoldLayout) -> None:
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
    log.info("%s: %s.", layout.name, "; ".join(counts))
