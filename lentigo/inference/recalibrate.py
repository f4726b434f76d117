"""Fit calibration and operating points anew on a clinic's own labelled images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lentigo.curation.groups import assign_groups
from lentigo.errors import ConfigError, DatasetError, ModelError
from lentigo.evaluation.choosing import Answers, Costs, choose_points, measured
from lentigo.evaluation.operating_points import at_threshold
from lentigo.evaluation.recalibration import Recalibration, judge_calibration
from lentigo.evaluation.sums import Sample
from lentigo.files import as_text, copy_file
from lentigo.inference.calibrate import (
    FEWEST_GROUPS,
    Labelled,
    fit_calibration,
    grouped_folds,
)
from lentigo.inference.inputs import ARRAY, Source, as_sources
from lentigo.inference.learnt import hardly_known, learnt_images
from lentigo.inference.predict import Model, load, model_folders
from lentigo.inference.sets import Told, fit_sets, less_right, told_by
from lentigo.models.calibration import Calibration, probability
from lentigo.models.conformal import ConformalSets
from lentigo.models.description import checked_file, read_description, write_folder
from lentigo.models.metadata import WITHOUT
from lentigo.models.operating_point import OWN, OWN_UNTOLD, HeldOut, OperatingPoint
from lentigo.output import new_folder
from lentigo.progress import log
from lentigo.words import counted, listed


@dataclass(frozen=True, kw_only=True)
class Recalibrated:
    """A new model folder with a clinic's own calibration and operating points."""

    folder: Path
    calibration: Calibration
    judged: Recalibration
    """Calibration before and after, cross-validated: each image was judged by a
    calibration that was fitted without its group."""
    points: tuple[OperatingPoint, ...]


def recalibrate(
    model: Path | str,
    table: pd.DataFrame,
    out: Path | str,
    *,
    costs: Costs,
    device: str = "auto",
    engine: str = "auto",
) -> Recalibrated:
    """Write a copy of `model` to `out` that is calibrated on the images of `table`.

    The weights are not changed. `table` is a lesion table with labels and files; in
    cross-validation no group is on both sides of a fold. Images that the model was trained
    or chosen on are left out, with a warning. `costs` are for choosing thresholds.

    Raises:
        ConfigError: `model` is a run of several folds; export it first.
        DatasetError: too few groups of labelled images with or without melanoma.
        ModelError: the log-loss does not fall by more than one standard error.
        RunError: `out` is not empty or cannot be written.
    """
    folder, out = _single(model), Path(out)
    answered = _answered(folder, table, device=device, engine=engine)
    images, before, told, own = answered
    after, points = cross_validated_points(images, costs)
    judged = _judged(images, before, after)
    calibration = fit_calibration(images, fitted_on=own)
    _check_helps(judged, calibration)
    answers = _answers(images, calibration)
    final = choose_points(answers, costs=costs, chosen_on=own)
    final = tuple(
        each.model_copy(update={"held_out": points.get(each.name)})
        if each.threshold is not None
        else each
        for each in final
    )
    judged = replace(judged, methods=(calibration.method,))
    score = less_right(images.truth, answers.probability, answers.without_metadata)
    group = list(map(str, images.group))
    sets = fit_sets(images.truth, score, group, set_on=own, told=told)
    _write(folder, out, calibration, final, sets)
    return Recalibrated(folder=out, calibration=calibration, judged=judged, points=final)


def cross_validated_points(
    images: Labelled, costs: Costs
) -> tuple[np.ndarray, dict[str, HeldOut]]:
    """Return cross-validated logits, (N,), and results of each operating point, by name.

    In each fold, calibration and thresholds are fitted without the left-out groups and
    applied to them. A point for which one fold has too few melanomas is left out.
    """
    after = np.empty(len(images.logits))
    calls: dict[str, np.ndarray] = {}
    for rest, left_out in grouped_folds(images):
        part, judged = images.part(rest), images.part(left_out)
        fitted = fit_calibration(part, fitted_on=OWN)
        after[left_out] = fitted.apply(judged.logits)
        for point in choose_points(_answers(part, fitted), costs=costs, chosen_on=OWN):
            called = calls.setdefault(point.name, np.full(len(after), np.nan))
            if point.threshold is not None:
                called[left_out] = probability(after[left_out]) >= point.threshold
    found = {
        name: _held_out(images, called)
        for name, called in calls.items()
        if not np.isnan(called).any()
    }
    return after, found


