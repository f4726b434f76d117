"""Oddness: how far a lesion differs from the same patient's others (ugly duckling sign).

Moles of one person resemble each other, and a melanoma often looks like none of them (Grob
& Bonerandi 1998, doi:10.1001/archderm.134.1.103-a). As in Soenksen et al. 2021
(doi:10.1126/scitranslmed.abb3652) and Mohseni et al. 2021 (arXiv:2105.08597), lesions are
compared by the features of a network. Here median and median absolute deviation are used,
shrunk towards those of the whole table where a patient has few lesions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FEWEST = 3
"""Least number of lesions of a patient: of two, neither can be called the odd one."""
PARTS = 16
"""Most directions (principal axes) of feature space in which lesions are compared."""
PRIOR = 5.0
"""Weight of the whole table's variance, in lesions, beside that of a patient's lesions."""
MOST = 100.0
"""The largest oddness: if all lesions but one are the same, its true value is unbounded."""
_LEAST = 0.5
"""Lower bound of the deviation in one direction, as a share of the typical deviation over
all directions. With it, the oddness of a lesion of a patient with four lesions or more is,
when that patient is alone in a table, at most about twice its oddness in a table with other
patients (medians of 40 draws each, with one planted odd lesion)."""
_SPARSE = 0.5
"""Lower bound of a feature's scaled median absolute deviation, as a share of its standard
deviation."""
_NORMAL = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
_MEDIAN = math.pi / 2
"""Variance of the median of n over that of the mean of n, for a normal distribution."""


def oddness(features: FloatArray, patient: NDArray[np.intp]) -> FloatArray:
    """Return the oddness of each of L lesions from their F `features`: (L, F) to (L,).

    `patient`, (L,), numbers the patients from 0. Lesions are compared in the at most 16
    directions in which lesions of the same patient differ most. In each direction, the
    distance from the median of the patient's *other* lesions is divided by a standard
    deviation: their scaled median absolute deviation, shrunk towards that of the whole
    table (which counts as five lesions), and widened by the uncertainty of the median.
    Oddness is the root mean square over directions: about 1 is usual, 100 the most. It is
    NaN for a patient with fewer than three lesions, and 0 if no patient's lesions differ.
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
    """Return the usual deviation in each of K directions, (L, K) to (K,), bounded below.

    `beyond` are the deviations of L lesions from their patient's median. In a table of few
    lesions one odd lesion alone may define a direction in which all others are the same by
    chance; the deviation in it would be near 0.
    """
    spread = _spread(beyond)
    whole = float(np.median(np.linalg.norm(beyond, axis=1))) / math.sqrt(beyond.shape[1])
    least = max(_LEAST * whole, 1e-9 * float(np.abs(beyond).max()))
    return np.maximum(spread, least)


def _directions(beyond: FloatArray) -> FloatArray:
    """Return the K directions, (F, K), in which lesions of the same patient differ most.

    `beyond`, (N, F), has the features of each lesion minus the usual ones of its patient.
    """
    # Most features are 0 for most lesions: their median absolute deviation is no scale.
    scale = np.maximum(_spread(beyond), _SPARSE * beyond.std(axis=0))
    scale = np.maximum(scale, 1e-12)
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
