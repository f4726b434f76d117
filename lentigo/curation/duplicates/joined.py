"""The near-duplicates found so far, bounded if thousands of images are nearly the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray[Any, Any]

MOST_PARTNERS = 50
"""Two images that have at least this number of partners each, and are already linked
through other pairs, are not compared. Without this limit 50,000 nearly equal images
would make 1.2 billion pairs. The limit does not change the groups. No image of ISIC 2017
or HAM10000 has more than 5 partners."""


class Joined:
    """Pairs among `count` images, each with its best similarity."""

    def __init__(self, count: int) -> None:
        self._count = count
        # A pair a < b is one number, a * count + b; kept in order.
        self._pairs = np.empty(0, np.int64)
        self._similarity = np.empty(0)

    def still_open(self, a: Array, b: Array) -> Array:
        """Return which of M pairs are worth comparing, (M,) bool; see `MOST_PARTNERS`."""
        ends = self._ends()
        crowded = np.bincount(ends.ravel(), minlength=self._count) >= MOST_PARTNERS
        if not crowded.any():
            return np.ones(len(a), dtype=bool)
        shape = (self._count, self._count)
        graph = coo_array((np.ones(len(self._pairs)), (ends[0], ends[1])), shape=shape)
        _, group = connected_components(graph, directed=False)
        return np.asarray(~(crowded[a] & crowded[b] & (group[a] == group[b])))

    def add(self, a: Array, b: Array, similarity: Array) -> None:
        """Add pairs; a pair already present keeps the higher similarity."""
        new = np.minimum(a, b) * self._count + np.maximum(a, b)
        pairs = np.concatenate([self._pairs, new])
        values = np.concatenate([self._similarity, similarity])
        best_first = np.lexsort((-values, pairs))
        self._pairs, first = np.unique(pairs[best_first], return_index=True)
        self._similarity = values[best_first][first]

    def pairs(self) -> list[tuple[int, int, float]]:
        """Return all pairs as (a, b, similarity), a < b, sorted by a and then b."""
        return list(zip(*self._ends().tolist(), self._similarity.tolist(), strict=True))

    def _ends(self) -> Array:
        return np.array(np.divmod(self._pairs, max(self._count, 1)))
