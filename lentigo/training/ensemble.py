"""Train the networks of a fold, and make one model of several.

It is the mean of their calibrated logits, or of what their ranks say, or the network with
the mean of their weights (`Config.combine`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from lentigo.answer_columns import STRANGENESS
from lentigo.config import Config, with_settings
from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.evaluation.refusals import NOT_SAID, reason_in_words
from lentigo.inference.abstention.judge import Judged, together, with_abstention
from lentigo.inference.columns import with_columns
from lentigo.inference.diagnoses import shares_of, with_diagnoses
from lentigo.models.abstention import Abstention
from lentigo.models.calibration import Calibration, Platt, Temperature, then_line
from lentigo.models.description import read_description, write_folder
from lentigo.models.folder import settings_to_tell
from lentigo.models.joined import joined, with_weights_copied
from lentigo.models.schema import Description
from lentigo.progress import log
from lentigo.run_layout import FoldLayout
from lentigo.tables import DIAGNOSIS_COLUMNS, diagnosis_column, read_any_table, write_table
from lentigo.training.abstention import limit_of_several
from lentigo.training.context import described, with_context
from lentigo.training.network import (
    HeldOut,
    MadeOf,
    begun,
    judge_and_keep,
    train_network,
    write_roles,
)
from lentigo.training.prepare import Prepared
from lentigo.training.soup import check_same_meaning, greedy_soup
from lentigo.training.spread import of_one_distribution, of_one_spread
from lentigo.training.thresholds import (
    calibrated,
    calibration_of,
    costs_of,
    operating_points,
    sets_of,
    truth_of,
    with_own_sets,
)
from lentigo.training.without import mean_without

LINES = ("none", "temperature", "platt")
"""Calibration methods for the mean logit of an ensemble. All are linear, so that the
calibration of the mean can be written into the calibration of each member instead."""


def train_fold(fabric: Fabric, work: Prepared, config: Config, number: int) -> None:
    """Train the networks of `config` without fold `number`, and predict that fold.

    If `work` leaves out a second fold (`Prepared.without_too`), both are predicted.

    With several members, each member gets a model folder of its own inside the folder of
    the fold, and the files of the fold itself are those of the members together. Networks
    that are trained already are kept.
    """
    layout = work.layout(number)
    role = work.roles(number, config)
    if not config.members:
        return train_network(fabric, work, config, HeldOut(number, layout, role))
    if layout.predictions.is_file():
        log.info("%s is trained already.", layout.name)
        return None
    if fabric.is_global_zero:
        write_roles(work, role, layout)
    members = [layout.member(place) for place in range(len(config.members))]
    start = config.seed if config.combine == "soup" else None
    for own, place in zip(config.of_members(), members, strict=True):
        held_out = HeldOut(number, place, role, starting_seed=start)
        train_network(fabric, work, own.of_one_network(), held_out)
        fabric.barrier()
    if config.combine == "soup":
        _stir(fabric, work, config, HeldOut(number, layout, role), members)
    elif fabric.is_global_zero:
        _join(work, config, layout, members)
    return None


def _stir(
    fabric: Fabric,
    work: Prepared,
    config: Config,
    held_out: HeldOut,
    members: list[FoldLayout],
) -> None:
    """Average the weights of trained members (`greedy_soup`) and write that network."""
    check_same_meaning([read_description(each.model).members[0] for each in members])
    own = config.of_members()
    # Stages that any member trained have batch statistics to be computed anew.
    frozen = {"training.frozen_stages": min(each.training.frozen_stages for each in own)}
    trainer, role = begun(fabric, work, with_settings(own[0], frozen), held_out)
    kept = greedy_soup(trainer, members)
    names = [f"member-{place}" for place in sorted(kept)]
    made_of = MadeOf(config, names)
    judge_and_keep(trainer, work, role, held_out.number, made_of=made_of)


def _join(
    work: Prepared, config: Config, layout: FoldLayout, members: list[FoldLayout]
) -> None:
    """Calibrate the mean of trained members, choose its thresholds, and write its files."""
    known = [read_description(member.model) for member in members]
    own_maps, tables = _of_one_scale(layout.name, members, known, config.combine)
    mean = calibration_of(work.table, mean_of(tables[0]), logits="logit", methods=LINES)
    others = [each.members[0].others for each in known]
    chosen_on, judged = (calibrated(mean_of(own), mean, logits="logit") for own in tables)
    beside = with_context(
        config, work, chosen_on=chosen_on, judged=judged, name=layout.name,
        networks=len(members),
    )  # fmt: skip
    maps = [with_line(each, mean) for each in own_maps]
    limit = _limit(tables[0], known, maps)
    names = shares_of_members(tables[0], others)[0]
    chosen_on, judged = (
        _strangeness(
            with_diagnoses(table, *shares_of_members(own, others)), own, maps, limit
        )
        for table, own in zip((beside.chosen_on, beside.judged), tables, strict=True)
    )
    sets = sets_of(work.table, chosen_on, diagnoses=names)
    judged, chosen_on = (with_own_sets(part, sets, names) for part in (judged, chosen_on))
    write_table(chosen_on, layout.validation)
    folders = [member.model for member in members]
    content = joined(known, with_weights_copied(folders, layout.model, maps))
    content |= {
        "abstention": limit and limit.model_dump(mode="json"),
        "conformal": sets and sets.model_dump(mode="json"),
        "context": described(beside.context),
        "operating_points": operating_points(
            work.table, validation=chosen_on, held_out=judged, costs=costs_of(config)
        ),
        "settings": settings_to_tell(config),
    }
    content["training"] |= {"seed": config.seed, "recipe": config.recipe}
    write_folder(layout.model, content)
    _say(work, layout, members, chosen_on)
    # The table of predictions comes last: it says that this fold is done.
    write_table(judged, layout.predictions)


def _of_one_scale(
    name: str, members: Sequence[FoldLayout], known: Sequence[Description], combine: str
) -> tuple[list[Calibration], list[list[pd.DataFrame]]]:
    """Return the members' calibrations, and their validation and held-out predictions."""
    kinds = zip(*((each.validation, each.predictions) for each in members), strict=True)
    tables = [[read_any_table(table) for table in kind] for kind in kinds]
    maps = [each.members[0].calibration for each in known]
    return brought_to_one_scale(name, maps, tables, combine=combine)


