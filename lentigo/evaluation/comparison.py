"""By how much one set of predictions is better than another, on the same images."""

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
from lentigo.evaluation.calibration import squared_errors, surprises
from lentigo.evaluation.clustered import clustered_difference
from lentigo.evaluation.discrimination import auc_difference
from lentigo.evaluation.intervals import Interval, point, resample
from lentigo.evaluation.joining import Source, match
from lentigo.evaluation.means import clustered_mean_difference
from lentigo.evaluation.measuring import sides, warnings_about
from lentigo.evaluation.result import foot, metric_lines
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import Precision, Sample, as_sample
from lentigo.notice import NOTICE
from lentigo.words import counted, some


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Differences, first minus second, each with its 95 % interval."""

    metrics: Mapping[str, Interval]
    """For AUC and average precision above 0 is better, for Brier and log loss below."""
    n_images: int
    n_melanomas: int
    n_groups: int
    repeats: int
    seed: int
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Interval:
        return self.metrics[name]

    def as_dict(self) -> dict[str, Any]:
        """Differences and counts as plain numbers, ready for JSON."""
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
        """A table to read in a terminal."""
        head = (
            f"First minus second, on {counted(self.n_images, 'image')}, "
            f"{self.n_melanomas:,} of "
            f"melanoma, in {counted(self.n_groups, 'group')}"
        )
        lines = metric_lines(self.metrics, signed=True)
        return "\n".join([head, "", *lines, *foot(self.notes)])


def compare(
    first: Source,
    second: Source,
    truth: Source,
    *,
    group: str | None = None,
    repeats: int = 2000,
    seed: int = 0,
) -> Comparison:
    """First minus second, on the images that both predict, with paired intervals.

    What the two have in common cancels out: the interval of the difference is narrower than
    the two beside each other suggest. Whole groups, those of `first`, are taken as
    independent; `auc_delong` has DeLong's paired interval, which takes images so.

    Raises the errors of `evaluate`, and `DatasetError` where no image is in both.
    """
    ScoringConfig(group=group, repeats=repeats, seed=seed)
    ours, theirs = match(first, truth), match(second, truth)
    table, _, notes = scored(ours, group=group)
    there = theirs.table[["image_id", "probability"]]
    table = table.merge(there, on="image_id", suffixes=("", "_second"))
    if table.empty:
        raise DatasetError(
            "The two prediction tables share no image, so they cannot be compared."
        )
    a = as_sample(table)
    b = Sample(a.truth, table["probability_second"].to_numpy(np.float64), a.group, a.groups)
    metrics = differences(a, b, repeats=repeats, seed=seed)
    notes += _in_one_only(table, {"first": ours.table, "second": theirs.table})
    return Comparison(
        metrics=metrics,
        n_images=len(table),
        n_melanomas=int(a.truth.sum()),
        n_groups=a.groups,
        repeats=repeats,
        seed=seed,
        notes=(*notes, *warnings_about(a, metrics, repeats=repeats)),
    )


def _in_one_only(table: pd.DataFrame, sides: Mapping[str, pd.DataFrame]) -> list[str]:
    """Sentences on the images of either side that are not in `table`, so not in both."""
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
    """Each metric of `a` minus that of `b`, on the same images, marked where rough.

    AUCs have the paired interval of Obuchowski 1997 (`clustered`), mean errors Student's t
    over groups, and average precision likewise with the spread of resamples.
    """
    with_melanoma, without = sides(a)
    freedom = min(with_melanoma, without) - 1
    found = {
        "auc": clustered_difference(a.truth, a.score, b.score, a.group),
        "auc_delong": auc_difference(a.truth, a.score, b.score),
        "average_precision": _of_precision(a, b, freedom, repeats=repeats, seed=seed),
    }
    for name, errors in (("brier", squared_errors), ("log_loss", surprises)):
        gaps = errors(a.truth, a.score) - errors(b.truth, b.score)
        found[name] = clustered_mean_difference(gaps, a.group, freedom=freedom)
    for name in ("auc", "auc_delong", "average_precision", "brier"):
        found[name] = _bounded(found[name])
    return marked(
        found,
        with_melanoma=with_melanoma,
        without=without,
        rough_below=DIFFERENCES_ROUGH_BELOW,
    )


def _bounded(interval: Interval) -> Interval:
    """Cut an interval at −1 and 1, which no difference of two shares can pass.

    With few groups Student's t reaches beyond.
    """
    low, high = np.clip([interval.low, interval.high], -1.0, 1.0)
    return replace(interval, low=float(low), high=float(high))


def _of_precision(
    a: Sample, b: Sample, freedom: int, *, repeats: int, seed: int
) -> Interval:
    """The difference of two average precisions under the same resamples."""
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
    if not len(known) or not known.std() > 0:
        return Interval(value, undefined=undefined)
    half = float(stdtrit(max(freedom, 1), 0.975) * known.std())
    return Interval(value, value - half, value + half, undefined)
