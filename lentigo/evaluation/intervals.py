"""Intervals from resampling whole groups, for many metrics under the same resamples.

Images of one patient resemble each other; drawn singly, they narrow the interval. So
patients (or lesions) are drawn, with replacement, and all images of each come along.

To make it fast, a metric is written as a function of sums over images; in a resample the
sums are those of each group times how often the group was drawn. So the images are summed
up once, a resample is one product of a sparse matrix with the vector of counts, and the
metrics are computed for many resamples at once. For the AUC the sums count the non-melanoma
images between one melanoma's score and the next, which is exact, ties included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import stdtrit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

ROUNDING = 1e-12
"""A standard error up to this is rounding: no spread was seen, which is no certainty."""

_MANY_GROUPS = 5_000
"""From this number of groups on, groups with equal contributions are drawn together."""

_CHUNK_NUMBERS = 1 << 21
"""Numbers in one array of sums (16 MB); about ten arrays of this size exist at once."""


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval, and in how many resamples it was undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan
    undefined: int = 0
    rough: bool = False
    """Whether, by simulation, such intervals cover the true value in less than 93 % or more
    than 97 % of samples of this size; see `lentigo.evaluation.roughness`."""

    @property
    def in_words(self) -> str:
        """Format value and bounds with three decimals: "0.873 (0.861–0.885, rough)"."""
        return self._written("", " to " if self.low < 0 else "–")

    @property
    def signed_in_words(self) -> str:
        """Format a difference with its bounds: "+0.031 (-0.004 to +0.066, rough)"."""
        return self._written("+", " to ")

    def _written(self, sign: str, between: str) -> str:
        if math.isnan(self.value):
            return "undefined"
        value, low, high = (f"{n:{sign}.3f}" for n in (self.value, self.low, self.high))
        if math.isnan(self.low) or math.isnan(self.high):
            return value
        return f"{value} ({low}{between}{high}{', rough' if self.rough else ''})"

    def as_dict(self) -> dict[str, float | int | bool]:
        """Return the fields by name, ready for JSON."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "undefined": self.undefined,
            "rough": self.rough,
        }


Sums = sparse.csr_array | FloatArray
"""Contribution of each group to each sum, (sums, groups); sparse where most are 0."""


