"""The loops that lay one image upon another, compiled by numba on their first call.

Import this module only where images are compared: numba takes a third of a second to load.

OpenCV's `findTransformECC` (affine, from the same places) is not used: of 3,000 candidates
of HAM10000 that are unlike lesions it took 721 µs a pair with 5 steps, 3,073 with 50, these
loops 41, since they give a pair up early. That is 2 minutes for HAM10000's 132,000 against
5 seconds. Of 634 pairs with a made copy (720 µs against 289) it let 99.2 % pass, these
97.5 %; no more of the unlike ones. One core, CPU time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lentigo.curation.duplicates.hamming_loops import compiled

Array = np.ndarray[Any, Any]

HALF = 32
"""Half the side of the images."""
MARGIN = 4
"""Pixels at the border of image b that are left out: their structure is known in half."""
LEAST_OVERLAP = 0.6
"""Share of image b that must lie within image a. A crop to 90 % of the side keeps 0.81."""
MOST_SCALE, MOST_ASPECT = 1.33, 1.15
"""Beyond these scales, and ratios of the scales across and down, a pair is given up. The
pairs of ISIC 2017, seen by eye, have ratios up to 1.07, because several archives cropped
one photograph by hand."""

FIRST, SECOND, STEPS = 0.4, 0.65, 8
"""The least correlation before anything is moved, and after two moves judged on every
second pixel; the most moves after that. 99.95 % of made copies have 0.47 and 0.77; of the
candidates that are pictures of unlike lesions 43 % and 8 % pass."""


@compiled
def turned(image: Array, turn: int) -> Array:
    """(S, S) flipped as `turn` says, as floats."""
    side = len(image)
    out = np.empty((side, side), np.float32)
    for row in range(side):
        for column in range(side):
            y, x = (column, row) if turn & 4 else (row, column)
            x = side - 1 - x if turn & 1 else x
            y = side - 1 - y if turn & 2 else y
            out[row, column] = image[y, x]
    return out


@compiled
def overlap(a: Array, b: Array, place: Array, every: int) -> Array:
    """Sample image a at the pixels of image b, where the two overlap: (M, 7).

    The first four columns say how a changes with the four numbers of `place`, the fifth is
    its value, the sixth is 1, the last is b. Every `every`-th pixel is taken; with less
    than the least overlap there is none.
    """
    side, middle, inner = len(b), (len(b) - 1) / 2, range(MARGIN, len(b) - MARGIN, every)
    both = np.empty((len(inner) ** 2, 7))
    count = 0
    for row in inner:
        y = place[1] + place[3] * (row - middle)
        if not 0 <= y < side - 1:
            continue
        top, down = int(y), y - int(y)
        for column in inner:
            x = place[0] + place[2] * (column - middle)
            if not 0 <= x < side - 1:
                continue
            left, across = int(x), x - int(x)
            upper, step = a[top, left], a[top, left + 1] - a[top, left]
            lower, under = a[top + 1, left], a[top + 1, left + 1] - a[top + 1, left]
            rise = lower + under * across - upper - step * across
            slope = step + (under - step) * down
            both[count, 0], both[count, 1] = slope, rise
            both[count, 2], both[count, 3] = (
                slope * (column - middle),
                rise * (row - middle),
            )
            both[count, 4], both[count, 5] = upper + step * across + rise * down, 1.0
            both[count, 6] = b[row, column]
            count += 1
    if count < LEAST_OVERLAP * len(both):
        count = 0
    return both[:count]


@compiled
def products(both: Array) -> Any:
    """(7, 7): each column of `overlap` times each, summed; all that is asked is in it."""
    return np.dot(both.T, both)


@compiled
def correlation(sums: Array) -> float:
    """Pearson's, of the two images; 0 where one is flat or there is no overlap."""
    count, a, b = sums[5, 5], sums[4, 5], sums[5, 6]
    spread = (sums[4, 4] * count - a * a) * (sums[6, 6] * count - b * b)
    return (sums[4, 6] * count - a * b) / np.sqrt(spread) if spread > 1e-6 else 0.0


@compiled
def least_squares(sums: Array) -> Array:
    """The six numbers that make of the first six columns of `overlap` the best seventh.

    Gauss and Jordan; the matrix is positive definite, so no pivot is sought.
    """
    table = sums[:6].copy()
    for i in range(6):
        # Where the images hold nothing that tells a shift, none is made.
        table[i, i] = table[i, i] * (1 + 1e-4) + 1e-6
    for i in range(6):
        pivot = table[i, i]
        for k in range(7):
            table[i, k] /= pivot
        for j in range(6):
            share = table[j, i] if j != i else 0.0
            for k in range(7):
                table[j, k] -= table[i, k] * share
    return table[:, 6]


@compiled
def moved(sums: Array, place: Array) -> float:
    """Improve `place` once; return how far the border moved, in pixels, or -1 when lost.

    To first order b = gain * a(moved place) + offset; the least squares give gain times the
    change of the four numbers, gain, and offset.
    """
    answer = least_squares(sums)
    if answer[4] < 0.05:  # b would be the negative of a, or have nothing of it
        return -1.0
    furthest = 0.0
    for number in range(4):
        most = 2.0 if number < 2 else 0.05
        change = min(max(answer[number] / answer[4], -most), most)
        place[number] += change
        furthest = max(furthest, abs(change) * (1 if number < 2 else HALF))
    small, large = min(place[2], place[3]), max(place[2], place[3])
    if small * MOST_SCALE < 1 or large > MOST_SCALE or large > small * MOST_ASPECT:
        return -1.0
    return furthest


@compiled
def one_pair(a: Array, b: Array, place: Array) -> float:
    """The correlation of b with a in the best place near the given one.

    The first looks are at every second pixel, since nearly all pairs end there.
    """
    for look in range(3 + STEPS):
        sums = products(overlap(a, b, place, 2 if look < 3 else 1))
        if correlation(sums) < (FIRST if look < 2 else SECOND):
            return 0.0
        if look == 2:
            continue
        far = moved(sums, place)
        if far < 0:
            return 0.0
        if look > 2 and far < 0.02:
            break
    return correlation(products(overlap(a, b, place, 1)))


@compiled
def align(structure: Array, pairs: Array, places: Array, found: Array) -> None:
    """Fill `found`, (M,), with the correlation of each pair, from its place, (M, 4), on.

    A pair is the row of a, the row of b, and the turn of b.
    """
    for row in range(len(pairs)):
        a = structure[pairs[row, 0]].astype(np.float32)
        b = turned(structure[pairs[row, 1]], pairs[row, 2])
        found[row] = one_pair(a, b, places[row].copy())
