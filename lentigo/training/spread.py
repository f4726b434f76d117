"""Give the logits of several networks one standard deviation, or one distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.fold_thresholds import VALIDATION
from lentigo.models.calibration import Calibration, Ranks, Spread

_LEAST = 1e-6
"""Standard deviation, relative to the largest one, below which logits count as constant."""

_KNOTS, _DIGITS = 201, 7
"""Quantiles of a map by ranks, and their digits: 4 kB a network in `model.json`, which is
read up to a megabyte."""

_BEYOND = 0.25
"""Share of the range of the values by which the answers of images beyond all images of the
fit may differ. For drawn logits its AUC was above that of a constant (60 images of the fit,
no melanoma among them: 0.976 and 0.975; from 200 images on the same), and unlike with a
straight line also where one network has heavy tails."""


def of_one_spread(
    logits: Sequence[FloatArray], *, fitted_on: str = VALIDATION
) -> list[Calibration]:
    """Return for each network the line that gives its logits a common standard deviation.

    `logits` holds the logits of each network for the same N images, (N,) each. The common
    standard deviation is the geometric mean of the networks' own; the mean of each
    network's logits stays the same. So each network has the same influence on how the mean
    logit ranks the images, and the mean logit is about as large as without the lines. No
    label is used. `fitted_on` names the images.

    Returns an empty list if the logits of a network are constant, or if there are fewer
    than two images.
    """
    spreads = np.array([np.std(own) if len(own) > 1 else 0.0 for own in logits])
    if not spreads.min() > _LEAST * spreads.max():
        return []
    whole = float(np.exp(np.log(spreads).mean()))
    slopes = (whole / spreads).tolist()
    return [_line(own, slope, fitted_on) for own, slope in zip(logits, slopes, strict=True)]


def of_one_distribution(
    logits: Sequence[FloatArray], *, fitted_on: str = VALIDATION
) -> list[Calibration]:
    """Return for each network the map that replaces its logits by what their ranks say.

    `logits` holds the logits of each network for the same N images, (N,) each. A logit
    becomes the mean, over the networks, of the logits of its rank (`Ranks`); tied logits
    get the mean of their ranks. Logits beyond those of the N images keep their order. No
    label is used. `fitted_on` names the images.

    Returns an empty list if the logits of a network are constant, or if there are fewer
    than two images.
    """
    if any(len(own) < 2 or np.ptp(own) == 0 for own in logits):
        return []
    shares = np.linspace(0, 1, min(len(logits[0]), _KNOTS))
    common = np.mean([np.quantile(own, shares) for own in logits], axis=0)
    return [
        Calibration(map=_ranks(own, shares, common), fitted_on=fitted_on, n_images=len(own))
        for own in logits
    ]


def _ranks(logits: FloatArray, shares: FloatArray, common: FloatArray) -> Ranks:
    """Return the map from the quantiles of `logits` at `shares` to the values `common`."""
    table = pd.DataFrame({"knot": np.quantile(logits, shares), "value": common})
    tied = table.round(_DIGITS).groupby("knot", sort=True)["value"].mean().round(_DIGITS)
    values = np.maximum.accumulate(tied.to_numpy())  # rounding must not let a mean fall
    beyond = round(_BEYOND * float(values[-1] - values[0]), _DIGITS)
    return Ranks(
        knots=tuple(tied.index.tolist()), values=tuple(values.tolist()), beyond=beyond
    )


def _line(logits: FloatArray, slope: float, fitted_on: str) -> Calibration:
    intercept = float((1 - slope) * logits.mean())
    return Calibration(
        map=Spread(slope=slope, intercept=intercept),
        fitted_on=fitted_on,
        n_images=len(logits),
    )
