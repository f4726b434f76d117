"""Compute every metric of a sample with its interval, and mark the rough intervals.

An interval is rough if it rests on so few groups that its coverage was not 93–97 % in
simulations (`lentigo.evaluation.roughness`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from lentigo.evaluation.calibration import room_for_doubt, separates
from lentigo.evaluation.intervals import Interval, Statistic, from_spread
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.multiclass import Diagnoses
from lentigo.evaluation.registry import (
    METRICS,
    ON_OWN_THRESHOLD,
    Metric,
    function_of,
    on_own_threshold,
)
from lentigo.evaluation.roughness import FEW, marked
from lentigo.evaluation.sums import Sample
from lentigo.words import counted, verb


def measure(
    sample: Sample,
    diagnoses: Diagnoses | None,
    *,
    threshold: float,
    repeats: int,
    seed: int,
) -> dict[str, Interval]:
    """Return every metric in the order of `METRICS`, with its interval, marked where rough.

    docs/statistics.md describes each interval and its coverage. Metrics computed from sums
    over images use `repeats` resamples of whole groups. `threshold` is the probability from
    which melanoma is called. Metrics that do not apply to these images are absent.
    """
    judged = Judged(sample, threshold, diagnoses)
    return measure_some(METRICS.values(), judged, repeats=repeats, seed=seed)


def measure_some(
    metrics: Iterable[Metric], judged: Judged, *, repeats: int, seed: int
) -> dict[str, Interval]:
    """Return the metrics of `metrics`, in that order, as `measure` computes them."""
    answers: dict[str, Interval | Statistic] = {
        metric.name: answer
        for metric in metrics
        if (answer := function_of(metric)(judged)) is not None
    }
    with_melanoma, without = sides(judged.sample)
    sums = [each for each in answers.values() if not isinstance(each, Interval)]
    resampled = from_spread(
        sums,
        groups=judged.sample.groups,
        freedom=min(with_melanoma, without) - 1,
        repeats=repeats,
        seed=seed,
    )
    found = {
        name: answer if isinstance(answer, Interval) else resampled[name]
        for name, answer in answers.items()
    }
    return marked(found, with_melanoma=with_melanoma, without=without)


def sides(sample: Sample) -> tuple[int, int]:
    """Return the numbers of groups with a melanoma, and of groups with another image."""
    return sample.sides


def warnings_about(
    sample: Sample, found: Mapping[str, Interval], *, repeats: int
) -> list[str]:
    """Return warnings on undefined or unreliable metrics, such as with few groups.

    `found` are the metrics of `sample`, made with `repeats` resamples.
    """
    melanomas = int(sample.truth.sum())
    if melanomas in {0, len(sample.truth)}:
        kind = "melanomas" if melanomas else "not melanoma"
        return [
            f"All images ({len(sample.truth):,}) are {kind}, so the AUC and whatever else "
            "needs both is undefined."
        ]
    notes = [*_on_roughness(sample, found), *_on_calibration(sample, found)]
    if sample.score.min() == sample.score.max():
        notes.append(
            f"All {counted(len(sample.score), 'image')} have the same score, which ranks "
            "none above another: the AUC is 0.5 by its definition, and has no interval."
        )
    if any(map(on_own_threshold, found)):
        notes.append(ON_OWN_THRESHOLD)
    bounded = [each for each in found.values() if not math.isnan(each.low)]
    if undefined := max((each.undefined for each in bounded), default=0):
        notes.append(
            f"Up to {undefined:,} of {repeats:,} resamples had no answer for a metric; "
            "its interval rests on the others."
        )
    return notes


def _on_roughness(sample: Sample, found: Mapping[str, Interval]) -> list[str]:
    with_melanoma, without = sides(sample)
    notes: list[str] = []
    if all(math.isnan(interval.low) for interval in found.values()):
        return notes
    if min(with_melanoma, without) < FEW:
        notes.append(
            f"Melanomas come from {counted(with_melanoma, 'group')} and other images from "
            f"{without:,}; with fewer than {FEW} of either, intervals that "
            "rest on these are rough."
        )
    elif any(interval.rough for interval in found.values()):
        notes.append(
            "Intervals marked as rough do not hold the truth in 93–97 % of samples of this "
            "size (docs/statistics.md): DeLong's in fewer, others in more, or untried."
        )
    return notes


def _on_calibration(sample: Sample, found: Mapping[str, Interval]) -> list[str]:
    if "calibration_slope" not in found:
        return []
    notes = []
    certain = int(np.isin(sample.score, [0, 1]).sum())
    if certain:
        notes.append(
            f"{counted(certain, 'probability', 'probabilities')} "
            f"{verb(certain, 'is', 'are')} exactly 0 or 1, which is infinite on the logit "
            "scale; for calibration intercept and slope "
            f"{verb(certain, 'it counts', 'they count')} as "
            f"{room_for_doubt(sample.score):.2g} away from it."
        )
    sure = np.where(sample.truth, sample.score == 0, sample.score == 1)
    if wrong := int(sure.sum()):
        notes.append(
            f"{counted(wrong, 'probability', 'probabilities')} of exactly 0 or 1 "
            f"{verb(wrong, 'contradicts', 'contradict')} the truth, so the log loss is "
            "infinite; the number given counts them as 2.2e-16 away, as scikit-learn does."
        )
    given = np.where(sample.truth, sample.score, 1 - sample.score)
    if close := int(((given > 0) & (given < np.finfo(np.float64).eps)).sum()):
        notes.append(
            f"{counted(close, 'probability', 'probabilities')} "
            f"{verb(close, 'contradicts', 'contradict')} the truth and "
            f"{verb(close, 'lies', 'lie')} closer to 0 or 1 than 2.2e-16; the log loss "
            f"counts {verb(close, 'it', 'them')} as that far away, as scikit-learn does, "
            "and would be higher."
        )
    fitted = not np.isnan(found["calibration_slope"].value)
    if fitted and separates(sample.truth, sample.score):
        notes.append(
            "The scores of melanomas and other images do not overlap, so the calibration "
            "slope comes from a penalised fit (Firth) and says little."
        )
    return notes