def brought_to_one_scale(
    name: str,
    maps: list[Calibration],
    tables: list[list[pd.DataFrame]],
    *,
    combine: str,
    seen: str = VALIDATION,
) -> tuple[list[Calibration], list[list[pd.DataFrame]]]:
    """Make the scales of the members alike by their calibrations, spreads or ranks.

    With `combine` "ranks", a member's logits are replaced by what their ranks say
    (`of_one_distribution`). Otherwise the members' own calibrations `maps` make their
    scales alike; if none of them was calibrated, `brought_to_one_spread` does. Arguments
    and result are those of that function.
    """
    if combine == "ranks":
        logits = [each["raw_logit"].to_numpy(np.float64) for each in tables[0]]
        if ranks := of_one_distribution(logits, fitted_on=seen):
            return ranks, _all_calibrated(tables, ranks)
        log.warning(
            "%s: one of the members answers the same of all %s, which so have no ranks; "
            "the members' logits are averaged.", name, seen,
        )  # fmt: skip
    if any(each.fitted_on for each in maps):
        return maps, tables
    return brought_to_one_spread(name, maps, tables, seen)


def _all_calibrated(
    tables: list[list[pd.DataFrame]], maps: list[Calibration]
) -> list[list[pd.DataFrame]]:
    return [
        [calibrated(own, each) for own, each in zip(part, maps, strict=True)]
        for part in tables
    ]


def brought_to_one_spread(
    name: str,
    maps: list[Calibration],
    tables: list[list[pd.DataFrame]],
    seen: str = VALIDATION,
) -> tuple[list[Calibration], list[list[pd.DataFrame]]]:
    """Give the logits of uncalibrated members one standard deviation (`of_one_spread`).

    `tables` holds lists of prediction tables, one table for each member; the standard
    deviation is that of `tables[0]`, whose images `seen` names. `name` is that of the
    model, for messages. Returns the members' new calibrations and their new tables. If the
    logits of a member are constant, `maps` and `tables` are returned unchanged, with a
    warning.
    """
    logits = [each["raw_logit"].to_numpy(np.float64) for each in tables[0]]
    lines = of_one_spread(logits, fitted_on=seen)
    if not lines:
        log.warning(
            "%s: too few melanomas are among the %s to calibrate the "
            "members, and one of these answers the same of all images; so their logits are "
            "averaged as they are, and the one with the largest counts most.",
            name,
            seen,
        )
        return maps, tables
    log.info(
        "%s: too few melanomas are among the %s to calibrate the members, "
        "so their logits are brought to one spread before the mean.", name, seen,
    )  # fmt: skip
    return lines, _all_calibrated(tables, lines)


