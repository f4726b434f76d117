"""Judge readers, and compare them with a model, on images with a known diagnosis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from lentigo.config import ScoringConfig
from lentigo.errors import DatasetError
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.grouping import grouped
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.joining import Matched, Source, match
from lentigo.evaluation.readers.agreement import fleiss_kappa, gwet_ac1
from lentigo.evaluation.readers.case import (
    Case,
    auc_of,
    complete,
    enough,
    numbered,
    share_of_calls,
    sides,
)
from lentigo.evaluation.readers.covariance import aucs_together, shares_together
from lentigo.evaluation.readers.matched import AtReaders, at_readers
from lentigo.evaluation.readers.mrmc import (
    Factorial,
    MeanOfReaders,
    factorial,
    one_condition,
)
from lentigo.evaluation.readers.reading_table import (
    known_columns,
    read_readings,
    table_of,
)
from lentigo.evaluation.readers.study_result import (
    ConditionResult,
    Contrast,
    OneReader,
    ReaderStudy,
)
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.shares import clustered_share
from lentigo.evaluation.telling import tells, told, too_few_to_tell
from lentigo.table_files.cells import ids_as_text
from lentigo.words import counted, some, verb

METRICS = ("auc", "sensitivity", "specificity")
AT_SPECIFICITY = "sensitivity_at_specificity"


@ids_as_text
def judge_readers(
    readers: Source,
    truth: Source,
    *,
    predictions: Source | None = None,
    columns: Mapping[str, str] | None = None,
    call_from: float | None = None,
    group: str | None = None,
    repeats: int = 2000,
    seed: int = 0,
) -> ReaderStudy:
    """Compute the metrics of readers, their agreement, and their comparison with a model.

    `readers` has one row a reading or one column a reader (`read_readings`); a rating of
    `call_from` or more counts as a call of melanoma. With `predictions` a model is judged
    on the images that were read: its AUC, and its sensitivity at the specificity of each
    reader. The intervals of means over readers allow for new readers and images (`mrmc`);
    a mean rests on the images that all readers read under that condition, a comparison of
    conditions on those that all read under all conditions. `columns` names columns of any
    of the tables, `group` is as in `evaluate`. Where readers read melanomas, or other
    images, of too few groups (`telling`) no difference has bounds or a p-value, and a note
    says so.

    Raises the errors of `evaluate` and of `read_readings`, and `UnknownNameError` for a
    key of `columns` that is no known column, and `DatasetError` for readers without rows.
    """
    ScoringConfig(group=group, repeats=repeats, seed=seed)
    given = known_columns(columns)
    table, name = table_of(readers)
    readings = read_readings(table, name=name, columns=given, call_from=call_from)
    matched, lost = _with_truth(readings.table, truth, predictions, given)
    groups = grouped(matched, group)
    case = Case.of(readings.table, matched, groups.group, scored=predictions is not None)
    judged = [
        _judged(case, number, repeats, seed) for number in range(len(case.conditions))
    ]
    notes = [*readings.notes, *matched.notes, *lost, groups.note, *case.notes()]
    if case.score is None:
        notes.append("No model beside the readers: give its predictions (--predictions).")
    notes += _untold(case)
    return ReaderStudy(
        conditions=tuple(judged),
        contrasts=tuple(_contrasts(case)),
        model=case.model(),
        case=(case.truth, case.score, case.group),
        unit=groups.unit,
        repeats=repeats,
        seed=seed,
        notes=tuple(dict.fromkeys(notes)),
    )


def _with_truth(
    readings: pd.DataFrame,
    truth: Source,
    predictions: Source | None,
    columns: Mapping[str, str],
) -> tuple[Matched, list[str]]:
    """Return the images with a reading and a label (and a probability), and notes.

    Raises `DatasetError` when there is no such image.
    """
    read = set(readings["image_id"])
    # `image_id` of `columns` is for the readers' table; other tables may differ.
    known = {k: v for k, v in columns.items() if k in {"melanoma", "probability"}}
    if predictions is None:
        everything = pd.DataFrame({"image_id": sorted(read), "probability": 0.5})
        known.pop("probability", None)
        matched = match(everything, truth, columns=known)
        notes = [n for n in matched.notes if n not in matched.about_left_out]
    else:
        matched = match(predictions, truth, columns=known)
        notes = [n for n in matched.notes if n not in matched.about_left_out]
    kept = matched.table[matched.table["image_id"].isin(read)].reset_index(drop=True)
    if kept.empty:
        raise DatasetError(
            f"No image that was read ({some(sorted(read), at_most=2)}) is among those with "
            f"a label{' and a probability' if predictions is not None else ''} "
            f"({some(matched.table['image_id'].tolist(), at_most=2)})."
        )
    missing = sorted(read - set(kept["image_id"]))
    lost = []
    if missing:
        what = "a label" if predictions is None else "a label or a probability"
        lost.append(
            f"{counted(len(missing), 'image')} left out that "
            f"{verb(len(missing), 'was', 'were')} read, for want of {what}: "
            f"{some(missing)}."
        )
    return Matched(kept, notes, matched.named, matched.left_out), lost


def _untold(case: Case) -> list[str]:
    """Return a sentence if some reader, or all of them, read too few groups to tell."""
    if case.score is None and len(case.conditions) < 2:
        return []
    if not tells(case.truth, case.group):
        return [too_few_to_tell("a difference between these readers, or to the model")]
    few = [
        name
        for row, name in enumerate(case.readers)
        if not all(_read_enough(case, condition, row) for condition in _read_by(case, row))
    ]
    if few:
        return [too_few_to_tell(f"a difference of what {some(few)} read")]
    if _share_enough(case):
        return []
    return [too_few_to_tell("a mean difference on the images that all readers read")]


def _share_enough(case: Case) -> bool:
    """Tell whether every mean of differences rests on images of enough groups."""
    models = [] if case.score is None else list(case.rating)
    together = [rows[~np.isnan(rows).all(axis=1)] for rows in models]
    if len(case.conditions) > 1:
        under_all = [_under_all(case, metric) for metric in METRICS]
        together += [np.concatenate(each) for each in under_all if each.shape[1] > 1]
    known = [complete(rows) for rows in together if len(rows)]
    return all(tells(case.truth[both], case.group[both]) for both in known)


def _read_by(case: Case, row: int) -> list[int]:
    """Return the numbers of the conditions under which reader number `row` read."""
    there = ~(np.isnan(case.rating[:, row]) & np.isnan(case.call[:, row]))
    return [int(number) for number in np.flatnonzero(there.any(axis=1))]


def _read_enough(case: Case, condition: int, row: int) -> bool:
    rating, call = case.rating[condition, row], case.call[condition, row]
    read = ~(np.isnan(rating) & np.isnan(call))
    return tells(case.truth[read], case.group[read])


def _judged(case: Case, number: int, repeats: int, seed: int) -> ConditionResult:
    calls, ratings = case.call[number], case.rating[number]
    there = [
        row
        for row in range(len(case.readers))
        if not (np.isnan(calls[row]).all() and np.isnan(ratings[row]).all())
    ]
    at = None
    called = [row for row in there if not np.isnan(calls[row]).all()]
    if case.score is not None and called:
        at = at_readers(
            case.truth, case.score, calls[called], case.group, repeats=repeats, seed=seed
        )
    beside = {row: (at, place) for place, row in enumerate(called)} if at else {}
    readers = [
        _one(case, case.readers[row], ratings[row], calls[row], beside.get(row))
        for row in there
    ]
    return ConditionResult(
        name=case.conditions[number],
        readers=tuple(readers),
        majority=_majority(case, calls) if len(called) > 2 else None,
        means=_means(case, ratings[there], calls[there]),
        against_model=_against(case, ratings[there], at, calls[called]),
        **_agreement(case, calls),
    )


def _one(
    case: Case,
    name: str,
    rating: FloatArray,
    call: FloatArray,
    beside: tuple[AtReaders, int] | None = None,
) -> OneReader:
    read = ~(np.isnan(rating) & np.isnan(call))
    found = {"auc": Interval(math.nan)}
    rated = ~np.isnan(rating)
    if rated.any():
        found["auc"] = auc_of(case.truth[rated], rating[rated], case.group[rated])
    found |= _shares(case, call)
    at_model, difference = math.nan, Interval(math.nan)
    if beside is not None:
        at, place = beside
        at_model = float(at.sensitivity[place])
        difference = _rough_difference(
            at.interval(place), case.truth[read], case.group[read]
        )
    return OneReader(
        name=name,
        n_images=int(read.sum()),
        n_melanomas=int(case.truth[read].sum()),
        **found,
        model_sensitivity=at_model,
        difference=difference,
    )


def _shares(case: Case, call: FloatArray) -> dict[str, Interval]:
    """Sensitivity and specificity of one reader's calls, (N,); groups are independent."""
    found = {}
    called = ~np.isnan(call)
    for name, side in (("sensitivity", case.truth), ("specificity", ~case.truth)):
        rows = called & side
        right = (call[rows] == 1) == (name == "sensitivity")
        found[name] = clustered_share(right, numbered(case.group[rows]))
    melanomas, others = sides(case.truth[called], case.group[called])
    return marked(found, with_melanoma=melanomas, without=others)


