"""The loops that align one image with another, compiled by numba on their first call.

Import this module only to compare images: numba takes a third of a second to load.

OpenCV's `findTransformECC` (affine, from the same start) is not used: of 3,000 candidates
of HAM10000 that are different lesions it took 721 µs a pair with 5 steps, 3,073 with 50,
these loops 41, since they reject a pair early. That is 2 minutes for HAM10000's 132,000
candidates against 5 seconds. Of 634 pairs of an image and its altered copy (720 µs against
289) it accepted 99.2 %, these loops 97.5 %; and no more of the different lesions. One core,
CPU time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lentigo.curation.duplicates.hamming_loops import compiled

Array = np.ndarray[Any, Any]

HALF = 32
"""Half the side of the compared images, in pixels."""
MARGIN = 4
"""Pixels at the edge of image b that are left out, because their structure is only half
known."""
LEAST_OVERLAP = 0.6
"""Share of image b that must lie within image a. A crop to 90 % of the side keeps 0.81."""
MOST_SCALE, MOST_ASPECT = 1.33, 1.15
"""A pair is rejected beyond these scales, and beyond these ratios of the vertical and
horizontal scale. The pairs of ISIC 2017, confirmed by eye, have ratios up to 1.07,
because several archives cropped one photograph by hand."""

FIRST, SECOND, STEPS = 0.4, 0.65, 8
"""FIRST is the least correlation at the start, SECOND after two moves (both on every second
pixel); STEPS is the highest number of moves after that. Of altered copies 99.95 % have
at least 0.47 and 0.77; of the candidates that show different lesions 43 % and 8 % pass."""


@compiled
def turned(image: Array, turn: int) -> Array:
    """Return the (S, S) image flipped and transposed as `turn` (0 to 7) says, as floats."""
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
    """Sample image a at the pixels of image b, for the M pixels where they overlap: (M, 7).

    The first four columns are the derivatives of a with respect to the four numbers of
    `place` (x and y of the middle, scale across and down); the fifth is the value of a, the
    sixth is 1, the last is the value of b. Every `every`-th pixel is used in each
    direction. If the overlap is below `LEAST_OVERLAP`, M is 0.
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
    """Return the sums of products of each two columns of `overlap`: (7, 7)."""
    return np.dot(both.T, both)


@compiled
def correlation(sums: Array) -> float:
    """Pearson's correlation of the two images; 0 if one is flat or there is no overlap."""
    count, a, b = sums[5, 5], sums[4, 5], sums[5, 6]
    spread = (sums[4, 4] * count - a * a) * (sums[6, 6] * count - b * b)
    return (sums[4, 6] * count - a * b) / np.sqrt(spread) if spread > 1e-6 else 0.0


@compiled
def least_squares(sums: Array) -> Array:
    """Fit the last column of `overlap` by the first six; return the six coefficients.

    Gauss-Jordan elimination; the matrix is positive definite, so no pivot is sought.
    """
    table = sums[:6].copy()
    for i in range(6):
        # If the images have no structure that determines a shift, none is made.
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
    """Improve `place` once, in place; return how far the edge moved, in pixels, or -1.

    To first order b = gain * a(moved place) + offset; the least squares give gain times the
    change of the four numbers, gain, and offset. -1 means that the pair is rejected: the
    gain is below 0.05, or the scales are out of bounds.
    """
    answer = least_squares(sums)
    if answer[4] < 0.05:  # b is the negative of a, or unrelated to it
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
    """Return the correlation of b with a at the best place near `place`; 0 if rejected.

    The first three correlations use every second pixel, since nearly all pairs are rejected
    there.
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
    """Fill `found`, (M,), with the correlation of each of M pairs.

    `places`, (M, 4), is where the search of each pair starts. A row of `pairs` holds the
    row of a, the row of b, and the turn of b.
    """
    for row in range(len(pairs)):
        a = structure[pairs[row, 0]].astype(np.float32)
        b = turned(structure[pairs[row, 1]], pairs[row, 2])
        found[row] = one_pair(a, b, places[row].copy())
