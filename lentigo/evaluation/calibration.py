"""Whether a probability of 30 % means that three of ten are melanoma.

`truth` is (N,) bool and `probability` (N,) float in 0–1 throughout.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval

_STEPS = 50


def brier(truth: BoolArray, probability: FloatArray) -> float:
    """The mean squared distance of probability and truth (Brier 1950); 0 is perfect.

    Always calling the share of melanomas p reaches p (1 − p). NaN for no image.
    """
    return float(squared_errors(truth, probability).mean()) if len(truth) else math.nan


def log_loss(truth: BoolArray, probability: FloatArray) -> float:
    """The mean negative log-likelihood of the truth, in nats; 0 is perfect.

    A certain and wrong probability would make it infinite; as in scikit-learn, it counts
    as 2.2e-16 away from certainty. NaN for no image.
    """
    return float(surprises(truth, probability).mean()) if len(truth) else math.nan


def squared_errors(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """The squared distance of each image's probability from its truth: (N,)."""
    return np.square(probability - truth)


def surprises(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """The negative logarithm of the probability given to each image's truth: (N,)."""
    given = np.where(truth, probability, 1 - probability)
    return -np.log(np.maximum(given, np.finfo(np.float64).eps))


def expected_calibration_error(
    truth: BoolArray, probability: FloatArray, *, bins: int = 10
) -> float:
    """The mean distance of promised and observed share over bins of equally many images.

    It is above 0 even for perfect probabilities, the more so the fewer the images; it
    has no honest interval from resampling, so none is given. NaN for no image.
    """
    if not len(truth):
        return math.nan
    ranked = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [abs(np.sum(probability[members] - truth[members])) for members in ranked]
    return float(np.sum(gaps) / len(truth))


def calibration_intercept(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """How much must be added to the logits to make them right on average; 0 is perfect.

    Above 0, the probabilities are too low. Calibration in the large, as in Van Calster et
    al. 2019 (doi:10.1186/s12916-019-1466-7). Interval as for `calibration_slope`.
    """
    usable = _is_usable(truth, probability)
    if not usable:
        return Interval(math.nan)
    offset = logit(probability)
    return _logistic(np.ones((len(truth), 1)), truth, group, offset=offset)[0]


def calibration_slope(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """What the logits must be multiplied with to be right; 1 is perfect.

    Below 1, the probabilities are too extreme, as after overfitting. The 95 % interval is
    Wald's with the variance robust to images of a group (`group`, (N,) numbers from 0)
    resembling each other. NaN where it has no answer: one class only, equal
    probabilities, a probability of exactly 0 or 1, or classes that separate perfectly.
    """
    if not _is_usable(truth, probability) or np.ptp(probability) == 0:
        return Interval(math.nan)
    scores = logit(probability)
    design = np.stack([np.ones(len(truth)), scores], axis=1)
    return _logistic(design, truth, group, offset=np.zeros(len(truth)))[1]


def _is_usable(truth: BoolArray, probability: FloatArray) -> bool:
    inside = bool(np.all((probability > 0) & (probability < 1)))
    return inside and bool(truth.any()) and not bool(truth.all())


def _logistic(
    design: FloatArray, truth: BoolArray, group: IntArray, *, offset: FloatArray
) -> list[Interval]:
    """Coefficients of a logistic regression by Newton's method, with its intervals."""
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        expected = expit(design @ weights + offset)
        gradient = design.T @ (truth - expected)
        hessian = (design.T * (expected * (1 - expected))) @ design
        if np.linalg.cond(hessian) > 1e12:
            break  # the classes separate, and the coefficients run off to infinity
        step = np.linalg.solve(hessian, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            return _clustered(weights, hessian, design * (truth - expected)[:, None], group)
    return [Interval(math.nan) for _ in weights]


def _clustered(
    weights: FloatArray, hessian: FloatArray, gradients: FloatArray, group: IntArray
) -> list[Interval]:
    """Wald intervals robust to likeness within groups (Liang & Zeger 1986)."""
    groups = int(group.max()) + 1
    if groups < 2:
        return [Interval(float(weight)) for weight in weights]
    by_group = np.stack([np.bincount(group, column) for column in gradients.T])
    bread = np.linalg.inv(hessian)
    variance = bread @ (by_group @ by_group.T) @ bread * groups / (groups - 1)
    halves = float(norm.ppf(0.975)) * np.sqrt(np.diag(variance))
    return [
        Interval(float(w), float(w - half), float(w + half))
        for w, half in zip(weights, halves, strict=True)
    ]
