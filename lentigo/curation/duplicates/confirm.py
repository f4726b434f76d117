"""Decide if two images show the same picture: align them and correlate their structure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from lentigo.curation.duplicates.prints import PROBES, SIDE
from lentigo.curation.duplicates.search import Candidates

Array = np.ndarray[Any, Any]

LEAST_CORRELATION = 0.88
"""The least correlation of the fine structure of two aligned near-duplicates. Images of
different lesions of HAM10000 reach 0.85; of copies altered in every way at once, one in
a thousand has less than 0.895."""

# Turn 5 is flip and transpose, and is undone by the other flip and transpose.
_UNDONE = np.array([0, 1, 2, 3, 4, 6, 5, 7])
_PART = 512


def similarities(structure: Array, pairs: Candidates, *, pool: ThreadPoolExecutor) -> Array:
    """Return the correlation of each of M pairs, (M,); 0 for a pair that is rejected early.

    `structure` is (N, SIDE, SIDE) as in `Prints`. The position of image b in image a, first
    known from the hash, is refined by least squares on four numbers: a scale and a shift in
    each direction (Lucas & Kanade 1981; Baker & Matthews 2004,
    doi:10.1023/B:VISI.0000011205.11775.fd).
    """
    from lentigo.curation.duplicates import align_loops

    found = np.zeros(len(pairs))
    places = _places()

    def compare(start: int) -> None:
        part = slice(start, start + _PART)
        align_loops.align(
            structure,
            np.column_stack([pairs.a[part], pairs.b[part], _UNDONE[pairs.turn[part]]]),
            places[pairs.probe[part]],
            found[part],
        )

    for _ in pool.map(compare, range(0, len(pairs), _PART)):
        pass
    return found


def _places() -> Array:
    """Return the position of each probe in the image: (probes, 4).

    The columns are the x and y of its middle, in pixels, and its scale across and down.
    """
    left, top, side = np.array(PROBES).T
    middle = side / 2 * SIDE - 0.5
    return np.column_stack([left * SIDE + middle, top * SIDE + middle, side, side])
