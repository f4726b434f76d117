"""Score predictions against the truth: every metric with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lentigo.config import ScoringConfig
from lentigo.datasets.reading.own_words import column_in_our_words
from lentigo.evaluation.fold_thresholds import (
    absent_points,
    check_not_moved,
    judge_points,
)
from lentigo.evaluation.grouping import Groups, column_for, grouped, in_words
from lentigo.evaluation.headline import Counts
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched, Source, match
from lentigo.evaluation.measuring import measure, warnings_about
from lentigo.evaluation.multiclass import find_diagnoses
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.parts import DATASET, FOLD, Parts, parts_of
from lentigo.evaluation.prevalence import asked_share, at_asked_share, moved
from lentigo.evaluation.result import Evaluation
from lentigo.evaluation.subgroups import Subgroups, subgroups_of
from lentigo.evaluation.sums import Sample, as_sample
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
    model that predicted: they are judged here, never chosen.

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
    if points:
        check_not_moved(matched.table)
    return _judged(matched, settings, points)


def _judged(
    matched: Matched, settings: ScoringConfig, points: Sequence[OperatingPoint]
) -> Evaluation:
    """Measure everything that is said of matched images."""
    divided = [column_for(matched.table, n, purpose="divide by") for n in settings.by]
    table, whole, notes = scored(matched, group=settings.group)
    sample = as_sample(table)
    diagnoses, about_classes = find_diagnoses(matched.table)
    asked = settings.model_dump(include={"threshold", "repeats", "seed"})
    found = measure(sample, diagnoses, **asked)
    warnings = warnings_about(sample, found, repeats=settings.repeats)
    shares, called = asked_share(matched.table, sample, settings.prevalence), sample
    if shares is not None:
        called = replace(sample, score=moved(sample.score, shares))
        found = at_asked_share(found, called, shares, threshold=settings.threshold)
        notes.append(shares.note)
    return Evaluation(
        metrics=found,
        n_images=len(sample.truth),
        n_melanomas=int(sample.truth.sum()),
        n_groups=sample.groups,
        counts=_counts(matched, sample, unit=whole.unit),
        parts=_parts(table, pooled=found["auc"].value),
        subgroups=tuple(
            _subgroups(matched, table.assign(probability=called.score), divided, settings)
        ),
        prevalence=shares,
        thresholds=tuple(judge_points(table.assign(fold=0), {0: points})),
        absent_thresholds=tuple(absent_points({0: points})),
        confusion=confusion(called.truth, called.score, threshold=settings.threshold),
        notes=(*notes, *about_classes, *warnings),
        scored=table,
        **asked,
    )


def scored(
    matched: Matched, *, group: str | None
) -> tuple[pd.DataFrame, Groups, list[str]]:
    """The columns `image_id`, `melanoma`, `probability` and `group`, and all notes.

    Where they are known, `fold` and `dataset` stand beside them.
    """
    groups = grouped(matched, group)
    table = matched.table[["image_id", LABEL, "probability"]].rename(
        columns={LABEL: "melanoma"}
    )
    # The fold of a truth is not that of the model that predicted.
    for name, columns in (
        (FOLD, (FOLD, "cv_fold")),
        (DATASET, (DATASET + OF_TRUTH, DATASET)),
    ):
        found = next((column for column in columns if column in matched.table), None)
        if found is not None:
            table[name] = matched.table[found]
    return table.assign(group=groups.group), groups, [*matched.notes, groups.note]


def _subgroups(
    matched: Matched, table: pd.DataFrame, columns: list[str], settings: ScoringConfig
) -> Iterator[Subgroups]:
    """Judge the values of each column of the matched table, in the order asked for."""
    for by, column in zip(settings.by, columns, strict=True):
        values = column_in_our_words(matched.table[column], by)
        yield subgroups_of(table, values, by=by, said=in_words(column), settings=settings)


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
