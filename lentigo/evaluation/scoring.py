"""Score predictions against the truth: every metric with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lentigo.errors import ConfigError
from lentigo.evaluation.calibration import calibration_intercept, calibration_slope
from lentigo.evaluation.discrimination import delong_interval
from lentigo.evaluation.grouping import Groups, grouped
from lentigo.evaluation.headline import Counts
from lentigo.evaluation.intervals import IntArray, Interval, Statistic, clustered_bootstrap
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched, Source, match
from lentigo.evaluation.multiclass import Classes, Diagnoses, find_diagnoses
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.parts import DATASET, FOLD, Parts, parts_of
from lentigo.evaluation.registry import METRICS
from lentigo.evaluation.result import Evaluation
from lentigo.evaluation.sums import Calls, Errors, Ranking, Sample

_FEW = 20
"""With fewer groups of a class, a percentile interval is known to be too narrow."""


def evaluate(
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    threshold: float = 0.5,
    repeats: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """How good `predictions` are, every metric with its 95 % interval.

    Both may be tables or paths of CSV or Parquet files, lentigo's or anybody's: the columns
    are guessed by name, unless `columns` says which they are (`{"melanoma": "biopsy"}`;
    also `probability` and `image_id`), and the guesses are in `notes`. Images are matched
    by their id.
    Intervals come from `repeats` resamples of whole groups: `group`, a column of either
    table; by default `group_id` where it is there, else the patient, else the lesion, else
    single images. Folds (`fold` of the predictions) and archives (`dataset` of either
    table) are also judged one by one.

    A metric without an answer, such as the AUC of melanomas only, is NaN, and a note
    says why.

    Raises:
        ColumnError: a needed column is not there, an image comes twice, or a probability
            lies outside 0–1.
        DatasetError: the tables share no image, or an image has no group.
        ConfigError: `threshold` is no probability, or `repeats` is below 10.
    """
    check_settings(threshold=threshold, repeats=repeats)
    matched = match(predictions, truth, columns=columns)
    table, whole, notes = scored(matched, group=group)
    sample = as_sample(table)
    diagnoses, about_classes = find_diagnoses(matched.table)
    statistics = _statistics(sample, diagnoses, threshold=threshold)
    found = clustered_bootstrap(
        statistics, groups=sample.groups, repeats=repeats, seed=seed
    )
    found |= _with_formula(sample)
    return Evaluation(
        metrics={name: found[name] for name in METRICS if name in found},
        n_images=len(sample.truth),
        n_melanomas=int(sample.truth.sum()),
        n_groups=sample.groups,
        counts=_counts(matched, sample, unit=whole.unit),
        parts=_parts(table, pooled=found["auc"].value),
        threshold=threshold,
        repeats=repeats,
        seed=seed,
        confusion=confusion(sample.truth, sample.score, threshold=threshold),
        notes=(*notes, *about_classes, *warnings_about(sample, found, repeats=repeats)),
        scored=table,
    )


def _statistics(
    sample: Sample, diagnoses: Diagnoses | None, *, threshold: float
) -> list[Statistic]:
    """Everything whose interval comes from resampling."""
    every: list[Statistic] = [Ranking(sample), Calls(sample, threshold), Errors(sample)]
    if diagnoses is not None:
        every.append(Classes(diagnoses, sample.group, sample.groups))
    return every


def check_settings(*, threshold: float, repeats: int) -> None:
    """Refuse a threshold that is no probability and too few resamples."""
    if not 0 <= threshold <= 1:
        raise ConfigError(
            f"threshold is {threshold:g}; give a probability between 0 and 1."
        )
    if repeats < 10:
        raise ConfigError(f"repeats is {repeats}; an interval takes 10 resamples or more.")


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
    for name, columns in ((FOLD, (FOLD,)), (DATASET, (DATASET + OF_TRUTH, DATASET))):
        found = next((column for column in columns if column in matched.table), None)
        if found is not None:
            table[name] = matched.table[found]
    return table.assign(group=groups.group), groups, [*matched.notes, groups.note]


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


def as_sample(table: pd.DataFrame) -> Sample:
    """The arrays of a table with `melanoma`, `probability` and `group`, in its order."""
    score = table["probability"].to_numpy(dtype=np.float64)
    groups, count = group_numbers(table["group"], score)
    return Sample(table["melanoma"].to_numpy(dtype=bool), score, groups, count)


def group_numbers(group: pd.Series[str], score: np.ndarray) -> tuple[IntArray, int]:
    """Number groups from 0 in the order of their lowest scores, and count them.

    That order makes the sums over neighbouring scores read neighbouring memory (four times
    faster at 400,000 single images), and is the same whatever the order of the rows.
    """
    order = np.argsort(score, kind="stable")
    codes, names = pd.factorize(group.iloc[order])
    numbers = np.empty(len(order), dtype=np.intp)
    numbers[order] = codes
    return numbers, len(names)


def warnings_about(
    sample: Sample, found: dict[str, Interval], *, repeats: int
) -> list[str]:
    """Sentences on what the numbers cannot say: one class only, few groups."""
    melanomas = int(sample.truth.sum())
    if melanomas in {0, len(sample.truth)}:
        kind = "melanomas" if melanomas else "not melanoma"
        return [
            f"All images ({len(sample.truth):,}) are {kind}, so the AUC and whatever else "
            "needs both is undefined."
        ]
    notes = []
    with_melanoma = len(np.unique(sample.group[sample.truth]))
    with_other = len(np.unique(sample.group[~sample.truth]))
    if min(with_melanoma, with_other) < _FEW:
        notes.append(
            f"Melanomas come from {with_melanoma:,} groups and other images from "
            f"{with_other:,}; with fewer than {_FEW} of either, intervals are rough."
        )
    certain = int(np.isin(sample.score, [0, 1]).sum())
    if certain:
        notes.append(
            f"{certain:,} probabilities are exactly 0 or 1, which is infinite on the logit "
            "scale, so calibration intercept and slope are undefined."
        )
    known = [interval for interval in found.values() if not math.isnan(interval.value)]
    undefined = max((interval.undefined for interval in known), default=0)
    if undefined:
        notes.append(
            f"Up to {undefined:,} of {repeats:,} resamples had no answer for a metric; "
            "its interval rests on the others."
        )
    return notes


def _with_formula(sample: Sample) -> dict[str, Interval]:
    """The metrics whose interval is a formula rather than resampling."""
    arrays = (sample.truth, sample.score)
    return {
        "auc_delong": delong_interval(*arrays),
        "calibration_intercept": calibration_intercept(*arrays, sample.group),
        "calibration_slope": calibration_slope(*arrays, sample.group),
    }
