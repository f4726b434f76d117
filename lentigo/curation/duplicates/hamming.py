"""Find all pairs of 64-bit hashes that differ in a few bits, without comparing all pairs.

Multi-index hashing (Norouzi, Punjani & Fleet 2014, "Fast exact search in Hamming space with
multi-index hashing", doi:10.1109/TPAMI.2013.231) in the form of a join: cut the hash into m
pieces; two hashes within b bits agree in at least m - b of them. So sort by each choice of
m - b pieces in turn and compare only hashes that agree in all of them (one bucket). No pair
is missed and none comes twice.

More pieces make longer keys, hence smaller buckets but more sorting. The best number is
estimated on a sample of the given hashes, because those of real images are far from
uniform: dermoscopy centres a dark lesion on bright skin.

faiss is not used: in one run on one core, of 50,000 clustered hashes within 6 bits, this
took 0.09 s; `IndexBinaryFlat` 1.54 s, `IndexBinaryMultiHash` 1.02 s, both with the same
pairs, and `IndexBinaryHash` 0.13 s with 61 % of them (`benchmarks/hamming.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from lentigo.errors import ConfigError

Array = np.ndarray[Any, Any]

BLOCK = 1 << 20
"""The highest number of pairs in a block (16 MB)."""

_SAMPLE = 1 << 14
_MOST_KEYS = 1000
_SORT, _COMPARE = 8.0, 1.0
"""Nanoseconds to sort one hash by one key (_SORT) and to compare two hashes (_COMPARE),
measured on one core at 400,000 hashes; only their ratio matters."""


def pairs_within(hashes: Array, *, bits: int) -> tuple[Array, Array]:
    """Return all pairs (i, j), i < j, of hashes that differ in at most `bits` bits.

    `hashes` is (N,) uint64; the two arrays (all i, all j) are int64, ordered by i and then
    j. All pairs are held in memory, 16 bytes each: if thousands of hashes are nearly equal,
    so that there are billions of pairs, use `pair_blocks` instead.

    Raises `ConfigError` if `bits` is not from 0 to 63 or `hashes` is not (N,) uint64.
    """
    return _ordered(pair_blocks(hashes, bits=bits))


def pairs_between(a: Array, b: Array, *, bits: int) -> tuple[Array, Array]:
    """Return all pairs (i, j) for which `a[i]` and `b[j]` differ in at most `bits` bits.

    Arguments, result and exceptions are those of `pairs_within`, for two sets of hashes.
    """
    return _ordered(pair_blocks_between(a, b, bits=bits))


def pair_blocks(hashes: Array, *, bits: int) -> Iterator[Array]:
    """Yield the pairs of `pairs_within` as unordered (M, 2) blocks, M at most `BLOCK`.

    A pair is two positions in `hashes` that differ in at most `bits` bits.

    Memory stays at some 40 bytes per hash plus one block, however many pairs there are.
    """
    _check(bits)
    return _blocks(_as_hashes(hashes), bits, split=0)


def pair_blocks_between(a: Array, b: Array, *, bits: int) -> Iterator[Array]:
    """Yield the pairs of `pairs_between` as unordered (M, 2) blocks, M at most `BLOCK`."""
    _check(bits)
    first, second = _as_hashes(a), _as_hashes(b)
    if len(first) == 0 or len(second) == 0:
        return iter(())
    offset = np.array([0, len(first)])
    both = np.concatenate([first, second])
    return (block - offset for block in _blocks(both, bits, split=len(first)))


@dataclass(frozen=True)
class _Pieces:
    """A cut of the 64 bits into m pieces of nearly equal length.

    Piece k is the `widths[k]` bits from bit `shifts[k]` upwards.
    """

    shifts: Array
    widths: Array

    @property
    def masks(self) -> Array:
        ones = (np.uint64(1) << self.widths) - np.uint64(1)
        return np.asarray(ones << self.shifts)


def _blocks(hashes: Array, bits: int, *, split: int) -> Iterator[Array]:
    from lentigo.curation.duplicates import hamming_loops as loops

    if len(hashes) < 2:
        return
    # A key has at most 32 bits; leaving out two pieces ensures it, even if bits is 0.
    spared = max(bits, 2)
    pieces, order = _plan(hashes, spared)
    hashes = loops.reordered(hashes, order)
    found = np.empty((BLOCK, 2), np.int64)
    masks = pieces.masks
    for chosen in combinations(range(len(masks)), len(masks) - spared):
        key = np.bitwise_or.reduce(masks[list(chosen)])
        rows = _sorted(hashes, pieces, chosen)
        others = [piece for piece in range(chosen[-1]) if piece not in chosen]
        state, limits = np.zeros(3, np.int64), (key, np.uint64(bits), np.uint32(split))
        ordered = hashes[rows]
        while state[0] < len(hashes):
            count = loops.next_pairs(ordered, rows, limits, masks[others], (state, found))
            if count:
                yield found[:count].copy()


def _sorted(hashes: Array, pieces: _Pieces, chosen: tuple[int, ...]) -> Array:
    from lentigo.curation.duplicates import hamming_loops as loops

    some = list(chosen)
    return np.asarray(loops.sorted_rows(hashes, pieces.shifts[some], pieces.widths[some]))


def _plan(hashes: Array, spared: int) -> tuple[_Pieces, Array]:
    """Return the cut of the bits with the lowest estimated cost, and the order of the bits.

    The bits are put into this order before they are cut. `spared` is the number of pieces
    that are not in a key.
    """
    rng = np.random.default_rng(0)
    sample = hashes
    if len(hashes) > _SAMPLE:
        sample = hashes[np.sort(rng.choice(len(hashes), _SAMPLE, replace=False))]
    options = [
        pieces
        for pieces in range(spared + 1, min(spared + 5, 64) + 1)
        if pieces == spared + 1
        or (_key_bits(pieces, spared) <= 32 and comb(pieces, spared) <= _MOST_KEYS)
    ]
    plans = [(_cut(m), _dealt(sample, m)) for m in options]
    costs = [_cost(sample, len(hashes), spared, plan) for plan in plans]
    return plans[int(np.argmin(costs))]


def _key_bits(pieces: int, spared: int) -> int:
    return (pieces - spared) * -(-64 // pieces)


def _cut(count: int) -> _Pieces:
    edges = np.linspace(0, 64, count + 1).round().astype(np.uint64)
    return _Pieces(edges[:-1], np.diff(edges))


def _dealt(sample: Array, count: int) -> Array:
    """Return an order of the bits that gives each piece an equal share of informative bits.

    A bit that is set in nearly all hashes does not distinguish them.
    """
    share = np.array(
        [(sample >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)]
    )
    best_first = np.argsort(np.abs(share - 0.5), kind="stable").astype(np.uint64)
    widths = _cut(count).widths.astype(int)
    places = [[] for _ in range(count)]  # type: list[list[np.uint64]]
    turn = iter(best_first)
    while any(len(place) < width for place, width in zip(places, widths, strict=True)):
        for place, width in zip(places, widths, strict=True):
            if len(place) < width:
                place.append(next(turn))
    return np.concatenate([np.array(place, np.uint64) for place in places])


def _cost(sample: Array, count: int, spared: int, plan: tuple[_Pieces, Array]) -> float:
    """Estimate the nanoseconds of a search by `plan` among `count` hashes, from a `sample`.

    `plan` and `spared` are as in `_plan`.
    """
    from lentigo.curation.duplicates import hamming_loops as loops

    pieces, order = plan
    hashes, masks = loops.reordered(sample, order), pieces.masks
    keys = comb(len(masks), spared)
    chosen = list(combinations(range(len(masks)), len(masks) - spared))[:: -(-keys // 12)]
    pairs = [
        loops.same_key_pairs(
            hashes[_sorted(hashes, pieces, some)],
            np.bitwise_or.reduce(masks[list(some)]),
        )
        for some in chosen
    ]
    growth = (count / max(len(sample), 1)) ** 2
    return float(keys * (count * _SORT + np.mean(pairs) * growth * _COMPARE))


def _check(bits: int) -> None:
    if not 0 <= bits <= 63:
        raise ConfigError(f"bits is {bits}; give 0 (the same hash) to 63.")


def _as_hashes(hashes: Array) -> Array:
    hashes = np.ascontiguousarray(hashes)
    if hashes.dtype != np.uint64 or hashes.ndim != 1 or len(hashes) >= 2**32:
        raise ConfigError(
            f"Hashes are (N,) uint64, not {hashes.shape} {hashes.dtype}; pack 64 bits each."
        )
    return hashes


def _ordered(blocks: Iterator[Array]) -> tuple[Array, Array]:
    pairs = np.concatenate([np.empty((0, 2), np.int64), *blocks])
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs[:, 0], pairs[:, 1]
