"""Measure calibration: of images with a probability of 30 %, three of ten are melanoma.

`truth` is (N,) bool and `probability` (N,) float in 0–1 throughout.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logit, stdtrit

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval

_STEPS = 200


def brier(truth: BoolArray, probability: FloatArray) -> float:
    """Return the mean squared distance of probability and truth (Brier 1950); 0 is best.

    Always calling the share of melanomas p reaches p (1 − p). NaN for no image.
    """
    return float(squared_errors(truth, probability).mean()) if len(truth) else math.nan


def log_loss(truth: BoolArray, probability: FloatArray) -> float:
    """Return the mean negative log-likelihood of the truth, in nats; 0 is perfect.

    A certain and wrong probability would make it infinite; as in scikit-learn, it counts
    as 2.2e-16 away from certainty. NaN for no image.
    """
    return float(surprises(truth, probability).mean()) if len(truth) else math.nan


def squared_errors(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """Return the squared distance of each image's probability from its truth: (N,)."""
    return np.square(probability - truth)


def surprises(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """Return the log loss of each image, in nats: (N,)."""
    given = np.where(truth, probability, 1 - probability)
    return -np.log(np.maximum(given, np.finfo(np.float64).eps))


def expected_calibration_error(
    truth: BoolArray, probability: FloatArray, *, bins: int = 10
) -> float:
    """Return the mean distance of predicted and observed share over bins.

    Bins hold equally many images. The error is above 0 even for perfect probabilities, the
    more so the fewer the images; it has no honest interval from resampling, so none is
    given. NaN for no image.
    """
    if not len(truth):
        return math.nan
    ranked = np.array_split(np.argsort(probability, kind="stable"), bins)
    gaps = [abs(np.sum(probability[members] - truth[members])) for members in ranked]
    return float(np.sum(gaps) / len(truth))


def calibration_intercept(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """Estimate the number to add to the logits to make them right on average; 0 is best.

    Above 0, the probabilities are too low. Calibration in the large, as in Van Calster et
    al. 2019 (doi:10.1186/s12916-019-1466-7). Interval and certain probabilities as for
    `calibration_slope`. NaN where there is one class only.
    """
    if not truth.any() or truth.all():
        return Interval(math.nan)
    offset = logit(without_certainty(probability))
    return _logistic(np.ones((len(truth), 1)), truth, group, offset=offset, firth=False)[0]


def calibration_slope(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """Estimate the factor that makes the logits right (calibration slope); 1 is perfect.

    Below 1, the probabilities are too extreme, as after overfitting. The 95 % interval is
    Wald's with the variance robust to images of a group (`group`, (N,) numbers from 0)
    resembling each other. Probabilities of exactly 0 or 1 are moved inwards
    (`without_certainty`). Where the classes separate perfectly, the likelihood is penalised
    as by Firth 1993 (Heinze & Schemper 2002, doi:10.1002/sim.1047), for without the penalty
    no slope is steep enough. NaN where there is one class only or all probabilities are
    equal.
    """
    if not truth.any() or truth.all() or np.ptp(probability) == 0:
        return Interval(math.nan)
    scores = logit(without_certainty(probability))
    spread = float(scores.std())
    design = np.stack([np.ones(len(truth)), (scores - scores.mean()) / spread], axis=1)
    found = _logistic(
        design, truth, group, offset=np.zeros(len(truth)), firth=separates(truth, scores)
    )[1]
    return Interval(found.value / spread, found.low / spread, found.high / spread)


def separates(truth: BoolArray, score: FloatArray) -> bool:
    """Tell whether some threshold parts all melanomas from all other images."""
    melanoma, other = score[truth], score[~truth]
    return bool(melanoma.min() >= other.max() or melanoma.max() <= other.min())


def without_certainty(probability: FloatArray) -> FloatArray:
    """Return the probabilities with 0 and 1 moved inwards by `room_for_doubt`: (N,)."""
    room = room_for_doubt(probability)
    return np.clip(probability, room, 1 - room) if room else probability


def room_for_doubt(probability: FloatArray) -> float:
    """Return how far to move probabilities of exactly 0 or 1, whose logit is infinite.

    The distance is half that of the nearest other probability from 0 or 1, for a 0.00
    stands for less than 0.005; it is 0.001 where there are no others, and 0 where no
    probability is 0 or 1.
    """
    distance = np.minimum(probability, 1 - probability)
    if not len(distance) or distance.min() > 0:
        return 0.0
    inside = distance[distance > 0]
    # Below this a double has no distance from 1.
    return max(float(inside.min()) / 2, 1e-12) if len(inside) else 0.001


def _logistic(
    design: FloatArray,
    truth: BoolArray,
    group: IntArray,
    *,
    offset: FloatArray,
    firth: bool,
) -> list[Interval]:
    """Fit a logistic regression by damped Newton steps; return coefficients, intervals."""
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        expected = expit(design @ weights + offset)
        hessian = (design.T * (expected * (1 - expected))) @ design
        bread = np.asarray(np.linalg.pinv(hessian, hermitian=True), dtype=np.float64)
        rest: FloatArray = truth - expected
        if firth:
            rest = rest + _leverage(design, expected, bread) * (0.5 - expected)
        step = bread @ (design.T @ rest)
        # Far from the answer a full step overshoots, and all expected shares become 0 or 1.
        step /= max(1.0, float(np.abs(step).max()))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            gradients = design * (truth - expected)[:, np.newaxis]
            least = np.diag(bread) if firth else np.zeros(len(weights))
            return _clustered(weights, bread, gradients, group, truth, least=least)
    return [Interval(math.nan) for _ in weights]


def _leverage(design: FloatArray, expected: FloatArray, bread: FloatArray) -> FloatArray:
    """Return the leverage of each image on its own expected share, (N,)."""
    own: FloatArray = np.einsum("ni,ij,nj->n", design, bread, design)
    return own * expected * (1 - expected)


def _clustered(
    weights: FloatArray,
    bread: FloatArray,
    gradients: FloatArray,
    group: IntArray,
    truth: BoolArray,
    *,
    least: FloatArray,
) -> list[Interval]:
    """Return Wald intervals robust to likeness within groups (Liang & Zeger 1986).

    Student's t has one degree of freedom less than the rarer class has groups; the
    variances are `least` or more.
    """
    groups = len(np.unique(group))
    if groups < 2:
        return [Interval(float(weight)) for weight in weights]
    by_group = np.stack([np.bincount(group, column) for column in gradients.T])
    robust = bread @ (by_group @ by_group.T) @ bread * groups / (groups - 1)
    fewest = min(len(np.unique(group[side])) for side in (truth, ~truth))
    times = float(stdtrit(max(fewest - 1, 1), 0.975))
    halves = times * np.sqrt(np.maximum(np.diag(robust), least))
    return [
        Interval(float(w), float(w - half), float(w + half))
        for w, half in zip(weights, halves, strict=True)
    ]