def _majority(case: Case, calls: FloatArray) -> OneReader:
    share = share_of_calls(calls)
    call = np.where(np.isnan(share), np.nan, (share >= 0.5).astype(float))
    return _one(case, "majority", np.full(len(call), np.nan), call)


def _means(case: Case, ratings: FloatArray, calls: FloatArray) -> dict[str, MeanOfReaders]:
    found = {}
    for metric in METRICS:
        values = ratings if metric == "auc" else calls
        known = complete(values)
        if enough(case.truth[known], case.group[known], metric=metric):
            mean = one_condition(*_together(case, metric, values, known))
            found[metric] = _as_share(mean, metric, case, known)
    return found


def _as_share(
    mean: MeanOfReaders, metric: str, case: Case, known: BoolArray
) -> MeanOfReaders:
    """Return `mean` with bounds clipped to 0–1, marked where rough, without a p-value.

    It is the mean of the metric named `metric` over the images where `known` is True.
    """
    low, high = np.clip([mean.interval.low, mean.interval.high], 0.0, 1.0).tolist()
    melanomas, others = sides(case.truth[known], case.group[known])
    interval = marked(
        {metric: replace(mean.interval, low=low, high=high)},
        with_melanoma=melanomas,
        without=others,
    )[metric]
    return replace(mean, interval=interval, p=math.nan)


