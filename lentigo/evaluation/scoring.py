"""Score predictions against the truth: every metric with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lentigo.config import ScoringConfig
from lentigo.datasets.reading.own_words import column_in_our_words
from lentigo.evaluation.at_points import consequences_of
from lentigo.evaluation.by_diagnosis import by_diagnosis
from lentigo.evaluation.choosing_elsewhere import ChooseOn, Chosen, choose_elsewhere
from lentigo.evaluation.difficulty import Difficulty, difficulty_of
from lentigo.evaluation.fold_thresholds import (
    absent_points,
    check_not_moved,
    judge_points,
)
from lentigo.evaluation.grouping import column_for, in_words
from lentigo.evaluation.headline import Counts
from lentigo.evaluation.joining import Matched, Source, match
from lentigo.evaluation.measuring import measure, warnings_about
from lentigo.evaluation.multiclass import find_diagnoses
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.parts import DATASET, FOLD, Parts, parts_of
from lentigo.evaluation.prevalence import asked_share, at_asked_share, moved
from lentigo.evaluation.result import Evaluation
from lentigo.evaluation.scored import scored
from lentigo.evaluation.subgroups import Subgroups, subgroups_of
from lentigo.evaluation.sums import Sample, as_sample
from lentigo.evaluation.true_diagnoses import true_diagnoses
from lentigo.models.operating_point import OperatingPoint


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
    """Return how good `predictions` are, every metric with its 95 % interval.

    Both may be tables or paths, lentigo's or anybody's. Columns are guessed by name, unless
    `columns` says which is which (`{"melanoma": "biopsy"}`), and `notes` tell the guesses.
    Images are matched by their id. Intervals take whole groups as independent
    (docs/statistics.md), some by `repeats` resamples: `group` is a column of either table,
    by default `group_id`, the patient, the lesion, or single images, whichever is first
    known. Folds, archives, and the values of the columns `by` are judged one by one, too.
    A metric without an answer, such as the AUC of melanomas only, is NaN; a note says why.

    `prevalence` is the share of melanoma in a clinic: calls, PPV and NPV are then those
    there (see `lentigo.evaluation.prevalence`). `points` are the operating points of the
    model that predicted, and `choose_on` are other predictions (with their truth, where
    that is another: `ChooseOn`) to choose such thresholds on: both are judged here, never
    chosen.

    Raises `ColumnError` where a column is not there, an image comes twice, or a probability
    lies outside 0–1, `DatasetError` where the tables share no image or an image has no
    group, and `ConfigError` where a setting is out of bounds.
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
    divided = [column_for(matched.table, n, purpose="divide by") for n in settings.by]
    table, whole, notes = scored(matched, group=settings.group)
    chosen = Chosen((), [])
    if choose_on is not None:
        asked = choose_on if isinstance(choose_on, ChooseOn) else ChooseOn(choose_on)
        chosen = choose_elsewhere(asked, table, truth, columns=columns, group=group)
    images = _Images(matched, table, whole.unit, divided, (*notes, *chosen.notes))
    return _judged(images, settings, (tuple(points), chosen.points))


@dataclass(frozen=True)
class _Images:
    """The matched images, and what is known of them."""

    matched: Matched
    table: pd.DataFrame
    """One row an image, as `scored` gives it."""
    unit: str
    divided: list[str]
    """The columns of the subgroups."""
    notes: tuple[str, ...]


def _judged(
    images: _Images,
    settings: ScoringConfig,
    points: Sequence[tuple[OperatingPoint, ...]],
) -> Evaluation:
    """Measure everything that is said of matched images.

    `points` are operating points of several origins, whose names may be the same.
    """
    matched, table = images.matched, images.table
    sample = as_sample(table)
    diagnoses, about_classes = find_diagnoses(matched.table)
    asked = settings.model_dump(include={"threshold", "repeats", "seed"})
    found = measure(sample, diagnoses, **asked)
    warnings = warnings_about(sample, found, repeats=settings.repeats)
    shares, called = asked_share(matched.table, sample, settings.prevalence), sample
    if shares is not None:
        called = replace(sample, score=moved(sample.score, shares))
        found = at_asked_share(found, called, shares, threshold=settings.threshold)
        warnings = [shares.note, *warnings]
    return Evaluation(
        metrics=found,
        n_images=len(sample.truth),
        n_melanomas=int(sample.truth.sum()),
        n_groups=sample.groups,
        counts=_counts(matched, sample, unit=images.unit),
        by_diagnosis=by_diagnosis(diagnoses, diagnoses.of(sample.group))
        if diagnoses
        else (),
        difficulty=_difficulty(matched, sample, settings),
        parts=_parts(table, pooled=found["auc"].value),
        subgroups=tuple(
            _subgroups(images, table.assign(probability=called.score), settings)
        ),
        prevalence=shares,
        thresholds=tuple(
            each for one in points for each in judge_points(table.assign(fold=0), {0: one})
        ),
        absent_thresholds=tuple(each for one in points for each in absent_points({0: one})),
        consequences=tuple(
            consequences_of(
                sample,
                called,
                [p for one in points for p in one],
                threshold=settings.threshold,
                share=settings.prevalence,
            )
        ),
        confusion=confusion(called.truth, called.score, threshold=settings.threshold),
        notes=(*images.notes, *about_classes, *warnings),
        scored=table,
        **asked,
    )


def _subgroups(
    images: _Images, table: pd.DataFrame, settings: ScoringConfig
) -> Iterator[Subgroups]:
    """Judge the values of each column of the matched table, in the order asked for."""
    for by, column in zip(settings.by, images.divided, strict=True):
        values = column_in_our_words(images.matched.table[column], by)
        yield subgroups_of(table, values, by=by, said=in_words(column), settings=settings)


def _difficulty(
    matched: Matched, sample: Sample, settings: ScoringConfig
) -> Difficulty | None:
    """Melanoma against each diagnosis alone, where the truth has them."""
    words = true_diagnoses(matched.table)
    if words is None:
        return None
    return difficulty_of(sample, words, threshold=settings.threshold)


def _counts(matched: Matched, sample: Sample, *, unit: str) -> Counts:
    return Counts(
        images=len(sample.truth),
        melanomas=int(sample.truth.sum()),
        groups=sample.groups,
        unit=unit,
        melanoma_groups=len(np.unique(sample.group[sample.truth])),
        other_groups=len(np.unique(sample.group[~sample.truth])),
        named=matched.named,
        left_out=matched.left_out,
    )


def _parts(table: pd.DataFrame, *, pooled: float) -> tuple[Parts, ...]:
    found = (parts_of(table, by, pooled=pooled) for by in (FOLD, DATASET))
    return tuple(parts for parts in found if parts is not None)
