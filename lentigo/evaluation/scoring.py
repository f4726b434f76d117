"""Evaluate predictions against the truth: every metric with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pandas as pd

from lentigo.answer_columns import ABSTAIN, COULD_BE, COULD_BE_DIAGNOSES
from lentigo.config import ScoringConfig
from lentigo.datasets.reading.own_words import column_in_our_words
from lentigo.evaluation.at_points import consequences_of
from lentigo.evaluation.brier_parts import brier_parts
from lentigo.evaluation.by_diagnosis import by_diagnosis
from lentigo.evaluation.choosing_elsewhere import ChooseOn, Chosen, choose_elsewhere
from lentigo.evaluation.consequences import Consequences
from lentigo.evaluation.decision_curve import REFERRAL
from lentigo.evaluation.diagnosis_sets import diagnosis_sets, names_told
from lentigo.evaluation.difficulty import Difficulty, difficulty_of
from lentigo.evaluation.dividing import columns_to_divide
from lentigo.evaluation.fold_thresholds import (
    JudgedThreshold,
    absent_points,
    check_not_moved,
    judge_points,
)
from lentigo.evaluation.grouping import in_words
from lentigo.evaluation.headline import Counts
from lentigo.evaluation.intervals import Interval, count_groups
from lentigo.evaluation.joining import Matched, Source, match
from lentigo.evaluation.measured import (
    with_measured,
)
from lentigo.evaluation.measuring import measure, warnings_about
from lentigo.evaluation.multiclass import Diagnoses, find_diagnoses
from lentigo.evaluation.nested import Nested, judge_nested
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.parts import DATASET, FOLD, Parts, leak_between, parts_of
from lentigo.evaluation.prediction_columns import own_calls
from lentigo.evaluation.prevalence import (
    Asked,
    asked_share,
    at_asked_share,
    equal_threshold,
    moved,
)
from lentigo.evaluation.recalibration import own_calibration
from lentigo.evaluation.refusals import refusals_of
from lentigo.evaluation.repeated import Repeats, judge_repeats
from lentigo.evaluation.result import Evaluation
from lentigo.evaluation.scored import of_images, scored, with_unanswered
from lentigo.evaluation.set_coverage import set_coverage
from lentigo.evaluation.subgroup_names import crossed
from lentigo.evaluation.subgroups import CROSS, Subgroups, adjusted, subgroups_of
from lentigo.evaluation.sums import Sample, as_sample
from lentigo.evaluation.true_diagnoses import true_diagnoses
from lentigo.models.operating_point import OperatingPoint
from lentigo.table_files.cells import ids_as_text


@ids_as_text
def evaluate(
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    threshold: float = 0.5,
    repeats: int = 2000,
    seed: int = 0,
    by: str | Sequence[str] = (),
    prevalence: float | None = None,
    points: Sequence[OperatingPoint] = (),
    choose_on: ChooseOn | Source | None = None,
) -> Evaluation:
    """Compute every metric of `predictions` against `truth`, each with its 95 % interval.

    Both may be tables or paths, made by lentigo or by others. Columns are guessed by name,
    unless `columns` names them (`{"melanoma": "biopsy"}`); `notes` of the result list the
    guesses. Images are matched by their id. Intervals take groups as independent
    (docs/statistics.md), some by `repeats` resamples. `group` is a column of either table;
    by default groups are `group_id`, patients, lesions, or single images, the first that is
    known. Each fold, each archive, and each value of the columns `by` is judged separately,
    too; in `by`, `site*sex` combines two columns, `known` stands for all columns that
    describe the image or patient and have several values, and `measured` for properties
    that are measured in the image files. An undefined metric, such as the AUC of melanomas
    only, is NaN; a note says why.

    `threshold` is the probability from which melanoma is called. `prevalence` is the share
    of melanoma in a clinic: calls, PPV and NPV are then at that share (see
    `lentigo.evaluation.prevalence`). `points` are operating points of the model that made
    the predictions. `choose_on` are other predictions (as `ChooseOn`, if they have another
    truth), on which operating points are chosen. Both kinds of points are only judged on
    `predictions`, not chosen on them.

    Raises `ColumnError` when a column is not there, an image comes twice, or a probability
    lies outside 0–1, `DatasetError` when the tables share no image, an image has no group,
    or points are judged on probabilities adjusted to another share of melanoma,
    `ConfigError` when a setting is out of bounds, `UnknownNameError` when `columns` has an
    unknown key, and `NotInstalledError` when `by` needs OpenCV to measure the images.
    """
    settings = ScoringConfig(
        group=group,
        threshold=threshold,
        repeats=repeats,
        seed=seed,
        by=(by,) if isinstance(by, str) else tuple(dict.fromkeys(by)),
        prevalence=prevalence,
    )
    matched = match(predictions, truth, columns=columns)
    if points or choose_on is not None:
        check_not_moved(matched.table)
    images = _images(matched, settings)
    chosen = _chosen(choose_on, images.table, truth, columns=columns, group=group)
    calls = [] if points else own_calls(matched.table)
    images = replace(images, notes=(*images.notes, *calls, *chosen.notes))
    found = _judged(images, settings, (tuple(points), chosen.points))
    return replace(found, **_beside(images, settings, found.prevalence))


def _images(matched: Matched, settings: ScoringConfig) -> _Images:
    """Return the matched images with groups, and with what subgroups and sheets need."""
    measured, about = with_measured(matched.table, settings.by)
    matched = replace(matched, table=measured, notes=[*matched.notes, *about])
    divided = columns_to_divide(matched.table, settings.by)
    table, whole, notes = scored(matched, group=settings.group)
    table = table.assign(**of_images(matched.table))
    return _Images(matched, table, whole.unit, divided, tuple(notes))


def _chosen(
    choose_on: ChooseOn | Source | None,
    table: pd.DataFrame,
    truth: Source,
    *,
    columns: Mapping[str, str] | None,
    group: str | None,
) -> Chosen:
    """Choose operating points on `choose_on`, to be judged on `table`; none without it."""
    if choose_on is None:
        return Chosen((), [])
    asked = choose_on if isinstance(choose_on, ChooseOn) else ChooseOn(choose_on)
    return choose_elsewhere(asked, table, truth, columns=columns, group=group)


def _beside(
    images: _Images, settings: ScoringConfig, shares: Asked | None
) -> dict[str, Any]:
    """Return what further columns of the predictions tell: fields of an `Evaluation`.

    `shares` are the shares of melanoma, if one was requested.
    """
    matched, group = images.matched, settings.group
    return {
        "repeated": _repeated(matched, group=group),
        "nested": nested_of(
            matched, group=group, threshold=settings.threshold, shares=shares
        ),
        "own_calibration": own_calibration(matched.table, images.table),
        **_answers(matched, settings),
    }


def _answers(matched: Matched, settings: ScoringConfig) -> dict[str, Any]:
    """Return `refusals`, `set_coverage` and `diagnosis_sets` of an `Evaluation`, by name.

    Empty if the predictions have no column `abstain`, `could_be` or `could_be_diagnoses`.
    """
    if not {ABSTAIN, COULD_BE, COULD_BE_DIAGNOSES} & set(matched.table):
        return {}
    table = with_unanswered(matched, group=settings.group)
    refused = refusals_of(table, seed=settings.seed)
    return {
        "refusals": refused,
        "set_coverage": set_coverage(table),
        "diagnosis_sets": diagnosis_sets(table, names_told(matched.table)),
    }


def _repeated(matched: Matched, *, group: str | None) -> Repeats | None:
    """Judge each repeat of repeated predictions, fold by fold; None without repeats."""
    if not matched.repeats:
        return None
    own = (replace(matched, table=table) for table in matched.repeats)
    return judge_repeats([scored(each, group=group)[0] for each in own])


def nested_of(
    matched: Matched, *, group: str | None, threshold: float, shares: Asked | None = None
) -> Nested | None:
    """Judge nested predictions; None for other predictions.

    `group` names the column of groups; a melanoma is called from `threshold` upwards, at
    the share of melanoma that `shares` asks for. Groups are found among the images of all
    repeats: some are only in later ones.
    """
    if matched.nested.empty:
        return None
    every = pd.concat(matched.repeats or (matched.table,), ignore_index=True)
    images = every.drop_duplicates("image_id", ignore_index=True)
    table, _, _ = scored(replace(matched, table=images), group=group)
    groups = matched.nested["image_id"].map(table.set_index("image_id")["group"])
    at = equal_threshold(threshold, shares, matched.nested["probability"].to_numpy(float))
    return judge_nested(matched.nested.assign(group=groups), threshold=at)


@dataclass(frozen=True)
class _Images:
    """The matched images with their groups and the columns of subgroups."""

    matched: Matched
    """Predictions and labels of the same images, joined."""
    table: pd.DataFrame
    """One row an image, as `scored` returns it."""
    unit: str
    """What a group is, such as "patient"."""
    divided: list[tuple[str, list[str]]]
    """Each requested name of subgroups, with the column or columns that it stands for."""
    notes: tuple[str, ...]


def _judged(
    images: _Images,
    settings: ScoringConfig,
    points: Sequence[tuple[OperatingPoint, ...]],
) -> Evaluation:
    """Compute the whole evaluation of matched images, except for repeats.

    `points` has operating points of several origins, whose names may be the same.
    """
    matched, table = images.matched, images.table
    sample = as_sample(table)
    diagnoses, about_classes = find_diagnoses(matched.table)
    asked = settings.model_dump(include={"threshold", "repeats", "seed"})
    shares = asked_share(matched.table, sample, settings.prevalence)
    at = equal_threshold(settings.threshold, shares, sample.score)
    called = _at_share(sample, shares, settings.threshold, points)
    found, warnings = _metrics(sample, diagnoses, called, shares, settings)
    counts = _counts(matched, sample, unit=images.unit)
    parts = _parts(table, pooled=found["auc"].value)
    return Evaluation(
        metrics=found,
        n_images=len(sample.truth),
        n_melanomas=int(sample.truth.sum()),
        n_groups=sample.groups,
        counts=counts,
        by_diagnosis=by_diagnosis(diagnoses, diagnoses.of(sample.group))
        if diagnoses
        else (),
        difficulty=_difficulty(matched, sample, at),
        parts=parts,
        subgroups=adjusted(list(_subgroups(images, sample, at))),
        prevalence=shares,
        thresholds=_judged_points(table, points),
        absent_thresholds=tuple(each for one in points for each in absent_points({0: one})),
        consequences=_consequences(sample, called, settings, points),
        brier_parts=brier_parts(sample.truth, sample.score),
        confusion=confusion(called.truth, called.score, threshold=settings.threshold),
        notes=(
            *images.notes,
            *about_classes,
            *leak_between(parts, counts),
            *warnings,
        ),
        scored=table,
        **asked,
    )


def _metrics(
    sample: Sample,
    diagnoses: Diagnoses | None,
    called: Sample,
    shares: Asked | None,
    settings: ScoringConfig,
) -> tuple[dict[str, Interval], list[str]]:
    """Return every metric with its interval, and warnings about them.

    `called` holds the images with the probabilities that are called, at the requested share
    of melanoma if there is one.
    """
    asked = settings.model_dump(include={"threshold", "repeats", "seed"})
    found = measure(sample, diagnoses, **asked)
    warnings = warnings_about(sample, found, repeats=settings.repeats)
    if shares is None:
        return found, warnings
    threshold = settings.threshold
    at = equal_threshold(threshold, shares, sample.score)
    found = at_asked_share(
        found, called, shares, threshold=threshold, as_given=sample.score
    )
    return found, [_about_share(shares, threshold, at), *warnings]


def _at_share(
    sample: Sample,
    shares: Asked | None,
    threshold: float,
    points: Sequence[tuple[OperatingPoint, ...]],
) -> Sample:
    """Return the images with their probabilities at the requested share of melanoma."""
    if shares is None:
        return sample
    every = [p.threshold for p in chain.from_iterable(points) if p.threshold is not None]
    limits = threshold, REFERRAL, *every
    return replace(sample, score=moved(sample.score, shares, limits))


def _about_share(shares: Asked, threshold: float, at: float) -> str:
    return (
        f"{shares.note} A call from {threshold:g} there is one from {at:.3g} of the "
        "probabilities as given, which the figures show."
    )


def _judged_points(
    table: pd.DataFrame, points: Sequence[tuple[OperatingPoint, ...]]
) -> tuple[JudgedThreshold, ...]:
    """Judge operating points on all images of `table`, treated as one fold."""
    table = table.assign(fold=0)
    return tuple(each for one in points for each in judge_points(table, {0: one}))


def _consequences(
    sample: Sample,
    called: Sample,
    settings: ScoringConfig,
    points: Sequence[tuple[OperatingPoint, ...]],
) -> tuple[Consequences, ...]:
    """Return the consequences of each threshold, such as for 1,000 lesions."""
    found = consequences_of(
        sample,
        called,
        list(chain.from_iterable(points)),
        threshold=settings.threshold,
        share=settings.prevalence,
    )
    return tuple(found)


def _subgroups(images: _Images, sample: Sample, threshold: float) -> Iterator[Subgroups]:
    """Judge the subgroups of each requested column, in the order of `by` in `evaluate`."""
    table = images.matched.table
    for by, columns in images.divided:
        names = [by] if len(columns) == 1 else by.split(CROSS)
        values = [
            column_in_our_words(table[column], name)
            for name, column in zip(names, columns, strict=True)
        ]
        yield subgroups_of(
            sample,
            values[0] if len(values) == 1 else crossed(*values),
            by=by,
            said=" and ".join(in_words(column) for column in columns),
            threshold=threshold,
        )


def _difficulty(matched: Matched, sample: Sample, at: float) -> Difficulty | None:
    """Judge melanoma against each diagnosis alone; None if the truth has no diagnoses.

    `at` is the threshold on the probabilities as given.
    """
    words = true_diagnoses(matched.table)
    if words is None:
        return None
    return difficulty_of(sample, words, threshold=at)


def _counts(matched: Matched, sample: Sample, *, unit: str) -> Counts:
    return Counts(
        images=len(sample.truth),
        melanomas=int(sample.truth.sum()),
        groups=sample.groups,
        unit=unit,
        melanoma_groups=count_groups(sample.group[sample.truth]),
        other_groups=count_groups(sample.group[~sample.truth]),
        named=matched.named,
        left_out=matched.left_out,
        melanomas_left_out=matched.melanomas_left_out,
    )


def _parts(table: pd.DataFrame, *, pooled: float) -> tuple[Parts, ...]:
    found = (parts_of(table, by, pooled=pooled) for by in (FOLD, DATASET))
    return tuple(parts for parts in found if parts is not None)
