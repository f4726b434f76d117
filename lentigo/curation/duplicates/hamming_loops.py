"""The loops of the search for similar hashes, compiled by numba on their first call.

Import this module only to search hashes: numba takes a third of a second to load. The
compiled loops are stored beside this file or in numba's cache folder of the user, so that
compiling (some seconds) happens once per machine; if neither folder is writable, the loops
are compiled in each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Array = np.ndarray[Any, Any]
Loop = TypeVar("Loop", bound=Callable[..., Any])
Limits = tuple[Any, Any, Any]
Progress = tuple[Array, Array]


def compiled(loop: Loop) -> Loop:
    """Compile a loop by numba, cached on disk if possible; it runs without the GIL."""
    fast: Any
    try:
        fast = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba found no folder that it may write to
        fast = numba.njit(nogil=True)(loop)
    return cast("Loop", fast)


@compiled
def bits_set(value: Any) -> Any:
    """Return how many bits of a uint64 are set; LLVM makes one instruction of it."""
    value = value - ((value >> np.uint64(1)) & np.uint64(0x5555555555555555))
    value = (value & np.uint64(0x3333333333333333)) + (
        (value >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (value * np.uint64(0x0101010101010101)) >> np.uint64(56)


@compiled
def reordered(hashes: Array, order: Array) -> Array:
    """Return the hashes with bit `order[k]` moved to place k, which keeps distances."""
    out = np.zeros_like(hashes)
    for row in range(len(hashes)):
        value = hashes[row]
        moved = np.uint64(0)
        for place in range(64):
            moved |= ((value >> order[place]) & np.uint64(1)) << np.uint64(place)
        out[row] = moved
    return out


@compiled
def sorted_rows(hashes: Array, shifts: Array, widths: Array) -> Array:
    """Return the row numbers of N hashes sorted by a key, (N,) uint32.

    The key of a hash is made of some pieces of it: `widths[k]` bits from bit `shifts[k]`
    upwards. Rows with the same key keep their order: a radix sort by eleven bits at a time.
    """
    count = len(hashes)
    packed = np.empty(count, np.uint64)
    total = np.uint64(0)
    for piece in range(len(shifts)):
        total += widths[piece]
    for row in range(count):
        key = np.uint64(0)
        for piece in range(len(shifts)):
            mask = (np.uint64(1) << widths[piece]) - np.uint64(1)
            key = (key << widths[piece]) | ((hashes[row] >> shifts[piece]) & mask)
        packed[row] = (key << np.uint64(32)) | np.uint64(row)
    other = np.empty(count, np.uint64)
    digit = np.uint64(32)
    while digit < np.uint64(32) + total:
        places = np.zeros(2049, np.int64)
        for row in range(count):
            places[((packed[row] >> digit) & np.uint64(2047)) + np.uint64(1)] += 1
        for value in range(2048):
            places[value + 1] += places[value]
        for row in range(count):
            value = (packed[row] >> digit) & np.uint64(2047)
            other[places[value]] = packed[row]
            places[value] += 1
        packed, other = other, packed
        digit += np.uint64(11)
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.uint32)


@compiled
def same_key_pairs(hashes: Array, key: Any) -> int:
    """Return how many pairs of the sorted hashes agree in all bits of `key`."""
    pairs, begin = 0, 0
    for row in range(1, len(hashes) + 1):
        if row == len(hashes) or (hashes[row] ^ hashes[begin]) & key:
            pairs += (row - begin) * (row - begin - 1) // 2
            begin = row
    return pairs


@compiled
def bucket(hashes: Array, rows: Array, limits: Limits, begin: int) -> tuple[int, int]:
    """Return the end of the bucket that starts at `begin`, and where set b begins in it.

    A bucket holds the hashes that agree in the key; all numbers are positions in the sorted
    hashes. Set b are the hashes whose number in `rows` is at least the third of `limits`.
    """
    key, _, split = limits
    end, middle = begin, begin
    while end < len(hashes) and not (hashes[end] ^ hashes[begin]) & key:
        if rows[end] < split:
            middle = end + 1
        end += 1
    return end, middle


@compiled
def is_pair(differ: Any, most: Any, earlier: Array) -> bool:
    """Tell whether at most `most` bits differ, and at least one in each earlier piece.

    A pair that agrees in an earlier piece, too, is found with the key that contains that
    piece. So each pair comes once.
    """
    if bits_set(differ) > most:
        return False
    agree = 0
    for piece in earlier:
        agree += not differ & piece
    return agree == 0


@compiled
def next_pairs(
    hashes: Array, rows: Array, limits: Limits, earlier: Array, progress: Progress
) -> int:
    """Fill the second array of `progress`, (M, 2), with pairs of one key; return how many.

    `hashes` and `rows` are sorted by the key. `limits` are the bits of the key, the most
    bits that may differ, and the first row of set b (0 for a search within one set). The
    first array of `progress` is where to continue: the begin of the bucket, and the
    positions of the next pair; at the end the begin is N, the number of hashes. `earlier`
    are masks of bits: a pair that is equal in one of them is found by another key.
    """
    (_, most, split), (state, found) = limits, progress
    begin, left, right = state
    count = 0
    while begin < len(hashes):
        end, middle = bucket(hashes, rows, limits, begin)
        last = middle if split else end
        while left < last:
            right = max(right, left + 1, middle)
            while right < end and count < len(found):
                if is_pair(hashes[left] ^ hashes[right], most, earlier):
                    found[count, 0], found[count, 1] = rows[left], rows[right]
                    count += 1
                right += 1
            if right < end:
                state[0], state[1], state[2] = begin, left, right
                return count
            left, right = left + 1, 0
        begin, left = end, end
    state[0] = begin
    return count
