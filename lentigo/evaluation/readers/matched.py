"""The sensitivity of a model at each reader's specificity, compared with the reader's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import (
    ROUNDING,
    IntArray,
    Interval,
    blocks,
    count_groups,
    draws,
    ratio,
)


@dataclass(frozen=True)
class AtReaders:
    """A model's sensitivity at the specificity of each of M readers, and the difference."""

    sensitivity: FloatArray
    """Sensitivity of the model on the images that the reader read, (M,); NaN where a reader
    read no melanoma, or no other image."""
    difference: FloatArray
    """`sensitivity` minus the reader's sensitivity on the same images: (M,)."""
    covariance: FloatArray
    """Covariance of `difference` over resamples of whole groups: (M, M); NaN for readers
    whose `sensitivity` is NaN."""
    freedom: IntArray
    """Degrees of freedom, (M,): groups of the rarer class that each reader read, less 1."""

    def interval(self, reader: int) -> Interval:
        """Return the difference to reader number `reader`, with Student's t interval."""
        value = float(self.difference[reader])
        variance = float(self.covariance[reader, reader])
        if not variance > ROUNDING**2 or self.freedom[reader] < 1:
            return Interval(value)
        half = float(stdtrit(self.freedom[reader], 0.975)) * variance**0.5
        return Interval(value, max(value - half, -1.0), min(value + half, 1.0))


def at_readers(
    truth: BoolArray,
    score: FloatArray,
    calls: FloatArray,
    group: IntArray,
    *,
    repeats: int = 2000,
    seed: int = 0,
) -> AtReaders:
    """Compare a model with M readers, each at the specificity of that reader.

    `truth`, `score` and `group` are (N,); `calls` is (M, N): 1 for a call of melanoma, 0
    for any other call, NaN for an image that was not read. Between two thresholds the
    model's sensitivity is interpolated linearly. In each of `repeats` resamples of whole
    groups the reader's specificity is computed anew, so the interval allows for its error.
    """
    groups = int(group.max()) + 1
    ranked = _Ranked.of(truth, score, group)
    ones = np.ones((1, groups))
    own = [ranked.compared(row, ones) for row in calls]
    resampled = np.stack([_resampled(ranked, row, groups, repeats, seed) for row in calls])
    sides = [[(row == row) & side for side in (truth, ~truth)] for row in calls]
    return AtReaders(
        sensitivity=np.array([model[0] for model, _ in own]),
        difference=np.array([model[0] - reader[0] for model, reader in own]),
        covariance=_covariance(resampled),
        freedom=np.array(
            [min(count_groups(group[side]) for side in both) - 1 for both in sides],
            dtype=np.intp,
        ),
    )


def _covariance(resampled: FloatArray) -> FloatArray:
    """Return the covariance (M, M) of the differences in R resamples, (M, R).

    A reader with NaN in all resamples, as without a melanoma, has NaN and is otherwise
    ignored. Resamples with a NaN for any other reader are left out.
    """
    found = np.full((len(resampled), len(resampled)), np.nan)
    there = ~np.isnan(resampled).all(axis=1)
    known = resampled[there]
    known = known[:, ~np.isnan(known).any(axis=0)]
    if known.shape[1] > 1:
        found[np.ix_(there, there)] = np.atleast_2d(np.cov(known))
    return found


def _resampled(
    ranked: _Ranked, calls: FloatArray, groups: int, repeats: int, seed: int
) -> FloatArray:
    """Return model minus reader in each resample, (repeats,).

    The resamples depend on `groups` and `seed` only, so they are the same for each reader.
    """
    counts = draws(groups, repeats=repeats, seed=seed)
    several = blocks(counts, max(len(calls), groups), most=repeats)
    both = (ranked.compared(calls, block) for block in several)
    return np.concatenate([model - reader for model, reader in both])


@dataclass(frozen=True)
class _Ranked:
    """The images sorted from the highest score to the lowest."""

    truth: BoolArray
    """Whether each image is a melanoma, the highest score first; likewise `group`."""
    group: IntArray
    order: IntArray
    """Position in the input of each image of this order."""
    ends: IntArray
    """The index in `order` of the last image of each distinct score."""

    @classmethod
    def of(cls, truth: BoolArray, score: FloatArray, group: IntArray) -> _Ranked:
        order = np.argsort(-score, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, [True]))
        return cls(truth[order], group[order], order, ends)

    def compared(
        self, calls: FloatArray, counts: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the sensitivity of the model and of one reader in R resamples, (R,) each.

        The model has the reader's specificity. `calls` is (N,), `counts` (R, groups): how
        often each group was drawn.
        """
        called = calls[self.order]
        weight = counts[:, self.group] * ~np.isnan(called)
        melanoma, other = weight * self.truth, weight * ~self.truth
        hits = melanoma @ np.nan_to_num(called)
        alarms = other @ np.nan_to_num(called)
        found, false = (self._falling(each) for each in (melanoma, other))
        total = found[:, -1]
        place = (false <= alarms[:, None] + 1e-9).sum(axis=1) - 1
        after = np.minimum(place + 1, found.shape[1] - 1)
        rows = np.arange(len(counts))
        step = np.nan_to_num(
            ratio(alarms - false[rows, place], false[rows, after] - false[rows, place])
        )
        at = found[rows, place] + step * (found[rows, after] - found[rows, place])
        both = false[:, -1] > 0
        model = np.where(both, ratio(at, total), np.nan)
        return model, np.where(both, ratio(hits, total), np.nan)

    def _falling(self, weight: FloatArray) -> FloatArray:
        whole = np.cumsum(weight, axis=1)[:, self.ends]
        return np.concatenate([np.zeros((len(weight), 1)), whole], axis=1)
