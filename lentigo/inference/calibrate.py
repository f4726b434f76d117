"""Fit the recalibration of a model's logits on images that it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from lentigo.evaluation.choosing import measured
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.models.calibration import (
    LARGEST,
    METHODS,
    Beta,
    Calibration,
    Compared,
    Isotonic,
    Map,
    NoCalibration,
    Platt,
    Temperature,
)

FOLDS = 5
FEWEST_GROUPS = 10
"""Least number of groups with a melanoma image, and of groups with another image; with
fewer nothing is fitted."""
_MOST_KNOTS = 1000


@dataclass(frozen=True)
class Labelled:
    """Labelled images: label `truth`, model's `logits` and `group` number, (N,) each."""

    truth: BoolArray
    logits: FloatArray
    group: IntArray
    untold: FloatArray | None = None
    """The logits without age, sex and site, (N,), where the images have these and the model
    takes them; else None."""

    def part(self, rows: np.ndarray) -> Labelled:
        """Return the images at the positions `rows`."""
        untold = None if self.untold is None else self.untold[rows]
        return Labelled(self.truth[rows], self.logits[rows], self.group[rows], untold)

    @property
    def enough(self) -> bool:
        """Tell whether both classes have images of at least `FEWEST_GROUPS` groups."""
        sides = (self.group[self.truth], self.group[~self.truth])
        return min(len(np.unique(side)) for side in sides) >= FEWEST_GROUPS


def fit_calibration(
    images: Labelled, *, fitted_on: str, methods: Sequence[str] = METHODS
) -> Calibration:
    """Fit each of the `methods` and return the simplest that is as good as the best.

    A method is as good as the best if its cross-validated log-loss exceeds the lowest by at
    most one standard error of the difference, computed over groups: a larger difference is
    less likely to be chance. `methods` are ordered, the simplest first. No group is both
    in the fitted and in the left-out part of a fold. With too few groups to compare
    (`Labelled.enough` is False) the calibration returned leaves logits unchanged. The order
    of the images does not matter. `fitted_on` names the images, for the record.
    """
    if not images.enough:
        return Calibration()
    losses = cross_validated(images, methods)
    compared = _compare(losses, images.group)
    chosen = next(each for each in compared if _as_good(each, compared))
    return Calibration(
        map=FITS[chosen.method](images),
        compared=compared,
        prevalence=float(images.truth.mean()),
        fitted_on=fitted_on,
        n_images=len(images.truth),
        n_melanomas=int(images.truth.sum()),
        n_groups=len(np.unique(images.group)),
    )


def cross_validated(
    images: Labelled, methods: Sequence[str] = METHODS
) -> dict[str, FloatArray]:
    """Return by method the log-loss of each image, (N,), when fitted without its group."""
    losses = {name: np.empty(len(images.truth)) for name in methods}
    for rest, left_out in grouped_folds(images):
        part, judged = images.part(rest), images.part(left_out)
        for name in methods:
            fitted = FITS[name](part).apply(judged.logits)
            losses[name][left_out] = loss_of(judged.truth, fitted)
    return losses


def loss_of(truth: BoolArray, logits: FloatArray) -> FloatArray:
    """The negative log-likelihood of each label, (N,), in nats."""
    return np.asarray(np.logaddexp(0.0, np.where(truth, -logits, logits)))