def _held_out(images: Labelled, called: np.ndarray) -> HeldOut:
    group = _numbered(images.group)
    figures = at_threshold(images.truth, called, group, threshold=0.5)
    return HeldOut(
        n_images=len(called),
        n_melanomas=int(images.truth.sum()),
        figures={name: measured(each) for name, each in figures.items()},
    )


def _single(model: Path | str) -> Path:
    folders = model_folders([model])
    if len(folders) > 1:
        raise ConfigError(
            f"{model} holds {len(folders)} models, and one is calibrated at a time. Make "
            "one folder of them first: lentigo export RUN --out MODEL."
        )
    return folders[0]


class _Answered(NamedTuple):
    """What a model answers for labelled images."""

    images: Labelled
    """The images with uncalibrated logits."""
    before: np.ndarray
    """Their logits by the calibration that the folder has, (N,)."""
    told: Told | None = None
    """What the model tells of their diagnoses."""
    own: str = OWN
    """What the images are, in words: `OWN` or `OWN_UNTOLD`."""


def _answered(folder: Path, table: pd.DataFrame, *, device: str, engine: str) -> _Answered:
    """Return what the model in `folder` answers for the labelled images of `table`.

    Raises `DatasetError` if there are too few groups.
    """
    labelled = _labelled(table)
    loaded = load(folder, engine=engine)
    (ensemble,) = loaded.ensembles
    bare = replace(loaded, ensembles=(replace(ensemble, calibration=Calibration()),))
    # A patient's other lesions count without a label, too, as they do in `predict`.
    asked = as_sources(table if bare.takes_context else labelled)
    learnt = set(learnt_images(folder, [_named(asked)]))
    if unsure := hardly_known(folder):
        log.warning("%s", unsure)
    asked = [each for each in asked if each.image_id not in learnt]
    left_out = labelled["image_id"].isin(learnt)
    if left_out.any():
        log.warning(
            "The model learnt from %d of these images: they are left out.", left_out.sum()
        )
    labelled = labelled[~left_out]
    _check_enough(_as_labelled(labelled, np.zeros(len(labelled))))
    found = _asked(bare, asked, labelled, device)
    images = _as_labelled(labelled, found["logit"].to_numpy(np.float64))
    own = OWN
    if bare.takes_metadata and found["metadata"].isin([WITHOUT, np.nan]).all():
        log.warning(_UNTOLD, listed(bare.patient_fields))
        own = OWN_UNTOLD
    elif bare.takes_metadata:
        # What is promised then holds for photographs by themselves, too.
        nobody = [replace(each, age=None, sex=None, site=None) for each in asked]
        untold = _asked(bare, nobody, labelled, device)["logit"]
        images = replace(images, untold=untold.to_numpy(np.float64))
    answered = found["logit"].notna().to_numpy()
    images = images.part(answered)
    _check_enough(images)
    told = told_by(found[answered], labelled, loaded.diagnoses)
    return _Answered(images, ensemble.calibration.apply(images.logits), told, own)


def _asked(
    model: Model, sources: Sequence[Source], labelled: pd.DataFrame, device: str
) -> pd.DataFrame:
    """Return the model's predictions for the rows of `labelled`, in their order."""
    shown = model.decision(abstain=False)
    found = model.predict_sources(sources, device=device, decision=shown)
    return found.set_index("image_id").reindex(labelled["image_id"]).reset_index()


_UNTOLD = (
    "The model takes %s, and these images tell nothing of that: calibration, "
    "thresholds and sets are then those of images without them."
)


