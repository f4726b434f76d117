"""Differences of the metrics of two sets of predictions of the same images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from lentigo.config import ScoringConfig
from lentigo.errors import DatasetError
from lentigo.evaluation.calibration import log_losses, squared_errors
from lentigo.evaluation.clustered import clustered_difference
from lentigo.evaluation.discrimination import auc_difference
from lentigo.evaluation.intervals import ROUNDING, Interval, point, resample
from lentigo.evaluation.joined_groups import joined_pair
from lentigo.evaluation.joining import Source, match
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.evaluation.measuring import sides, warnings_about
from lentigo.evaluation.result import foot, metric_lines
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.sums import Precision, Sample, as_sample
from lentigo.evaluation.telling import no_spread, tells, told, too_few_to_tell
from lentigo.notice import NOTICE
from lentigo.table_files.cells import ids_as_text
from lentigo.words import counted, some


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Differences of metrics, first predictions minus second, with 95 % intervals."""

    metrics: Mapping[str, Interval]
    """The first predictions are better where the difference of AUC or average precision is
    above 0, and where that of Brier score or log loss is below 0."""
    n_images: int
    n_melanomas: int
    n_groups: int
    repeats: int
    """Number of resamples of groups behind intervals that need them."""
    seed: int
    """Seed of these resamples."""
    notes: tuple[str, ...] = ()
    """Sentences on guessed columns, images left out, and groups."""

    def __getitem__(self, name: str) -> Interval:
        return self.metrics[name]

    def as_dict(self) -> dict[str, Any]:
        """Return the differences, counts and notes as plain values, ready for JSON."""
        return {
            **{name: interval.as_dict() for name, interval in self.metrics.items()},
            "n_images": self.n_images,
            "n_melanomas": self.n_melanomas,
            "n_groups": self.n_groups,
            "repeats": self.repeats,
            "seed": self.seed,
            "notes": list(self.notes),
            "notice": NOTICE,
        }

    def as_text(self) -> str:
        """Return a text table to read in a terminal."""
        head = (
            f"First minus second, on {counted(self.n_images, 'image')}, "
            f"{self.n_melanomas:,} of "
            f"melanoma, in {counted(self.n_groups, 'group')}"
        )
        lines = metric_lines(self.metrics, signed=True)
        return "\n".join([head, "", *lines, *foot(self.notes)])


@ids_as_text
def compare(
    first: Source,
    second: Source,
    truth: Source,
    *,
    group: str | None = None,
    repeats: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Return metrics of `first` minus those of `second`, with paired 95 % intervals.

    Only images in both tables are judged. Errors that both make on the same images cancel
    out, so the interval of a difference is narrower than the two separate intervals
    suggest. Groups are independent, and images that either table puts together are of one
    group; `auc_delong` has DeLong's paired interval, which takes images as independent.

    Raises the errors of `evaluate`, and `DatasetError` when no image is in both tables.
    """
    ScoringConfig(group=group, repeats=repeats, seed=seed)
    ours, theirs = match(first, truth), match(second, truth)
    table, notes = joined_pair(("first", ours), ("second", theirs), group=group)
    if table.empty:
        raise DatasetError(
            "The two prediction tables share no image, so they cannot be compared."
        )
    a = as_sample(table)
    b = Sample(a.truth, table["probability_second"].to_numpy(np.float64), a.group, a.groups)
    metrics = differences(a, b, repeats=repeats, seed=seed)
    notes += _in_one_only(table, {"first": ours.table, "second": theirs.table})
    if not tells(a.truth, a.group):
        notes.append(too_few_to_tell("a difference of these predictions"))
    notes += _alike(a, b, metrics["auc"])
    return Comparison(
        metrics=metrics,
        n_images=len(table),
        n_melanomas=int(a.truth.sum()),
        n_groups=a.groups,
        repeats=repeats,
        seed=seed,
        notes=(*notes, *warnings_about(a, metrics, repeats=repeats)),
    )


def _alike(a: Sample, b: Sample, auc: Interval) -> list[str]:
    """Return a sentence if both tables say the same, or `auc` shows no spread."""
    if np.array_equal(a.score, b.score):
        return [
            "Both tables give each image the same probability, so no metric differs, and "
            "no difference has an interval."
        ]
    enough = tells(a.truth, a.group) and not math.isnan(auc.value)
    return (
        [no_spread("Both tables", a.score, b.score)]
        if enough and math.isnan(auc.low)
        else []
    )


def _in_one_only(table: pd.DataFrame, sides: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return a sentence for each prediction table on its images that `table` lacks."""
    both = set(table["image_id"])
    lost = {
        side: [name for name in all_of_it["image_id"] if name not in both]
        for side, all_of_it in sides.items()
    }
    return [
        f"{counted(len(names), 'image')} only in the {side} table left out: {some(names)}."
        for side, names in lost.items()
        if names
    ]


def differences(a: Sample, b: Sample, *, repeats: int, seed: int) -> dict[str, Interval]:
    """Return each metric of `a` minus that of `b`, on the same images, marked where rough.

    `auc` has the paired interval of Obuchowski 1997 (`clustered`), `auc_delong` DeLong's,
    Brier score and log loss Student's t over groups, and average precision Student's t with
    the standard deviation over resamples of groups. With too few groups (`telling`) none
    has bounds.
    """
    with_melanoma, without = sides(a)
    freedom = min(with_melanoma, without) - 1
    found = {
        "auc": clustered_difference(a.truth, a.score, b.score, a.group),
        "auc_delong": auc_difference(a.truth, a.score, b.score),
        "average_precision": _of_precision(a, b, freedom, repeats=repeats, seed=seed),
    }
    for name, errors in (("brier", squared_errors), ("log_loss", log_losses)):
        gaps = errors(a.truth, a.score) - errors(b.truth, b.score)
        found[name] = clustered_mean_difference(gaps, a.group, freedom=freedom)
    for name in ("auc", "auc_delong", "average_precision", "brier"):
        found[name] = _bounded(found[name])
    enough = tells(a.truth, a.group)
    found = {name: told(each, enough=enough) for name, each in found.items()}
    return marked(
        found,
        with_melanoma=with_melanoma,
        without=without,
        rough_below=DIFFERENCES_ROUGH_BELOW,
    )


def _bounded(interval: Interval) -> Interval:
    """Clip the bounds of an interval to −1…1, the range of a difference of two shares.

    With few groups Student's t can go beyond.
    """
    low, high = np.clip([interval.low, interval.high], -1.0, 1.0)
    return replace(interval, low=float(low), high=float(high))


def _of_precision(
    a: Sample, b: Sample, freedom: int, *, repeats: int, seed: int
) -> Interval:
    """Return the difference of two average precisions; both use the same resamples.

    The interval is Student's t with `freedom` degrees of freedom.
    """
    name = "average_precision"
    pairs = [Precision(a)], [Precision(b)]
    value = point(pairs[0])[name] - point(pairs[1])[name]
    if a.groups < 2 or math.isnan(value):
        return Interval(value)
    one, other = (
        resample(pair, groups=a.groups, repeats=repeats, seed=seed)[name] for pair in pairs
    )
    spread = one - other
    known = spread[~np.isnan(spread)]
    undefined = len(spread) - len(known)
    if not len(known) or not known.std() > ROUNDING:
        return Interval(value, undefined=undefined)
    half = float(stdtrit(max(freedom, 1), 0.975) * known.std())
    return Interval(value, value - half, value + half, undefined)