def _together(
    case: Case, metric: str, values: FloatArray, known: BoolArray
) -> tuple[FloatArray, FloatArray]:
    truth, group = case.truth[known], numbered(case.group[known])
    if metric == "auc":
        return aucs_together(truth, values[:, known], group)
    return shares_together(truth, values[:, known], group, of=metric == "sensitivity")


def _against(
    case: Case, ratings: FloatArray, at: AtReaders | None, calls: FloatArray
) -> dict[str, MeanOfReaders]:
    """Return by metric the mean over readers of the difference, model minus reader.

    The metrics are AUC, and the model's sensitivity at the reader's specificity (`at`; None
    where no reader has calls, else of the rows of `calls`). Empty without a model. Without
    bounds and p-value where the readers read too few groups.
    """
    found: dict[str, MeanOfReaders] = {}
    if case.score is None:
        return found
    known = complete(ratings)
    if enough(case.truth[known], case.group[known]):
        whole = np.vstack([case.score[None], ratings])
        values, covariance = _together(case, "auc", whole, known)
        # All differences have the model's AUC in common, so its error correlates them.
        turn = np.hstack([np.ones((len(ratings), 1)), -np.eye(len(ratings))])
        mean = one_condition(turn @ values, turn @ covariance @ turn.T)
        enough_read = tells(case.truth[known], case.group[known])
        found["auc"] = _if_told(mean, enough=enough_read)
    if at is not None:
        mean = one_condition(at.difference, at.covariance)
        read = [~np.isnan(row) for row in calls]
        enough_read = all(tells(case.truth[row], case.group[row]) for row in read)
        found[AT_SPECIFICITY] = _if_told(mean, enough=enough_read)
    return found


def _if_told(mean: MeanOfReaders, *, enough: bool) -> MeanOfReaders:
    if enough:
        return mean
    return MeanOfReaders(told(mean.interval, enough=False), math.nan)


def _agreement(case: Case, calls: FloatArray) -> dict[str, Interval]:
    said = (~np.isnan(calls)).sum(axis=0).astype(float)
    called = np.nansum(calls, axis=0)
    counts = np.column_stack([said - called, called])
    return {
        "fleiss_kappa": fleiss_kappa(counts, case.group),
        "gwet_ac1": gwet_ac1(counts, case.group),
    }


def _contrasts(case: Case) -> list[Contrast]:
    """Compare conditions, metric by metric, over readers who read under all conditions."""
    found: list[Contrast] = []
    if len(case.conditions) < 2:
        return found
    for metric in METRICS:
        values = _under_all(case, metric)
        shape, flat = values.shape[:2], np.concatenate(values)
        known = complete(flat)
        there = enough(case.truth[known], case.group[known], metric=metric)
        if shape[1] < 2 or not there:
            continue
        numbers, covariance = _together(case, metric, flat, known)
        result = factorial(numbers.reshape(shape), covariance)
        if not tells(case.truth[known], case.group[known]):
            result = _without_test(result)
        size = int(known.sum())
        found.append(Contrast(metric, tuple(case.conditions), shape[1], size, result))
    return found


def _under_all(case: Case, metric: str) -> FloatArray:
    """Return what the readers under all conditions gave, (conditions, readers, N)."""
    values = case.has(metric)
    return np.asarray(values[:, (~np.isnan(values)).any(axis=2).all(axis=0)])


def _without_test(found: Factorial) -> Factorial:
    """Return the means and differences of the conditions, without F, bounds or p-value."""
    return Factorial(
        f=math.nan,
        freedom=(found.freedom[0], math.nan),
        p=math.nan,
        means=found.means,
        differences=tuple(
            (a, b, _if_told(each, enough=False)) for a, b, each in found.differences
        ),
    )


def _rough_difference(interval: Interval, truth: BoolArray, group: IntArray) -> Interval:
    with_melanoma, without = sides(truth, group)
    interval = told(interval, enough=tells(truth, group))
    return marked(
        {"auc": interval}, with_melanoma=with_melanoma, without=without,
        rough_below=DIFFERENCES_ROUGH_BELOW,
    )["auc"]  # fmt: skip
