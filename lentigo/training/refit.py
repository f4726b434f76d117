"""Refit: train the networks of a run once more, on all rows of the lesion table.

A network trained on all rows has no images left for early stopping, calibration or
evaluation. So these come from the folds: the network is trained for the median number of
epochs after which the folds' networks were best, its calibration and thresholds are fitted
on the predictions of the folds' networks for their held-out images, and the reported
performance is that of the folds. The network may be better than the folds' networks, since
it learnt from more images; it is never evaluated on images that it learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from lightning_fabric import Fabric

from lentigo.config import Config
from lentigo.curation.splits.folds import TRAIN
from lentigo.errors import ConfigError
from lentigo.inference.diagnoses import with_diagnoses
from lentigo.models.description import DESCRIPTION, read_description, write_folder
from lentigo.models.folder import save_model_folder, settings_to_tell
from lentigo.models.joined import joined, with_weights_copied
from lentigo.models.lora import merge_adapters
from lentigo.progress import log
from lentigo.run_layout import NO_FOLD, FoldLayout, RunLayout
from lentigo.tables import DIAGNOSIS_COLUMNS, read_any_table
from lentigo.training.card import card_of
from lentigo.training.context import described, with_context
from lentigo.training.ensemble import (
    LINES,
    brought_to_one_scale,
    mean_of,
    shares_of_members,
    with_line,
)
from lentigo.training.loop import fit
from lentigo.training.network import HeldOut, begun, write_roles
from lentigo.training.prepare import Prepared
from lentigo.training.thresholds import (
    OUT_OF_FOLD,
    calibrated,
    calibration_of,
    costs_of,
    points_out_of_fold,
    sets_of,
)
from lentigo.words import counted


def check_can_refit(config: Config) -> None:
    """Raise `ConfigError` if a refit is asked for with `training.method` "logistic".

    That method needs validation images to choose its penalty, and a refit has none.
    """
    logistic = [each for each in config.of_members() if each.training.method == "logistic"]
    if config.refit and logistic:
        raise ConfigError(
            "By training.method logistic the validation images choose the penalty, and a "
            "refit has none: leave out --refit."
        )


def train_on_all(fabric: Fabric, work: Prepared, config: Config, *, folds: int) -> None:
    """Train the networks of `config` on all rows, after its `folds` folds are trained.

    Finished networks are kept, and an interrupted training continues from its checkpoint.
    The process of each device calls this function.
    """
    run = RunLayout(work.out)
    layout = run.refit
    if _is_done(layout):
        log.info("%s is trained already.", layout.name)
        return None
    whole = pd.Series(TRAIN, index=work.table.index)
    trained = [run.fold(number) for number in range(folds)]
    if not config.members:
        return _train(fabric, work, config, HeldOut(NO_FOLD, layout, whole), trained)
    if fabric.is_global_zero:
        write_roles(work, whole, layout)
    members = [layout.member(place) for place in range(len(config.members))]
    of_folds = [[fold.member(place) for fold in trained] for place in range(len(members))]
    for own, place, before in zip(config.of_members(), members, of_folds, strict=True):
        _train(fabric, work, own.of_one_network(), HeldOut(NO_FOLD, place, whole), before)
        fabric.barrier()
    if fabric.is_global_zero:
        _join(work, config, layout, members, of_folds)
    return None


def _is_done(layout: FoldLayout) -> bool:
    return (layout.model / DESCRIPTION).is_file()


def epochs_chosen(folds: Sequence[FoldLayout]) -> int:
    """Return the median of the epochs after which the folds' networks were best.

    For an even number of folds it is the later of the two middle epochs, because all rows
    are more to learn than those of a fold.
    """
    best = [read_description(fold.model).members[0].best_epoch or 1 for fold in folds]
    return sorted(best)[len(best) // 2]


def out_of_fold(folds: Sequence[FoldLayout]) -> pd.DataFrame:
    """Join the predictions of each fold's network for its held-out images in one table."""
    parts = [read_any_table(fold.predictions) for fold in folds]
    columns = ["image_id", "group_id", "raw_logit", "logit", "probability"]
    # Folds may tell other diagnoses apart; only those that all tell are kept.
    columns += [
        str(name)
        for name in parts[0]
        if str(name).startswith(DIAGNOSIS_COLUMNS) and all(name in part for part in parts)
    ]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def _train(
    fabric: Fabric,
    work: Prepared,
    config: Config,
    held_out: HeldOut,
    folds: Sequence[FoldLayout],
) -> None:
    """Train one network on all rows; epochs and calibration come from `folds`."""
    layout, epochs = held_out.layout, epochs_chosen(folds)
    if _is_done(layout):
        log.info("%s is trained already.", layout.name)
        return
    if fabric.is_global_zero:
        log.info(
            "%s: learning from all rows for %s, as the folds chose.",
            layout.name, counted(epochs, "epoch"),
        )  # fmt: skip
    trainer, role = begun(fabric, work, config, held_out, stop_after=epochs)
    fit(trainer)
    merge_adapters(trainer.judged)
    if not fabric.is_global_zero:
        return
    seen = out_of_fold(folds)
    calibration = calibration_of(work.table, seen, fitted_on=OUT_OF_FOLD)
    answers = calibrated(seen, calibration)
    beside = with_context(
        config, work, chosen_on=answers, judged=answers[:0], name=layout.name,
        fitted_on=OUT_OF_FOLD,
    )  # fmt: skip
    answers = beside.chosen_on
    points = points_out_of_fold(work.table, answers, costs_of(config))
    card = replace(
        card_of(trainer, work, role),
        calibration=calibration, operating_points=points, context=beside.context,
    )  # fmt: skip
    told = _told_alike(folds, trainer.model.others)
    sets = sets_of(work.table, answers, set_on=OUT_OF_FOLD, diagnoses=told)
    card = replace(card, conformal=sets)
    if calibration.prevalence is not None:
        card = replace(card, prevalence=calibration.prevalence)
    # The folder is written last: its being there says that this network is done.
    save_model_folder(trainer.judged, layout.model, card=card, config=config)


