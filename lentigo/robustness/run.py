"""Stress-test a model: disturb labelled images, and measure how its predictions change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.curation.groups import assign_groups
from lentigo.errors import DatasetError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.stress import (
    Answered,
    Judged,
    adjusted_error,
    any_flip,
    corrupted_error,
    judge_disturbed,
    relative_error,
)
from lentigo.evaluation.telling import tells, too_few_to_tell
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.disturbances import DISTURBANCES, STRENGTHS
from lentigo.inference.decide import AUTO, DEFAULT_POINT, NO_POINT
from lentigo.inference.inputs import Source, as_sources
from lentigo.inference.journal import Journal
from lentigo.inference.learnt import hardly_known, learnt_images
from lentigo.inference.predict import Model
from lentigo.models.calibration import probability
from lentigo.models.operating_point import OperatingPoint
from lentigo.progress import log
from lentigo.robustness.answers import Disturbed, LesionOf, answers_under, found_lesion
from lentigo.robustness.conditions import ALL, PLAIN, TURNED, Condition, conditions
from lentigo.robustness.findings import CONFIDENCE, findings, remarks
from lentigo.robustness.result import Stress
from lentigo.words import counted, listed, some, verb

JournalOf = Callable[[Sequence[Source], Sequence[Condition]], Journal]
"""A function that opens the journal of a stress test of these sources and conditions."""

_SIMPLE = ("view", "light")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Options of a stress test."""

    only: Sequence[str] = (ALL,)
    """Names of conditions or of groups of them; see `conditions`."""
    operating_point: str = AUTO
    """Name of the threshold from which melanoma is called; see `Model.decision`."""
    batch_size: int = 32
    device: str = "auto"
    seed: int = 0
    """Seed of the random parts of disturbances."""
    reference: pd.DataFrame | None = None
    """`Stress.scores` of a reference network for the adjusted error."""


def stress(
    model: Model,
    table: pd.DataFrame,
    asked: Asked | None = None,
    *,
    lesion_of: LesionOf = found_lesion,
    journal_of: JournalOf | None = None,
) -> Stress:
    """Predict the images of `table` undisturbed and disturbed, and compare predictions.

    `table` is a lesion table with labels and files. Images without a label or a file, and
    images that the model was trained or chosen on, are left out, with a note. `lesion_of`
    gives the mask of a lesion (by default it is segmented); `journal_of` opens a journal
    that saves each batch, so that a stopped test can go on.

    Raises:
        UnknownNameError: a disturbance or operating point in `asked` does not exist.
        ConfigError: the operating point in `asked` has no threshold.
        DatasetError: no image is left, or all have the same label.
    """
    asked = asked or Asked()
    wanted = conditions(asked.only)
    point = model.decision(None, asked.operating_point).point
    rows, notes = _rows(model, table)
    sources = as_sources(rows)
    found = answers_under(
        model,
        sources,
        wanted,
        lesion_of=lesion_of,
        batch_size=asked.batch_size,
        device=asked.device,
        seed=asked.seed,
        journal=journal_of(sources, wanted) if journal_of else None,
    )
    notes += [*_failed(found, rows), *_unlike_predict(model, rows)]
    threshold = point.threshold if point and point.threshold is not None else 0.5
    if point is None:
        notes.append(called_from_half(model.operating_points, asked.operating_point))
    return _judged(found, rows, threshold, point.name if point else "", asked, model, notes)


def called_from_half(points: Sequence[OperatingPoint], name: str) -> str:
    """Say why melanoma is called from 0.5 on: no point was asked for, or it is not there.

    `points` are those of the model, and `name` is what was asked for.
    """
    there = [point.name for point in points if point.threshold is not None]
    why = "The model has no operating point"
    if name == NO_POINT:
        why = "No operating point was asked for"
    elif there:
        why = f"The model has no threshold of {DEFAULT_POINT}"
    others = f" It has {listed(there)} (--operating-point)." if there else ""
    return f"{why}: melanoma is called from 0.5 on.{others}"