def grouped_folds(images: Labelled) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each of 5 folds the rows to fit on and the rows left out.

    All rows of a group are in the same fold. Groups with a melanoma are spread evenly over
    the folds, then the other groups. The random draw has a fixed seed. Folds are not
    stratified by logits as well: they would share their chance deviations, to which
    isotonic regression would then overfit.
    """
    codes, group = np.unique(images.group, return_inverse=True)
    size = np.bincount(group)
    holds = np.bincount(group, images.truth) > 0
    mean = np.bincount(group, images.logits) / size
    drawn = np.empty(len(codes))
    drawn[np.lexsort((size, mean))] = np.random.default_rng(0).random(len(codes))
    fold = np.empty(len(codes), dtype=np.intp)
    fold[np.lexsort((drawn, ~holds))] = np.arange(len(codes)) % FOLDS
    for number in range(FOLDS):
        left_out = fold[group] == number
        yield np.flatnonzero(~left_out), np.flatnonzero(left_out)


def _compare(losses: dict[str, FloatArray], group: IntArray) -> tuple[Compared, ...]:
    means = {name: float(each.mean()) for name, each in losses.items()}
    best = min(means, key=lambda name: means[name])
    codes = np.unique(group, return_inverse=True)[1].astype(np.intp)
    return tuple(
        Compared(
            method=name,
            log_loss=measured(clustered_mean(each, codes)),
            standard_error=None
            if name == best
            else _error(
                clustered_mean_difference(each - losses[best], codes, freedom=10**6)
            ),
        )
        for name, each in losses.items()
    )


def _error(interval: Interval) -> float:
    """Return the standard error behind a 95 % normal interval; 0 without an interval."""
    half = interval.high - interval.value
    return 0.0 if math.isnan(half) else half / 1.959964


def _as_good(one: Compared, compared: tuple[Compared, ...]) -> bool:
    values = [each.log_loss.value or 0.0 for each in compared]
    return (one.log_loss.value or 0.0) <= min(values) + (one.standard_error or 0.0)


def _fit_temperature(images: Labelled) -> Map:
    scale = _scale(images.logits)
    (slope,) = _logistic(images, images.logits[:, np.newaxis] / scale, least=(_LEAST,))
    return Temperature(temperature=_inside(scale / slope))


def _fit_platt(images: Labelled) -> Map:
    scale = _scale(images.logits)
    design = np.stack([images.logits / scale, np.ones(len(images.logits))], axis=1)
    slope, intercept = _logistic(images, design, least=(_LEAST, None))
    return Platt(slope=_inside(slope / scale), intercept=intercept)


def _fit_beta(images: Labelled) -> Map:
    given = np.clip(images.logits, -LARGEST, LARGEST)
    small = np.log1p(np.exp(-np.abs(given)))
    melanoma, other = np.minimum(given, 0) - small, np.maximum(given, 0) + small
    scales = (_scale(melanoma), _scale(other))
    ones = np.ones(len(given))
    design = np.stack([melanoma / scales[0], other / scales[1], ones], axis=1)
    a, b, c = _logistic(images, design, least=(0.0, 0.0, None))
    a, b = a / scales[0], b / scales[1]
    return Beta(a=min(max(a, 1e-5), 1e6), b=min(max(b, 0.0), 1e6), c=c)


def _fit_isotonic(images: Labelled) -> Map:
    """Fit isotonic regression (Zadrozny & Elkan) with at most 1000 knots.

    Fitted shares are kept within 1 / (N + 2) and 1 − 1 / (N + 2), to have finite logits.
    """
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(images.logits, images.truth)
    knots, shares = fitted.X_thresholds_, fitted.y_thresholds_
    knots, first = np.unique(knots.astype(np.float64), return_index=True)
    room = 1 / (len(images.truth) + 2)
    values = logit(np.clip(shares[first].astype(np.float64), room, 1 - room))
    if len(knots) > _MOST_KNOTS:
        kept = np.linspace(0, len(knots) - 1, _MOST_KNOTS).round().astype(int)
        knots, values = knots[kept], values[kept]
    return Isotonic(
        knots=tuple(knots.tolist()), values=tuple(np.maximum.accumulate(values).tolist())
    )


FITS: dict[str, Callable[[Labelled], Map]] = {
    "none": lambda _: NoCalibration(),
    "temperature": _fit_temperature,
    "platt": _fit_platt,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
}
"""By method, the function that fits it; the simplest method first."""

_LEAST = 1e-4


def _logistic(
    images: Labelled, design: FloatArray, *, least: tuple[float | None, ...]
) -> list[float]:
    """Return the weights of a logistic regression on the columns of `design`, (N, K).

    `least` has the lower bound of each of the K weights, or None. Labels 0 and 1 are moved
    towards 0.5 as by Platt 1999, so that classes that do not overlap have finite weights.
    """
    melanomas = np.count_nonzero(images.truth)
    others = len(images.truth) - melanomas
    target = np.where(images.truth, (melanomas + 1) / (melanomas + 2), 1 / (others + 2))

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        given = design @ weights
        lost = np.logaddexp(0.0, given) - target * given
        slope = design.T @ (expit(given) - target)
        return float(lost.mean()), np.asarray(slope / len(target))

    start = np.array([1.0 if low is not None else 0.0 for low in least])
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, 1e6 if low is not None else None) for low in least],
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
    )
    return [float(weight) for weight in found.x]


def _scale(logits: FloatArray) -> float:
    """Return the root mean square of the logits; divided by it, their weight is near 1."""
    return max(float(np.sqrt(np.mean(np.square(logits)))), 1e-6)


def _inside(value: float) -> float:
    return min(max(value, 1.1e-6), 1e6)
