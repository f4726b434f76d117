"""Metrics as functions of sums over images, so that resampling them is fast.

Each class of this module sums up its images by group once (`matrix`) and computes its
metrics from the sums of many resamples at a time (`metrics`). R is the number of resamples.
See `lentigo.evaluation.intervals`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from lentigo.evaluation.calibration import log_losses, squared_errors
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, count_groups, group_sums, ratio


@dataclass(frozen=True)
class Sample:
    """Scored images: `truth`, `score` and `group`, (N,) each; groups count from 0."""

    truth: BoolArray
    score: FloatArray
    group: IntArray
    groups: int
    """Number of groups."""

    @cached_property
    def ranks(self) -> IntArray:
        """Return the places of the images, (N,), the one with the lowest score first."""
        return np.argsort(self.score, kind="stable")

    @cached_property
    def ranked(self) -> Sample:
        """Return the images by `ranks`: of these, scores are not sorted again."""
        ascending = bool((self.score[1:] >= self.score[:-1]).all())
        return self if ascending else self.taking(self.ranks)

    @cached_property
    def sides(self) -> tuple[int, int]:
        """Return the numbers of groups with a melanoma, and with another image."""
        if self.groups == len(self.truth):  # each image is a group: nothing to sort out
            melanomas = int(np.count_nonzero(self.truth))
            return melanomas, self.groups - melanomas
        with_melanoma, without = (
            count_groups(self.group.take(np.flatnonzero(side)))
            for side in (self.truth, ~self.truth)
        )
        return with_melanoma, without

    def taking(self, rows: IntArray) -> Sample:
        """Return the images at the places `rows`, with groups renumbered from 0."""
        group = self.group.take(rows)
        if (group[1:] > group[:-1]).all():  # each image is a group, in ascending order
            group, count = np.arange(len(rows)), len(rows)
        else:
            there = np.bincount(group, minlength=self.groups) > 0
            numbers, count = np.cumsum(there) - 1, int(np.count_nonzero(there))
            group = numbers.take(group)
        return Sample(self.truth.take(rows), self.score.take(rows), group, count)


def as_sample(table: pd.DataFrame) -> Sample:
    """Return the columns `melanoma`, `probability` and `group` of a table as a sample."""
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


@dataclass(frozen=True)
class Ranking:
    """AUC, average precision, and the operating point at a wanted sensitivity.

    The sums count the melanomas at each of the K distinct melanoma scores, and the other
    images in each of the 2 K + 1 cells that these scores define: below the first, equal to
    the first, between the first and the second, and so on. In a resample the operating
    point is chosen anew, as it would be on new data.
    """

    sample: Sample
    sensitivity: float = 0.95

    @cached_property
    def scores(self) -> FloatArray:
        """Return the distinct scores of melanomas, ascending: (K,)."""
        return np.unique(self.sample.score[self.sample.truth])

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Count melanomas at each score, other images in each cell: (3 K + 1, groups)."""
        sample, scores = self.sample, self.scores
        left = np.searchsorted(scores, sample.score, "left")
        right = np.searchsorted(scores, sample.score, "right")
        row = np.where(sample.truth, left, len(scores) + left + right)
        ones = np.ones(len(row))
        shape = (3 * len(scores) + 1, sample.groups)
        return group_sums(row, sample.group, ones, shape=shape)

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return AUC, average precision and the operating point by name, (R,) each.

        `sums` is (R, 3 K + 1): the sums of R resamples, in the order of the rows of
        `matrix`. A metric is NaN in a resample that leaves it undefined.
        """
        melanoma = sums[:, : len(self.scores)]  # (R, K)
        cells = sums[:, len(self.scores) :]  # (R, 2 K + 1)
        found = _from_above(melanoma)  # (R, K): melanomas with a score as high or higher
        alarms = _from_above(cells)[:, 1::2]  # (R, K): others, likewise
        melanomas, others = melanoma.sum(axis=1), cells.sum(axis=1)
        below = others[:, np.newaxis] - alarms + cells[:, 1::2] / 2
        precision = ratio(found, found + alarms)
        hits = np.where(melanoma > 0, melanoma * precision, 0.0)
        return {
            "auc": ratio((melanoma * below).sum(axis=1), melanomas * others),
            "average_precision": ratio(hits.sum(axis=1), melanomas),
            **self._at_sensitivity(found, alarms, melanomas, others),
        }

    def _precision(self, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the number of melanomas, and the precision, at each melanoma score.

        Both are (R, K) for R resamples and K distinct melanoma scores.
        """
        melanoma = sums[:, : len(self.scores)]
        found = _from_above(melanoma)
        alarms = _from_above(sums[:, len(self.scores) :])[:, 1::2]
        return melanoma, ratio(found, found + alarms)

    def curve(self, sums: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """Return false positive rate and sensitivity of one resample, (2 K + 1,) each.

        Both rise to 1. `sums` is (3 K + 1,). None where the resample lacks a class.
        """
        melanoma = sums[: len(self.scores)]
        cells = sums[len(self.scores) :]
        if not melanoma.any() or not cells.any():
            return None
        found = np.cumsum(melanoma[::-1]) / melanoma.sum()
        alarms = np.cumsum(cells[::-1]) / cells.sum()
        # Each melanoma score is a step up of the curve, each cell a step to the right.
        return alarms, np.concatenate([[0.0], np.repeat(found, 2)])

    def _at_sensitivity(
        self,
        found: FloatArray,
        alarms: FloatArray,
        melanomas: FloatArray,
        others: FloatArray,
    ) -> dict[str, FloatArray]:
        name = f"at_sensitivity_{100 * self.sensitivity:g}"
        tp, fp, threshold = (np.full(len(melanomas), np.nan) for _ in range(3))
        some = np.flatnonzero(melanomas > 0)
        # The margin is for rounding: 0.95 * 140 is slightly more than 133 in floats.
        wanted = np.ceil(self.sensitivity * melanomas - 1e-9 * np.maximum(melanomas, 1))
        place = (found >= np.maximum(wanted, 1)[:, np.newaxis]).sum(axis=1)[some] - 1
        tp[some], fp[some] = found[some, place], alarms[some, place]
        threshold[some] = self.scores[place]
        tn, fn = others - fp, melanomas - tp
        return {
            f"threshold_{name}": threshold,
            f"specificity_{name}": ratio(tn, others),
            f"ppv_{name}": ratio(tp, tp + fp),
            f"npv_{name}": ratio(tn, tn + fn),
        }


@dataclass(frozen=True)
class Precision(Ranking):
    """The average precision alone, from the same sums as `Ranking`."""

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return `average_precision`, (R,), from the sums of R resamples, (R, 3 K + 1).

        NaN in a resample without a melanoma.
        """
        melanoma, precision = self._precision(sums)
        hits = np.where(melanoma > 0, melanoma * precision, 0.0)
        return {"average_precision": ratio(hits.sum(axis=1), melanoma.sum(axis=1))}


@dataclass(frozen=True)
class Auc(Ranking):
    """The area under the ROC curve alone, from the same sums as `Ranking`."""

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return `auc`, (R,), from the sums of R resamples, (R, 3 K + 1)."""
        melanoma, cells = sums[:, : len(self.scores)], sums[:, len(self.scores) :]
        # Others below a score: all cells before it, and half of those that equal it.
        below = np.cumsum(cells, axis=1)[:, 1::2] - cells[:, 1::2] / 2
        pairs = melanoma.sum(axis=1) * cells.sum(axis=1)
        return {"auc": ratio((melanoma * below).sum(axis=1), pairs)}


@dataclass(frozen=True)
class Calls:
    """Sensitivity, specificity, PPV, NPV and balanced accuracy at a fixed threshold."""

    sample: Sample
    threshold: float

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Count, in this order, fn, tn, fp and tp of each group: (4, groups)."""
        sample = self.sample
        called = sample.score >= self.threshold
        row = np.where(called, 2, 0) + (called == sample.truth)
        # 0 false negative, 1 true negative, 2 false positive, 3 true positive
        return group_sums(row, sample.group, np.ones(len(row)), shape=(4, sample.groups))

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return the metrics by name, (R,) each, from the counts (R, 4) of R resamples.

        A metric is NaN in a resample that leaves it undefined.
        """
        fn, tn, fp, tp = sums.T
        sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
        return {
            "sensitivity": sensitivity,
            "specificity": specificity,
            "ppv": ratio(tp, tp + fp),
            "npv": ratio(tn, tn + fn),
            "balanced_accuracy": (sensitivity + specificity) / 2,
        }


@dataclass(frozen=True)
class Errors:
    """Brier score and log loss, from sums of the errors of the images of each group."""

    sample: Sample

    @cached_property
    def matrix(self) -> FloatArray:
        """Return number of images, squared errors and log losses by group: (3, groups)."""
        sample = self.sample
        ones = np.ones(len(sample.truth))
        values = (
            ones,
            squared_errors(sample.truth, sample.score),
            log_losses(sample.truth, sample.score),
        )
        sums = [np.bincount(sample.group, v, minlength=sample.groups) for v in values]
        return np.stack(sums)

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return `brier` and `log_loss`, (R,) each, from the sums (R, 3) of R resamples.

        The three sums are those of `matrix`: images, squared errors and log losses.
        """
        images, squares, logs = sums.T
        return {"brier": ratio(squares, images), "log_loss": ratio(logs, images)}


def _from_above(sums: FloatArray) -> FloatArray:
    """Return the cumulative sums of each row, added from the last column to the first."""
    total: FloatArray = np.cumsum(sums[:, ::-1], axis=1)[:, ::-1]
    return total