class Statistic(Protocol):
    """A family of metrics that are functions of the same sums over images."""

    @property
    def matrix(self) -> Sums:
        """Return the contribution of each group to each sum: (sums, groups)."""

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return metrics by name, (R,) each, from the sums of R resamples, (R, sums).

        A metric is NaN in a resample that leaves it undefined.
        """


def group_sums(
    row: IntArray, group: IntArray, value: FloatArray, *, shape: tuple[int, int]
) -> sparse.csr_array:
    """Return a sparse matrix of `shape` (sums, groups) that adds up `value`.

    Element i of `value` is added at row `row[i]` and column `group[i]`.
    """
    return sparse.csr_array(sparse.coo_array((value, (row, group)), shape=shape))


def count_groups(group: IntArray) -> int:
    """Count the distinct groups in `group`, (N,) integers from 0, one for each image."""
    if each_alone(group):
        return len(group)
    return int(np.count_nonzero(np.bincount(group)))


def each_alone(group: IntArray) -> bool:
    """Tell whether the groups, (N,), rise strictly, so that each image is its own group.

    So they do where single images are numbered by score (`lentigo.evaluation.sums`). What
    is summed up by group is then the images themselves. False says nothing.
    """
    if len(group) < 2:
        return len(group) == 1
    # The first comparison spares most other samples the second.
    wide = int(group[-1]) - int(group[0]) >= len(group) - 1
    return wide and bool((group[1:] > group[:-1]).all())


def dot(first: FloatArray | IntArray, second: FloatArray | IntArray) -> float:
    """Return the sum of the products of two arrays, (N,) each.

    `first @ second` divides more than 10,000 numbers among the cores; they wait for each
    other ten times longer than they multiply, and much longer on a machine in use.
    """
    return float(np.einsum("i,i->", first, second))


def draws(groups: int, *, repeats: int, seed: int) -> Iterator[FloatArray]:
    """Yield for each of `repeats` resamples how often each group was drawn, (groups,).

    `groups` is the number of groups; as many are drawn, with replacement.
    """
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        drawn = rng.integers(groups, size=groups)
        yield np.bincount(drawn, minlength=groups).astype(np.float64)


def point(statistics: Sequence[Statistic]) -> dict[str, float]:
    """Return metric name → value on the sample itself, where each group counts once."""
    ones = [np.ones(statistic.matrix.shape[1]) for statistic in statistics]
    sums = [(s.matrix @ one)[np.newaxis] for s, one in zip(statistics, ones, strict=True)]
    return {name: float(v[0]) for name, v in _all_metrics(statistics, sums).items()}


def resample(
    statistics: Sequence[Statistic],
    *,
    groups: int,
    repeats: int,
    seed: int,
    by_kind: bool = False,
) -> dict[str, FloatArray]:
    """Return the values of every metric under the same resamples of whole groups.

    The keys are the names of the metrics; the values are (repeats,), NaN where a resample
    leaves the metric undefined. `groups` is the number of groups. The resamples depend on
    `groups` and `seed` alone, unless `by_kind` draws groups with equal contributions
    together, which is faster but cannot be paired with the resamples of another sample.
    Memory stays within some hundred megabytes whatever the number of images and repeats.
    """
    matrices = [statistic.matrix for statistic in statistics]
    size = max(1, min(repeats, _CHUNK_NUMBERS // max(sum(m.shape[0] for m in matrices), 1)))
    sums = [np.empty((size, matrix.shape[0])) for matrix in matrices]
    parts: list[dict[str, FloatArray]] = []
    filled = 0
    counts = draws(groups, repeats=repeats, seed=seed)
    if by_kind and groups >= _MANY_GROUPS and len(matrices) == 1:
        matrices[0], counts = _alike(matrices[0], counts, repeats=repeats, seed=seed)
    for block in blocks(counts, matrices[0].shape[1], most=size):
        if filled + len(block) > size:
            parts.append(_all_metrics(statistics, [rows[:filled] for rows in sums]))
            filled = 0
        for matrix, rows in zip(matrices, sums, strict=True):
            rows[filled : filled + len(block)] = (matrix @ block.T).T
        filled += len(block)
    parts.append(_all_metrics(statistics, [rows[:filled] for rows in sums]))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _alike(
    matrix: Sums, counts: Iterator[FloatArray], *, repeats: int, seed: int
) -> tuple[Sums, Iterator[FloatArray]]:
    """Merge groups that add the same single number to the same sum into one column.

    Returns the smaller matrix and matching counts. How often a merged column is drawn is
    multinomial, so the resamples have the same distribution; 400,000 single images merge
    into a thousand columns. Both are returned unchanged where merging saves little.
    """
    columns = sparse.csc_array(matrix)
    single = np.diff(columns.indptr) == 1
    first = columns.indptr[:-1][single]
    numbers, number = np.unique(columns.data[first], return_inverse=True)
    keys = columns.indices[first].astype(np.intp) * len(numbers) + number
    many = np.bincount(keys)
    place = np.zeros(len(many), dtype=np.intp)
    place[keys] = np.flatnonzero(single)
    kept = np.concatenate([np.flatnonzero(~single), place[many > 0]])
    many = many[many > 0]
    groups = columns.shape[1]
    if len(kept) > groups / 4:
        return matrix, counts
    weights = np.concatenate([np.ones(int((~single).sum())), many]) / groups
    rng = np.random.default_rng(seed)
    drawn = (rng.multinomial(groups, weights).astype(np.float64) for _ in range(repeats))
    return sparse.csr_array(columns[:, kept]), drawn


def blocks(counts: Iterator[FloatArray], groups: int, *, most: int) -> Iterator[FloatArray]:
    """Yield the resamples stacked into blocks, (block, groups), for faster products.

    A block has at most `most` resamples, and fewer where `groups` is large.
    """
    some = max(1, min(most, 64, _CHUNK_NUMBERS // max(groups, 1)))
    while block := list(islice(counts, some)):
        yield np.stack(block)


def _all_metrics(
    statistics: Sequence[Statistic], sums: Sequence[FloatArray]
) -> dict[str, FloatArray]:
    values: dict[str, FloatArray] = {}
    for statistic, rows in zip(statistics, sums, strict=True):
        values |= statistic.metrics(rows)
    return values


def clustered_bootstrap(
    statistics: Sequence[Statistic], *, groups: int, repeats: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Return every metric by name, with its 95 % interval from resampling whole groups.

    The interval is the percentile interval. `groups` is the number of groups; with one
    group the bounds are NaN.
    """
    values = point(statistics)
    if groups < 2:
        # A resample of one group is the sample itself, so resampling shows no variance.
        return {name: Interval(value) for name, value in values.items()}
    resampled = resample(statistics, groups=groups, repeats=repeats, seed=seed)
    return intervals(values, resampled)


