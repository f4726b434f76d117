"""Bring the logits of several networks to one spread, where no label can calibrate them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.models.calibration import Calibration, Spread

_LEAST = 1e-6
"""Spread, as a share of the largest, below which the answers of a network are all alike."""


def of_one_spread(
    logits: Sequence[FloatArray], *, fitted_on: str = VALIDATION
) -> list[Calibration]:
    """Return for each network a line that gives its logits the spread of all.

    `logits` are those of each network for the same images, (N,) each. The spread is the
    standard deviation over these images, and that of all is the geometric mean of them; the
    mean of each network's logits stays where it is. So each network counts alike in the
    order that their mean gives to images, and the size of the mean is that of a plain mean.
    No label is used. `fitted_on` names the images.

    Returns no line where the answers of one of the networks are all alike, or there are
    fewer than two images.
    """
    spreads = np.array([np.std(own) if len(own) > 1 else 0.0 for own in logits])
    if not spreads.min() > _LEAST * spreads.max():
        return []
    whole = float(np.exp(np.log(spreads).mean()))
    slopes = (whole / spreads).tolist()
    return [_line(own, slope, fitted_on) for own, slope in zip(logits, slopes, strict=True)]


def _line(logits: FloatArray, slope: float, fitted_on: str) -> Calibration:
    intercept = float((1 - slope) * logits.mean())
    return Calibration(
        map=Spread(slope=slope, intercept=intercept),
        fitted_on=fitted_on,
        n_images=len(logits),
    )
