"""Measure calibration: of images with a probability of 30 %, three of ten are melanoma.

`truth` is (N,) bool and `probability` (N,) float in 0–1 throughout.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from lentigo.evaluation.clustered_logistic import fit_logistic
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval


def brier(truth: BoolArray, probability: FloatArray) -> float:
    """Return the mean squared difference of probability and truth (Brier 1950); 0 is best.

    Giving every image the share of melanomas p scores p (1 − p). NaN without images.
    """
    return float(squared_errors(truth, probability).mean()) if len(truth) else math.nan


def log_loss(truth: BoolArray, probability: FloatArray) -> float:
    """Return the mean negative log-likelihood of the truth, in nats; 0 is perfect.

    A probability of 0 for a melanoma (or 1 for another image) would make it infinite; as in
    scikit-learn, it counts as 2.2e-16 (or 1 − 2.2e-16). NaN without images.
    """
    return float(log_losses(truth, probability).mean()) if len(truth) else math.nan


def squared_errors(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """Return each image's squared difference of probability and truth (0 or 1): (N,)."""
    return np.square(probability - truth)


def log_losses(truth: BoolArray, probability: FloatArray) -> FloatArray:
    """Return the log loss of each image, in nats: (N,)."""
    given = np.where(truth, probability, 1 - probability)
    return -np.log(np.maximum(given, np.finfo(np.float64).eps))


def expected_calibration_error(
    truth: BoolArray, probability: FloatArray, *, bins: int = 10
) -> float:
    """Return the mean absolute difference of predicted and observed share over bins.

    Bins are those of `even_bins`. The error is above 0 even for perfect probabilities, and
    the more so with fewer images. An interval from resampling would be wrong for the same
    reason, so none is returned. NaN without images.
    """
    if not len(truth):
        return math.nan
    ranked = even_bins(probability, bins)
    gaps = [abs(np.sum(probability[members] - truth[members])) for members in ranked]
    return float(np.sum(gaps) / len(truth))


def even_bins(probability: FloatArray, bins: int) -> list[IntArray]:
    """Divide images by their probability into `bins` of equally many: (images,) positions.

    Images of one probability are never divided, since which of them came first would be a
    matter of their names: a bin ends at the nearer end of such a tie. There are thus fewer
    bins, of unequal numbers, where probabilities are few; none for no image.
    """
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    sizes = [len(part) for part in np.array_split(order, bins)]
    cuts = np.cumsum(sizes)[:-1]
    cuts = cuts[cuts < len(order)]  # with few images the last bins are empty
    first = np.searchsorted(ranked, ranked[cuts], "left")
    last = np.searchsorted(ranked, ranked[cuts], "right")
    ends = np.where(cuts - first <= last - cuts, first, last)
    return [part for part in np.split(order, np.unique(ends)) if len(part)]


def calibration_intercept(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """Estimate the calibration intercept: the number to add to all logits; 0 is best.

    Above 0, the probabilities are too low on average. Calibration in the large, as in Van
    Calster et al. 2019 (doi:10.1186/s12916-019-1466-7). The interval, and probabilities of
    exactly 0 or 1, are as in `calibration_slope`. NaN where there is only one class.
    """
    if not truth.any() or truth.all():
        return Interval(math.nan)
    offset = logit(without_certainty(probability))
    alone = np.ones((len(truth), 1))
    found = fit_logistic(alone, truth, group, offset=offset)
    if found is None:  # it lies further from 0 than steps reach
        start = np.array([_intercept(truth, offset)])
        found = fit_logistic(alone, truth, group, offset=offset, start=start)
    return Interval(math.nan) if found is None else found.interval(0)


def _intercept(truth: BoolArray, offset: FloatArray) -> float:
    """Return what, added to the logits `offset`, (N,), makes their mean share the true one.

    It lies between what would do so if all were the highest, and if all were the lowest.
    """
    share = float(truth.mean())
    ends = logit(share) - offset.max() - 1, logit(share) - offset.min() + 1
    return float(brentq(lambda more: expit(offset + more).mean() - share, *ends))


def calibration_slope(
    truth: BoolArray, probability: FloatArray, group: IntArray
) -> Interval:
    """Estimate the calibration slope: the factor that calibrates the logits; 1 is perfect.

    Below 1, the probabilities are too extreme, as after overfitting. The 95 % interval is
    Wald's with a cluster-robust variance: images of one group (`group`, (N,) integers from
    0) may be correlated. Probabilities of exactly 0 or 1 are replaced
    (`without_certainty`). Where the classes separate perfectly, the maximum likelihood is
    at an infinite slope, so the likelihood is penalised as by Firth 1993 (Heinze & Schemper
    2002, doi:10.1002/sim.1047). NaN where there is only one class or all probabilities are
    equal.
    """
    if not truth.any() or truth.all() or np.ptp(probability) == 0:
        return Interval(math.nan)
    scores = logit(without_certainty(probability))
    spread = float(scores.std())
    design = np.stack([np.ones(len(truth)), (scores - scores.mean()) / spread], axis=1)
    fitted = fit_logistic(design, truth, group, firth=separates(truth, scores))
    if fitted is None:
        return Interval(math.nan)
    found = fitted.interval(1)
    return Interval(found.value / spread, found.low / spread, found.high / spread)


def separates(truth: BoolArray, score: FloatArray) -> bool:
    """Tell whether all melanomas score at least as high as any other image, or vice versa.

    Both classes may thus have one score in common. `truth` and `score` are (N,).
    """
    melanoma, other = score[truth], score[~truth]
    return bool(melanoma.min() >= other.max() or melanoma.max() <= other.min())


def without_certainty(probability: FloatArray) -> FloatArray:
    """Return `probability` clipped to [d, 1 − d], where d is its `room_for_doubt`: (N,)."""
    room = room_for_doubt(probability)
    return np.clip(probability, room, 1 - room) if room else probability


def room_for_doubt(probability: FloatArray) -> float:
    """Return the number `d` by which 0 becomes `d` and 1 becomes 1 − `d` (finite logits).

    It is half the distance from 0 or 1 of the nearest probability that is neither, since a
    probability written 0.00 stands for less than 0.005. It is 0.001 where all probabilities
    are 0 or 1, and 0 where none is (or there is none).
    """
    distance = np.minimum(probability, 1 - probability)
    if not len(distance) or distance.min() > 0:
        return 0.0
    inside = distance[distance > 0]
    # With a smaller number, 1 minus it would be too close to 1 in double precision.
    return max(float(inside.min()) / 2, 1e-12) if len(inside) else 0.001