def _named(sources: Sequence[Source]) -> pd.DataFrame:
    """Return the columns of a prediction table that `learnt_images` reads."""
    return pd.DataFrame(
        {
            "image_id": [each.image_id for each in sources],
            "group_id": [each.group_id for each in sources],
            "path": [as_text(each.path) if each.path else ARRAY for each in sources],
            "probability": 1.0,
        }
    )


def _as_labelled(table: pd.DataFrame, logits: np.ndarray) -> Labelled:
    """Return the rows of a table with groups, with these logits, (N,)."""
    group = pd.factorize(table["group_id"])[0].astype(np.intp)
    return Labelled(table["melanoma"].to_numpy(dtype=bool), logits, group)


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    known = table[table["melanoma"].notna() & table["path"].notna()]
    if known.empty:
        raise DatasetError(
            "No image of the table has a label and a file, so there is nothing to "
            "calibrate on."
        )
    return assign_groups(known.reset_index(drop=True), keep=True)


def _check_enough(images: Labelled) -> None:
    if images.enough:
        return
    melanoma, other = (
        len(np.unique(images.group[side])) for side in (images.truth, ~images.truth)
    )
    raise DatasetError(
        f"{counted(melanoma, 'group')} with a melanoma and {other:,} without are too few "
        f"to calibrate on: it takes {FEWEST_GROUPS} of either, and many more to help. "
        "Nothing was written."
    )


def _judged(images: Labelled, before: np.ndarray, after: np.ndarray) -> Recalibration:
    group = _numbered(images.group)
    sample = Sample(images.truth, probability(before), group, int(group.max()) + 1)
    return judge_calibration(sample, probability(after), methods=("cross-validated",))


def _check_helps(judged: Recalibration, calibration: Calibration) -> None:
    """Raise `ModelError` unless the log-loss falls by more than one standard error.

    Also raised if the fitted calibration leaves logits unchanged (method `none`).
    """
    gain = judged.gain
    half = gain.value - gain.low
    error = half / 1.96 if not math.isnan(half) else 0.0
    if gain.value > error and calibration.method != "none":
        return
    judged_on = (
        f"{counted(judged.n_images, 'image')} ({counted(judged.n_melanomas, 'melanoma')})"
    )
    if math.isnan(gain.low):  # all folds left the logits as they were
        found = "no calibration was found that lowers the cross-validated log-loss"
    else:
        found = (
            f"the cross-validated log-loss falls by {gain.value:.4f} ({gain.low:.4f} to "
            f"{gain.high:.4f})"
        )
    raise ModelError(
        f"Calibrated anew, the model is no better than before: on {judged_on} {found}. "
        "Nothing was written; use the model as it is, or give more images."
    )


def _answers(images: Labelled, calibration: Calibration) -> Answers:
    score = probability(calibration.apply(images.logits))
    untold = images.untold
    if untold is not None:
        untold = probability(calibration.apply(untold))
    return Answers(images.truth, score, _numbered(images.group), untold)


def _numbered(group: np.ndarray) -> np.ndarray:
    return np.unique(group, return_inverse=True)[1].astype(np.intp)


def _write(
    folder: Path,
    out: Path,
    calibration: Calibration,
    points: Sequence[OperatingPoint],
    sets: ConformalSets | None,
) -> None:
    """Write a copy of the model folder `folder` to `out` with another description.

    Calibration, share of melanoma, prediction sets and operating points are replaced.
    """
    known = read_description(folder)
    content: dict[str, Any] = known.model_dump(mode="json")
    content.pop("files")
    content |= {
        "calibration": calibration.model_dump(mode="json"),
        "prevalence": calibration.prevalence,
        "conformal": sets and sets.model_dump(mode="json"),
        "operating_points": [point.model_dump(mode="json") for point in points],
    }
    with new_folder(out):
        for member in known.members:
            for name in member.files.model_dump().values():
                if name is not None:
                    copy_file(checked_file(folder, known, name), out / name)
        write_folder(out, content)