def _told_alike(folds: Sequence[FoldLayout], names: Sequence[str]) -> tuple[str, ...]:
    """Return the diagnoses `names`, or () if a network of `folds` tells others apart."""
    known = [read_description(fold.model).members[0].others for fold in folds]
    return tuple(names) if all(sorted(each) == sorted(names) for each in known) else ()


def _join(
    work: Prepared,
    config: Config,
    layout: FoldLayout,
    members: Sequence[FoldLayout],
    of_folds: Sequence[Sequence[FoldLayout]],
) -> None:
    """Calibrate the mean of refitted members by the predictions of the folds; write it.

    `of_folds` has for each member the networks of the folds with the same settings.
    """
    known = [read_description(member.model) for member in members]
    maps = [each.members[0].calibration for each in known]
    tables = [
        calibrated(out_of_fold(folds), own)
        for folds, own in zip(of_folds, maps, strict=True)
    ]
    maps, (tables,) = brought_to_one_scale(
        layout.name, maps, [tables], combine=config.combine, seen=OUT_OF_FOLD
    )
    mean = calibration_of(
        work.table, mean_of(tables), logits="logit", methods=LINES, fitted_on=OUT_OF_FOLD
    )
    answers = calibrated(mean_of(tables), mean, logits="logit")
    beside = with_context(
        config, work, chosen_on=answers, judged=answers[:0], name=layout.name,
        fitted_on=OUT_OF_FOLD, networks=len(members),
    )  # fmt: skip
    answers = beside.chosen_on
    folders = [member.model for member in members]
    lines = [with_line(each, mean) for each in maps]
    content = joined(known, with_weights_copied(folders, layout.model, lines))
    told = [
        _told_alike(own, each.members[0].others)
        for own, each in zip(of_folds, known, strict=True)
    ]
    names, found = shares_of_members(tables, told)
    answers = with_diagnoses(answers, names, found)
    sets = sets_of(work.table, answers, set_on=OUT_OF_FOLD, diagnoses=names)
    content |= {
        "conformal": sets and sets.model_dump(mode="json"),
        "context": described(beside.context),
        "operating_points": points_out_of_fold(work.table, answers, costs_of(config)),
        "settings": settings_to_tell(config),
    }
    content["training"] |= {"seed": config.seed, "recipe": config.recipe}
    write_folder(layout.model, content)