def mean_of(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the predictions of the mean of several networks: mean logits, other columns.

    `tables` holds the prediction table of each network, for the same images. The other
    columns are those of the first table, without the diagnoses' probabilities
    (`shares_of_members`).
    """
    means = {
        name: np.mean([table[name].to_numpy(np.float64) for table in tables], axis=0)
        for name in ("raw_logit", "logit")
    }
    told = [name for name in tables[0] if str(name).startswith(DIAGNOSIS_COLUMNS)]
    mean = tables[0].drop(columns=told).assign(**means)
    for name in ("raw_logit", "logit"):
        mean = mean.assign(**mean_without(tables, name))
    return with_columns(mean, {})


def _limit(
    tables: list[pd.DataFrame], known: list[Description], maps: list[Calibration]
) -> Abstention | None:
    """Return the abstention limit of the members together; None if one has no limit.

    `known` are the descriptions of the members, `tables` their validation predictions, and
    `maps` their calibrations.
    """
    own = [each.members[0].abstention for each in known]
    if not all(each is not None and each.limit for each in own) or own[0] is None:
        return None
    groups = tables[0]["group_id"].astype(str).tolist()
    return limit_of_several(_strange(tables), _mapped(tables, maps), own[0], groups)


def _strangeness(
    table: pd.DataFrame,
    own: list[pd.DataFrame],
    maps: list[Calibration],
    limit: Abstention | None,
) -> pd.DataFrame:
    """Return `table`, predictions of the members' mean, with their joint judgement.

    `own` are the members' predictions of the same images, `maps` their calibrations. The
    out-of-distribution score is the mean of the members' scores or, if larger, their
    disagreement, divided by `limit`; without a limit it is the mean. `abstain`,
    `strangeness` and `reason` are written anew. Without a column `strangeness`, `table` is
    returned unchanged.
    """
    if STRANGENESS not in table:
        return table
    mean = Judged(_strange(own).mean(axis=0), _words(own))
    judged = together(mean, _mapped(own, maps).std(axis=0), limit)
    return with_abstention(table.assign(reason=""), judged, shown=True)


def _words(tables: list[pd.DataFrame]) -> list[str]:
    """Return for each image the reason of the member with the highest strangeness score."""
    said = [each["reason"].fillna("").map(reason_in_words).tolist() for each in tables]
    worst = _strange(tables).argmax(axis=0)
    words = [said[member][place] for place, member in enumerate(worst)]
    return [_SEVERAL if each == NOT_SAID else each for each in words]


_SEVERAL = "strange to the networks together, to none of them by itself"


def _strange(tables: list[pd.DataFrame]) -> np.ndarray:
    return np.stack([each[STRANGENESS].to_numpy(np.float64) for each in tables])


def _mapped(tables: list[pd.DataFrame], maps: list[Calibration]) -> np.ndarray:
    logits = [each["raw_logit"].to_numpy(np.float64) for each in tables]
    return np.stack([map_.apply(own) for map_, own in zip(maps, logits, strict=True)])


def shares_of_members(
    tables: list[pd.DataFrame], diagnoses: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the diagnoses besides melanoma, and their mean shares over the members.

    `diagnoses` are those of each member. The shares, (D, N) for D diagnoses and N images,
    are those among lesions that are not melanoma. Both are empty if the members that
    distinguish diagnoses do not all have the same ones.
    """
    said = [(names, table) for names, table in zip(diagnoses, tables, strict=True) if names]
    if len({frozenset(names) for names, _ in said}) != 1:
        return (), np.empty((0, len(tables[0])))
    names = tuple(said[0][0])
    columns = [diagnosis_column(name) for name in names]
    # What melanoma leaves to them in each table cancels out.
    found = [table[columns].to_numpy(np.float64).T for _, table in said]
    return names, shares_of(np.mean(np.log(np.maximum(found, 1e-300)), axis=0))


def with_line(own: Calibration, mean: Calibration) -> Calibration:
    """Return the calibration of a member, followed by the calibration of the mean.

    The compared methods and the number of images stay those of the member;
    `compared_for_mean` are the methods that were compared for the mean.
    """
    line = mean.map
    if isinstance(line, Platt):
        slope, intercept = line.slope, line.intercept
    elif isinstance(line, Temperature):
        slope, intercept = 1 / line.temperature, 0.0
    else:
        return own
    changed = {
        "map": then_line(own.map, slope, intercept), "compared_for_mean": mean.compared
    }  # fmt: skip
    return own.model_copy(update=changed)


def _say(
    work: Prepared, layout: FoldLayout, members: list[FoldLayout], mean: pd.DataFrame
) -> None:
    """Log the validation AUC of each member and of their mean."""
    truth = truth_of(work.table, mean)
    tables = [*(read_any_table(each.validation) for each in members), mean]
    found = [float(auc(truth, each["logit"].to_numpy(np.float64))) for each in tables]
    each = ", ".join(f"{value:.3f}" for value in found[:-1])
    log.info(
        "%s: validation AUC of the members %s; of their mean %.3f.",
        layout.name, each, found[-1],
    )  # fmt: skip
