"""Deal whole groups into parts so that each part resembles the whole: pure arithmetic.

A group is a row of counts, one for each class of some variable (melanomas, images of the
torso, images of one archive …). The cost to minimise is the sum over parts and classes of
weight × (count − share × total)² / (share × total): a chi-square, so that a rare site
matters as much as a common one. The method follows iterative stratification (Sechidis et
al. 2011, doi:10.1007/978-3-642-23808-6_10), which deals single images of one label each;
groups have many images of several classes, so exchanges of groups improve the result
afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_TRIED = 400
"""The highest number of groups considered for an exchange in one step."""
_STEPS = 3_000
"""The highest number of exchange steps. On SIIM-ISIC 2020 and HAM10000 the shares are as
even after 2,000 as after 20,000."""
_LEAST_GAIN = 1e-9
"""A smaller gain is a rounding error: exchanges without gain could go on for ever."""


def deal(
    counts: Array, *, weights: Array, shares: Sequence[float], classes: int, seed: int
) -> Array:
    """Return the part, 0 to P - 1, of each of G groups, so that parts are alike: (G,).

    `counts`, (G, V), holds the number of images of each of V classes in each group;
    `weights`, (V,), their weights in the cost; `shares`, (P,), the share of the images in
    each of P parts, which add up to 1. For each of the first `classes` columns every part
    gets at least one group, if there are as many such groups as parts. The random `seed`
    decides between groups with the same counts and where exchanges are tried; for a
    reproducible result, sort the groups.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    # The largest groups of the first class come first: they are hardest to place.
    keys = [-counts[order, column] for column in reversed(range(counts.shape[1]))]
    order = order[np.lexsort(keys)]
    dealt = _Deal(counts[order].astype(float), weights, np.asarray(shares), classes)
    dealt.place_one_of_each()
    dealt.fill()
    dealt.mend(rng)
    parts = np.empty(len(order), dtype=np.intp)
    parts[order] = dealt.parts
    return parts


class _Deal:
    """The groups, the part of each (-1: none yet), and each part's gap to its target."""

    def __init__(self, counts: Array, weights: Array, shares: Array, classes: int) -> None:
        self.counts, self.shares = counts, shares
        self.has = (counts[:, :classes] > 0).astype(int)  # (G, C)
        self.parts = np.full(len(counts), -1, dtype=np.intp)
        target = np.outer(shares, counts.sum(axis=0))  # (P, V)
        self.off = -target
        self.owners = np.zeros((len(shares), classes), dtype=int)
        # A class without any image has weight 0.
        self.weight = np.divide(
            weights, target, out=np.zeros_like(target), where=target > 0
        )

    def put(self, group: int, part: int) -> None:
        """Move one group to a part, from another part or from none."""
        if (old := self.parts[group]) >= 0:
            self.off[old] -= self.counts[group]
            self.owners[old] -= self.has[group]
        self.parts[group] = part
        self.off[part] += self.counts[group]
        self.owners[part] += self.has[group]

    def place_one_of_each(self) -> None:
        """Give every part one group of each class; groups of several classes come first.

        The smallest groups are used, so that they do not fill a small part.
        """
        worth = self.has.sum(axis=1)
        for group in np.lexsort([-np.arange(len(worth)), -worth]):
            lacking = self.owners == 0  # (P, C)
            if not lacking.any():
                return
            fits = (lacking | (self.has[group] == 0)).all(axis=1)
            if worth[group] and fits.any():
                self.put(int(group), int(np.argmax(fits)))

    def fill(self) -> None:
        """Deal out all other groups one after another, each to the cheapest part.

        Groups with equal counts are first divided by the shares, and only the remainder is
        compared by cost: 400,000 single images cost no more than their few hundred kinds.
        """
        for alike in _alike(self.counts, np.flatnonzero(self.parts < 0)):
            each = np.floor(len(alike) * self.shares).astype(int)
            whole = int(each.sum())
            self.parts[alike[:whole]] = np.repeat(np.arange(len(each)), each)
            self.off += each[:, None] * self.counts[alike[0]]
            self.owners += each[:, None] * self.has[alike[0]]
            counts = self.counts[alike[0]]
            for group in alike[whole:]:
                cost = (self.weight * counts * (2 * self.off + counts)).sum(axis=1)
                self.put(int(group), int(np.argmin(cost)))

    def mend(self, rng: np.random.Generator) -> None:
        """Exchange two groups, or move one, as long as this lowers the cost."""
        idle = 0
        turn = rng.permutation(len(self.parts))
        for step in range(_STEPS):
            if idle > len(turn):
                return
            idle = 0 if self._step(int(turn[step % len(turn)]), rng) else idle + 1

    def _step(self, group: int, rng: np.random.Generator) -> bool:
        here, count = self.parts[group], len(self.parts)
        others = np.arange(count) if count <= _TRIED else rng.integers(count, size=_TRIED)
        others = others[self.parts[others] != here]
        # The last rows, one for each part, are exchanges with nothing, that is, moves.
        there = np.concatenate([self.parts[others], np.arange(len(self.off))])
        back = np.concatenate([self.counts[others], np.zeros_like(self.off)])
        has = np.concatenate([self.has[others], np.zeros_like(self.owners)])
        goes = self.counts[group] - back  # (M, V), from here to there
        gain = (self.weight[here] * (2 * self.off[here] - goes) * goes).sum(axis=1)
        gain -= (self.weight[there] * (2 * self.off[there] + goes) * goes).sum(axis=1)
        has = self.has[group] - has
        robbed = (self.owners[here] - has <= 0) & (has > 0)
        robbed |= (self.owners[there] + has <= 0) & (has < 0)
        gain[robbed.any(axis=1) | (there == here)] = 0
        best = int(np.argmax(gain))
        if gain[best] <= _LEAST_GAIN:
            return False
        self.put(group, int(there[best]))
        if best < len(others):
            self.put(int(others[best]), int(here))
        return True


def _alike(counts: Array, groups: Array) -> list[Array]:
    """Divide `groups`, row numbers of `counts`, (G, V), into runs of equal counts.

    Groups with equal counts must be neighbours in `groups`; they are not sorted here.
    """
    rows = counts[groups]
    change = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    return np.split(groups, change) if len(groups) else []
