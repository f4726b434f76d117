"""Occlusion: how the output of a model of any engine changes when parts are covered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lentigo.explanation.too_slow import check_time
from lentigo.models.backend import Images, Predictor
from lentigo.models.metadata import Metadata, Patients

Maps = NDArray[np.float32]

GRID, WINDOW = 9, 0.2
"""Number of windows along a side, and the side of a window as a share of the image's
side."""
_BATCH = 27


def occlusion(
    predictor: Predictor, squares: Images, *, patient: Patients | None = None
) -> Maps:
    """Return occlusion maps, (N, S, S), of `squares`, (N, S, S, 3).

    `patient` is the one patient of all the images, for a network that takes age, sex and
    site; by default they are unknown.

    Zeiler & Fergus 2014, arXiv:1311.2901: 9 × 9 windows are replaced, one at a time, by a
    strongly blurred copy of the image. A pixel gets the mean fall of the logit of melanoma
    over all windows that contain it, or 0 where the logit rose on average.
    """
    return np.stack([_one(predictor, square, patient) for square in squares])


def _one(predictor: Predictor, square: Images, patient: Patients | None) -> Maps:
    side = len(square)
    plain = blurred(square)
    width = max(1, round(WINDOW * side))
    starts = np.linspace(0, side - width, GRID).round().astype(int)
    places = [(top, left) for top in starts for left in starts]
    covered = np.repeat(square[None], len(places), axis=0)
    for image, (top, left) in zip(covered, places, strict=True):
        part = np.s_[top : top + width, left : left + width]
        image[part] = plain[part]
    shown = np.concatenate([square[None], covered])
    logits = logits_of(predictor, shown, patient=patient)
    total, count = np.zeros((side, side)), np.zeros((side, side))
    for fall, (top, left) in zip(logits[0] - logits[1:], places, strict=True):
        part = np.s_[top : top + width, left : left + width]
        total[part] += fall
        count[part] += 1
    return np.asarray(np.maximum(total / np.maximum(count, 1), 0), np.float32)


def logits_of(
    predictor: Predictor, squares: Images, *, patient: Patients | None = None
) -> NDArray[np.float64]:
    """Return the logit of melanoma of each of N squares, not mirrored or turned: (N,).

    `patient` is as in `occlusion`. Raises `TooSlowError` within `given_up_at`.
    """
    parts = []
    for at in range(0, len(squares), _BATCH):
        check_time()
        part = np.ascontiguousarray(squares[at : at + _BATCH])
        beside: dict[str, Metadata] = {}
        if (numbers := numbers_of(predictor, patient)) is not None:
            beside["metadata"] = np.repeat(numbers, len(part), axis=0)
        parts.append(predictor.answers(part, looks=1, **beside)[0])
    return np.concatenate(parts)


def numbers_of(predictor: Predictor, patient: Patients | None) -> Metadata | None:
    """Return age, sex and site of one patient as a network takes them, (1, M).

    None for a network that does not take them, and without a patient.
    """
    if patient is None or predictor.metadata is None:
        return None
    return predictor.metadata.encode(patient)


def blurred(square: Images) -> Images:
    """Return the image, (S, S, 3), blurred until no structure can be recognised."""
    width = max(1.0, 0.1 * len(square))
    soft = gaussian_filter(
        square.astype(np.float32), (width, width, 0), mode="mirror", truncate=3
    )
    return np.rint(soft).astype(np.uint8)
