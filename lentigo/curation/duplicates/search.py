"""Search for pairs of images that may show the same picture, by hashes of their parts.

The hash of each whole image is compared with the hashes of all parts of all others, in each
turn: a cropped copy, as a whole, equals a part of its original.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lentigo.curation.duplicates import hamming

Array = np.ndarray[Any, Any]

MOST_BITS = 8
"""The highest number of the 63 bits in which candidates differ. Of copies that were turned,
cropped, resized, brightened and recompressed at once, 99.9 % are within 8, 99 % within
6. Twice as many images give four times as many candidates: 132,000 among HAM10000's
8,013."""

_ROWS = 4096
GATHERED = 1 << 20
"""Candidates are compared in batches of about this size; a batch may exceed it by one block
(100 MB)."""


@dataclass(frozen=True)
class Candidates:
    """M pairs of images that may show the same picture; all arrays are (M,) integers.

    `a` and `b` are row numbers of images. Part `probe` of `a` (0 is the whole) has, in turn
    `turn`, nearly the hash of the whole of `b`; both index the hashes in `candidates`.
    """

    a: Array
    b: Array
    turn: Array
    probe: Array

    def __len__(self) -> int:
        return len(self.a)

    def take(self, chosen: Array) -> Candidates:
        """Return the pairs that `chosen` names, by positions or by a mask, (M,)."""
        return Candidates(
            self.a[chosen], self.b[chosen], self.turn[chosen], self.probe[chosen]
        )


def candidates(hashes: Array) -> Iterator[Candidates]:
    """Yield the candidate pairs among N images in batches; `hashes` is (N, probes, turns).

    A batch holds each pair in one turn at most once, with the part that fits best. Its size
    is bounded, so memory does not grow with the number of candidates.
    """
    probes, turns = hashes.shape[1:]
    whole = np.ascontiguousarray(hashes[:, 0, 0])
    for start in range(0, len(hashes), _ROWS):
        parts = hashes[start : start + _ROWS].reshape(-1)
        for hits in _gathered(
            hamming.pair_blocks_between(parts, whole, bits=MOST_BITS), GATHERED
        ):
            image, rest = np.divmod(hits[:, 0], probes * turns)
            probe, turn = np.divmod(rest, turns)
            found = Candidates(image + start, hits[:, 1], turn, probe)
            bits = np.bitwise_count(parts[hits[:, 0]] ^ whole[hits[:, 1]])
            yield _best(found, bits)


def _best(found: Candidates, bits: Array) -> Candidates:
    """Keep one entry per pair and turn; two whole images only with `a` below `b`."""
    useful = np.where(found.probe == 0, found.a < found.b, found.a != found.b)
    found, bits = found.take(useful), bits[useful]
    order = np.lexsort((found.probe, bits, found.turn, found.b, found.a))
    found = found.take(order)
    new = np.ones(len(found), dtype=bool)
    new[1:] = (np.diff(found.a) != 0) | (np.diff(found.b) != 0) | (np.diff(found.turn) != 0)
    return found.take(new)


def _gathered(blocks: Iterable[Array], size: int) -> Iterator[Array]:
    """Yield the blocks, joined until they hold `size` rows or more."""
    waiting: list[Array] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= size:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
