"""Which lesion of a patient differs most from that patient's others: the ugly duckling.

Moles of one person resemble each other, and a melanoma often looks like none of them (Grob
& Bonerandi 1998, doi:10.1001/archderm.134.1.103-a). As in Soenksen et al. 2021
(doi:10.1126/scitranslmed.abb3652) and Mohseni et al. 2021 (arXiv:2105.08597), lesions are
compared by the features of a network; here robustly, and with few lesions by what is usual
in the whole table.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FEWEST = 3
"""Lesions that a patient must have: of two, neither is the odd one."""
PARTS = 16
"""Directions, at most, in which lesions are compared."""
PRIOR = 5.0
"""Lesions that the spread of the whole table counts as, beside those of the patient."""
MOST = 100.0
"""The largest answer: of lesions that are all the same but one, no number tells how odd."""
_LEAST = 0.5
"""What is usual in one direction, at least, as a share of what is so in all of them. So a
patient of four lesions or more gets, alone in a table, at most about twice the number that
it gets among others (medians of 40 draws each, with one planted odd lesion)."""
_NORMAL = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
_MEDIAN = math.pi / 2
"""Variance of the median of n over that of the mean of n, for a normal distribution."""


def oddness(features: FloatArray, patient: NDArray[np.intp]) -> FloatArray:
    """Return how far each lesion is from the others of its patient, (L, F) to (L,).

    `patient` is (L,), counted from 0. Lesions are compared in the at most 16 directions in
    which the lesions of a patient differ most. In each, the distance from the median of
    the patient's *other* lesions is divided by a spread: their median absolute deviation,
    shrunk to that of the whole table (which counts as five lesions), and widened by the
    uncertainty of that median. The root of the mean square is the answer: about 1 is
    usual, and 100 the most. NaN for a patient with fewer than three lesions.
    """
    found = np.full(len(patient), np.nan)
    counts = np.bincount(patient) if len(patient) else np.zeros(0, dtype=int)
    places = [np.flatnonzero(patient == each) for each in np.flatnonzero(counts >= FEWEST)]
    if not places:
        return found
    compared = np.concatenate(places)
    beyond = np.concatenate(
        [features[each] - np.median(features[each], axis=0) for each in places]
    )
    if not beyond.any():  # all lesions of every patient are the same
        found[compared] = 0.0
        return found
    turned = _directions(beyond)
    inside = features @ turned
    usual = _usual(beyond @ turned)
    for each in places:
        for nth, place in enumerate(each):
            found[place] = _distance(inside[place], np.delete(inside[each], nth, 0), usual)
    found[compared] = np.minimum(found[compared], MOST)
    return found


def _usual(beyond: FloatArray) -> FloatArray:
    """Return what is usual in each direction, (L, K) to (K,), and never next to nothing.

    In a table of few lesions a direction may be that of one odd lesion alone, in which all
    others are the same by chance; their spread there would say nothing.
    """
    spread = _spread(beyond)
    whole = float(np.median(np.linalg.norm(beyond, axis=1))) / math.sqrt(beyond.shape[1])
    least = max(_LEAST * whole, 1e-9 * float(np.abs(beyond).max()))
    return np.maximum(spread, least)


def _directions(beyond: FloatArray) -> FloatArray:
    """Return the directions, (F, K), in which lesions of a patient differ most."""
    spread = _spread(beyond)
    scale = np.where(spread > 0, spread, np.maximum(beyond.std(axis=0), 1e-12))
    # No single odd lesion may turn the directions: beyond 3 spreads it counts as 3.
    held = np.clip(beyond / scale, -3, 3)
    _, sizes, axes = np.linalg.svd(held, full_matrices=False)
    kept = sizes[:PARTS] > 1e-6 * max(float(sizes[0]), 1e-12)
    return np.asarray((axes[:PARTS][kept] / scale).T)


def _spread(values: FloatArray) -> FloatArray:
    middle = np.median(values, axis=0)
    return np.asarray(_NORMAL * np.median(np.abs(values - middle), axis=0))


def _distance(own: FloatArray, others: FloatArray, usual: FloatArray) -> float:
    count = len(others)
    variance = (count * _spread(others) ** 2 + PRIOR * usual**2) / (count + PRIOR)
    away = own - np.median(others, axis=0)
    return float(np.sqrt(np.mean(away**2 / (variance * (1 + _MEDIAN / count)))))