def from_spread(
    statistics: Sequence[Statistic],
    *,
    groups: int,
    freedom: int,
    repeats: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return every metric by name, each with its confidence interval.

    The metrics must lie between 0 and 1; the intervals are those of `share_like_interval`.
    `freedom` is the number of degrees of freedom; with one group the bounds are NaN.
    """
    if not statistics:
        return {}
    values = point(statistics)
    if groups < 2:
        return {name: Interval(value) for name, value in values.items()}
    resampled = resample(
        statistics, groups=groups, repeats=repeats, seed=seed, by_kind=True
    )
    return {
        name: share_like_interval(value, resampled[name], freedom=freedom)
        for name, value in values.items()
    }


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return `part / whole`, and NaN where `whole` is 0."""
    answer = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=answer, where=whole > 0)
    return answer


def intervals(
    values: Mapping[str, float], resampled: Mapping[str, FloatArray]
) -> dict[str, Interval]:
    """Return metric name → value with its percentile interval from the resamples."""
    return {name: percentile_interval(v, resampled[name]) for name, v in values.items()}


def percentile_interval(value: float, resampled: FloatArray) -> Interval:
    """Return `value` with the middle 95 % of the resamples that are not NaN.

    The bounds are NaN where `value` is NaN, or where all resamples are equal: a
    sensitivity of 0 in every resample is no proof that it is 0.
    """
    known = resampled[~np.isnan(resampled)]
    undefined = len(resampled) - len(known)
    if math.isnan(value) or not len(known) or known.min() == known.max():
        return Interval(value, undefined=undefined)
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(value, float(low), float(high), undefined)


def share_like_interval(value: float, resampled: FloatArray, *, freedom: int) -> Interval:
    """Return `value`, 0 to 1, with Wilson's interval from the variance of its resamples.

    The interval is that of a share of n items, n chosen so that the share has the variance
    of the resamples. So it stays within 0–1 and reaches further towards 0.5. The quantile
    is Student's t with `freedom` degrees of freedom. A value of 0 or 1 has the exact bound
    of a share of `freedom` + 1 items. The bounds are NaN where the resamples of any other
    value have no variance.
    """
    known = resampled[~np.isnan(resampled)]
    undefined = len(resampled) - len(known)
    if value in {0.0, 1.0}:
        reach = 0.025 ** (1 / max(freedom + 1, 1))
        low, high = (reach, 1.0) if value else (0.0, 1 - reach)
        return Interval(value, low, high, undefined)
    if (
        math.isnan(value)
        or not 0 < value < 1
        or not len(known)
        or not known.std() > ROUNDING
    ):
        return Interval(value, undefined=undefined)
    number = value * (1 - value) / float(known.var())
    times = float(stdtrit(max(freedom, 1), 0.975))
    low, high = wilson(value, number, times)
    return Interval(value, low, high, undefined)


def wilson(value: float, number: float, times: float) -> tuple[float, float]:
    """Return Wilson's bounds (1927) of a share `value` of `number` items.

    `times` is the quantile, such as 1.96.
    """
    over = times**2 / number
    centre = (value + over / 2) / (1 + over)
    room = times / (1 + over) * math.sqrt((value * (1 - value) + over / 4) / number)
    return max(centre - room, 0.0), min(centre + room, 1.0)
