"""Random deals: whole groups of images assigned at random to two sides (see drift)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import DatasetError
from lentigo.words import counted

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Dealt = Any
"""A sparse matrix, (D, G): 1 where a deal has a group on the side of fewer groups."""

FEWEST_GROUPS = 8
"""With fewer groups on a side, the permutation test is of no use."""
_AT_ONCE = 1000
"""Most deals held in memory at once."""
_UNLIKE = 1.1
"""Ratio of the mean of 1 / (images of a group) from which one image a group is drawn."""
_ENTRIES = 4_000_000
"""Most groups of all deals that are held in memory at once."""


class _Grouped(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> NDArray[np.object_]: ...


class Deals:
    """The groups of a reference and a period, and random assignments to the two sides.

    Each assignment keeps the number of groups on each side. `seed` is that of the images
    that `one_each` draws. Raises `DatasetError` when a
    side has fewer than `FEWEST_GROUPS` groups.
    """

    def __init__(self, reference: _Grouped, period: _Grouped, *, seed: int = 0) -> None:
        codes, counts = zip(*(_codes(side) for side in (reference, period)), strict=True)
        first, second = counts
        self.count = first + second
        self.reference, self.period = codes[0], codes[1] + first
        """The group of each image on either side, integers from 0. A patient with images on
        both sides counts as two groups."""
        self.groups = np.concatenate([self.reference, self.period])
        self._order = np.random.default_rng(seed).permutation(len(self.groups))
        self.draws = False
        """Whether `one_each` had to draw images."""
        self._is_period = second <= first
        """Whether the period is the side that is dealt: that of fewer groups."""
        self._own = np.arange(first, self.count) if self._is_period else np.arange(first)

    @property
    def chance_alike(self) -> float:
        """Return the chance that a deal divides the groups as they really are.

        Two sides of equally many groups may also be exchanged.
        """
        few = len(self._own)
        ways = (
            math.lgamma(self.count + 1)
            - math.lgamma(few + 1)
            - math.lgamma(self.count - few + 1)
        )
        return (2 if 2 * few == self.count else 1) * math.exp(-ways)

    def real(self) -> Dealt:
        """Return the real assignment, as the only deal of a matrix."""
        return self._matrix(self._own[None])

    def drawn(self, rng: np.random.Generator, number: int) -> Iterator[Dealt]:
        """Yield `number` random assignments, in matrices of 1,000 deals or fewer."""
        few = len(self._own)
        most = max(1, min(_AT_ONCE, _ENTRIES // few))
        for start in range(0, number, most):
            rows = range(min(most, number - start))
            yield self._matrix(
                np.stack(
                    [
                        rng.choice(self.count, few, replace=False, shuffle=False)
                        for _ in rows
                    ]
                )
            )

    def _matrix(self, chosen: IntArray) -> Dealt:
        from scipy.sparse import csr_matrix

        deals, few = chosen.shape
        ends = np.arange(0, deals * few + 1, few)
        shape = (deals, self.count)
        return csr_matrix((np.ones(deals * few), chosen.ravel(), ends), shape=shape)

    def one_each(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the images where `known` is True are compared, (N,).

        All of them, or a random one of each group if the groups of one side have more of
        them than those of the other. What several images tell of a patient together
        scatters less than one does: without a change, sides of single images would be
        further apart than any deal.
        """
        there = np.flatnonzero(known)
        if not len(there):
            return known
        sizes = np.bincount(self.groups[there], minlength=self.count)
        first = int(self.reference.max()) + 1
        each = [1 / own[own > 0] for own in (sizes[:first], sizes[first:])]
        if not all(len(own) for own in each):
            return known
        means = sorted(float(own.mean()) for own in each)
        if means[1] < _UNLIKE * means[0]:
            return known
        self.draws = True
        mixed = there[np.argsort(self._order[there], kind="stable")]
        chosen = mixed[np.unique(self.groups[mixed], return_index=True)[1]]
        return np.isin(np.arange(len(known)), chosen)

    def table(self, codes: IntArray, known: NDArray[np.bool_]) -> csr_matrix:
        """Return the share of each group's images with each code, (G, C); for `counts`.

        `codes` (integers from 0) are those of the images of the reference, then of the
        period; images where `known` is False are not counted. Each group counts once: where
        the reference has several images a patient and the period one, a single image would
        else be a larger share of the real period than of any deal, and so an alarm.
        """
        from scipy.sparse import csr_matrix

        groups = self.groups[known]
        shape = (self.count, int(codes.max(initial=0)) + 1)
        weights = 1 / np.bincount(groups, minlength=self.count)[groups]
        return csr_matrix((weights, (groups, codes[known])), shape=shape)

    def mean(self, values: FloatArray, known: NDArray[np.bool_]) -> float:
        """Return the mean of `values`, (N,), where `known`; each group counts once."""
        groups = self.groups[known]
        weights = 1 / np.bincount(groups, minlength=self.count)[groups]
        return float(np.average(values[known], weights=weights))

    def counts(self, table: csr_matrix, dealt: Dealt) -> tuple[FloatArray, FloatArray]:
        """Return the groups with each code in reference and period of D deals, (D, C)."""
        own = np.asarray((dealt @ table).toarray(), dtype=np.float64)
        rest = np.asarray(table.sum(axis=0), dtype=np.float64) - own
        return (rest, own) if self._is_period else (own, rest)

    def of_period(self, dealt: Dealt, groups: IntArray) -> FloatArray:
        """Return 1 where a deal has the group of an image in the period, else 0; (D, N)."""
        own = np.asarray(dealt[:, groups].toarray(), dtype=np.float64)
        return own if self._is_period else 1 - own


def _codes(side: _Grouped) -> tuple[IntArray, int]:
    codes, own = pd.factorize(pd.Series(side.groups).astype("string"))
    if len(own) < FEWEST_GROUPS:
        raise DatasetError(
            f"{side.name} has images of {counted(len(own), 'group')} (patients, else "
            f"lesions, else images); at least {FEWEST_GROUPS} are needed, or nothing tells "
            "a change from chance."
        )
    return codes.astype(np.int64), len(own)