def _unlike_predict(model: Model, rows: pd.DataFrame) -> list[str]:
    """Return notes on how the answers differ from those of `lentigo predict`."""
    notes = []
    if fields := model.patient_fields:
        known = int(rows[list(fields)].notna().any(axis=1).sum())
        what = "it" if len(fields) == 1 else "one of them"
        notes.append(
            f"The model takes {listed(fields)}, undisturbed and disturbed alike: {what} "
            f"is known of {known:,} of {counted(len(rows), 'image')}."
        )
    if model.can_abstain:
        notes.append(
            "Each image is answered here, also those for which 'lentigo predict' gives no "
            "answer because they are too strange."
        )
    if model.takes_context:
        notes.append("The patient's other lesions are not counted here.")
    return notes


def _rows(model: Model, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows to be judged, and notes on the rows left out."""
    known = table[table["melanoma"].notna() & table["path"].notna()]
    notes = []
    if without := len(table) - len(known):
        notes.append(
            f"{counted(without, 'image')} without a label or a file "
            f"{verb(without, 'is', 'are')} left out."
        )
    known = known.reset_index(drop=True)
    shown = known.assign(probability=0.0)
    learnt = {name for folder in model.folders for name in learnt_images(folder, [shown])}
    notes += dict.fromkeys(filter(None, map(hardly_known, model.folders)))
    kept = known[~known["image_id"].isin(learnt)].reset_index(drop=True)
    if learnt:
        notes.append(
            f"The model learnt from {len(learnt):,} of these images "
            f"({some(sorted(learnt))}): left out."
        )
        log.info("%s", notes[-1])
    if kept.empty:
        raise DatasetError(
            "No image is left to disturb: "
            + (" ".join(notes) or "the table has none with a label and a file.")
            + " Give images that are labelled and new to the model; of a run with several "
            "folds name one of them (RUN/fold-0)."
        )
    if kept["melanoma"].nunique() < 2:
        raise DatasetError(
            "All images have the same label, so there is nothing to tell apart. Give "
            "images of melanomas and of other lesions."
        )
    return assign_groups(kept, keep=True), notes


def _failed(found: Disturbed, rows: pd.DataFrame) -> list[str]:
    notes = []
    if found.reasons:
        first = min(found.reasons)
        notes.append(
            f"{counted(len(found.reasons), 'image')} could not be read and "
            f"{verb(len(found.reasons), 'is', 'are')} left out; the first is "
            f"{rows['image_id'].iloc[first]}: {found.reasons[first]}"
        )
    hidden = [each for each in found.conditions if each.needs_lesion]
    plain = np.isfinite(found.of(Condition(PLAIN)))
    if hidden:
        lost = int((plain & ~np.isfinite(found.of(hidden[0]))).sum())
        if lost:
            notes.append(
                f"In {counted(lost, 'image')} no lesion was found, or its mask could not "
                "be used, so none is hidden."
            )
    return notes


def _judged(
    found: Disturbed,
    rows: pd.DataFrame,
    threshold: float,
    name: str,
    asked: Asked,
    model: Model,
    notes: list[str],
) -> Stress:
    there = np.isfinite(found.of(Condition(PLAIN)))
    if rows["melanoma"][there].nunique() < 2:
        raise DatasetError(
            "Too few images could be read: " + " ".join(notes or ["none of a class."])
        )
    rows, logits = rows[there].reset_index(drop=True), found.logits[:, there]
    truth = rows["melanoma"].to_numpy(dtype=bool)
    group = pd.factorize(rows["group_id"])[0].astype(np.intp)
    plain = Answered(truth, group, logits[0], _logit(threshold))
    if not tells(truth, group):
        notes.append(too_few_to_tell("how well melanoma is told apart, disturbed or not"))
    # Shifts are tested together, so alpha is divided by the number of disturbances.
    alpha = CONFIDENCE / max(len({each.name for each in found.conditions[1:]}), 1)
    judged = {
        condition: judge_disturbed(plain, own, alpha=alpha)
        for condition, own in zip(found.conditions[1:], logits[1:], strict=True)
    }
    itself = judge_disturbed(plain, logits[0])
    errors = _errors(found.conditions, logits, plain)
    columns = {
        each.column: np.round(probability(own), 6)
        for each, own in zip(found.conditions, logits, strict=True)
    }
    return Stress(
        plain={"auc": itself.auc, "balanced_error": itself.balanced_error},
        judged=judged,
        corrupted_error=errors[0],
        relative_error=errors[1],
        adjusted_error=_adjusted(judged, asked.reference),
        flips=_flips(found.conditions, logits, plain),
        findings=findings(plain, judged, _facts(rows)),
        remarks=remarks(plain, judged),
        answers=pd.concat(
            [rows[["image_id", "group_id", "melanoma"]], pd.DataFrame(columns)], axis=1
        ),
        threshold=threshold,
        operating_point=name,
        engine=model.engine,
        n_images=len(rows),
        n_melanomas=int(truth.sum()),
        n_groups=int(group.max()) + 1,
        notes=tuple(notes),
    )


def _logit(share: float) -> float:
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else math.log(share / (1 - share))


def _errors(
    wanted: Sequence[Condition], logits: np.ndarray, plain: Answered
) -> tuple[Interval, Interval]:
    """Return `corrupted_error` and `relative_error`; NaN unless all disturbances ran.

    `logits`, (C, N), are of the conditions `wanted`, `plain` of the undisturbed images.
    """
    corrupted = [place for place, each in enumerate(wanted) if each.name in DISTURBANCES]
    if len(corrupted) < len(DISTURBANCES) * len(STRENGTHS):
        return Interval(math.nan), Interval(math.nan)
    wrong = (logits[corrupted] >= plain.threshold) != plain.truth
    itself = plain.called != plain.truth
    return (
        corrupted_error(wrong, plain.truth, plain.group),
        relative_error(wrong, itself, plain.truth, plain.group),
    )


def _flips(
    wanted: Sequence[Condition], logits: np.ndarray, plain: Answered
) -> dict[str, Interval]:
    views = [place for place, each in enumerate(wanted) if each.name == TURNED]
    if not views:
        return {}
    found = {"views": any_flip(plain, logits[views])}
    simple = [
        place
        for place, each in enumerate(wanted)
        if each.group in _SIMPLE and each.strength == 1
    ]
    if simple:
        found["simple"] = any_flip(plain, logits[views + simple])
    return found


def _adjusted(judged: Mapping[Condition, Judged], reference: pd.DataFrame | None) -> float:
    if reference is None:
        return math.nan
    known = {
        (str(row["condition"]), int(row["strength"])): row
        for row in reference.to_dict("records")
    }
    own, theirs = [], []
    for name in DISTURBANCES:
        pairs = [(Condition(name, each), (name, each)) for each in STRENGTHS]
        if not all(mine in judged and other in known for mine, other in pairs):
            return math.nan
        if any(known[other]["images"] != judged[mine].n_images for mine, other in pairs):
            raise DatasetError(
                "The reference was judged on another number of images; judge both on the "
                "same table."
            )
        own.append([judged[mine].balanced_error.value for mine, _ in pairs])
        theirs.append([float(known[other]["balanced_error"]) for _, other in pairs])
    return adjusted_error(np.array(own), np.array(theirs))


def _facts(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return megapixels and bytes of the image files, each if it varies; see `tied_to`."""
    paths = [None if pd.isna(path) else Path(str(path)) for path in rows["path"]]
    facts = file_facts(paths)
    return {
        name: facts[name].to_numpy(np.float64)
        for name in ("megapixels", "bytes")
        if facts[name].min() < facts[name].max()
    }
