"""Every metric as a function of the judged images, named as in the registry.

Each function returns the value with its interval, or a `Statistic` (sums over images) that
`measure` resamples together with the others; None where the metric does not apply.
"""

from __future__ import annotations

import numpy as np

from lentigo.evaluation import calibration
from lentigo.evaluation import calibration_error as debiased
from lentigo.evaluation.by_diagnosis import mean_auc, mean_recall
from lentigo.evaluation.calibration import log_losses, squared_errors
from lentigo.evaluation.discrimination import delong_interval
from lentigo.evaluation.intervals import Interval, Statistic
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.evaluation.multiclass import among_likeliest
from lentigo.evaluation.partial_auc import partial_auc_interval
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.retrieval import (
    retrieval_per_patient,
    retrieval_sensitivity,
    worth_asking,
)
from lentigo.evaluation.shares import clustered_share
from lentigo.evaluation.sums import Precision


def auc(judged: Judged) -> Interval:
    """The area under the ROC curve; see `auc_interval`."""
    ranked = judged.sample.ranked
    return auc_interval(ranked.truth, ranked.score, ranked.group)


def auc_delong(judged: Judged) -> Interval:
    """The area under the ROC curve with DeLong's interval; see `delong_interval`.

    For an AUC of 0 or 1, where DeLong's variance is 0, the interval is `auc_interval` with
    each image as its own group.
    """
    ranked = judged.sample.ranked
    found = delong_interval(ranked.truth, ranked.score)
    if found.value in {0.0, 1.0}:
        return auc_interval(ranked.truth, ranked.score, np.arange(len(ranked.truth)))
    return found


def average_precision(judged: Judged) -> Statistic:
    """The mean precision over the melanomas; see `Precision`."""
    return Precision(judged.sample)


def brier(judged: Judged) -> Interval:
    """The Brier score: mean squared difference of probability and truth."""
    errors = squared_errors(judged.truth, judged.score)
    return clustered_mean(errors, judged.group, most=1.0)


def log_loss(judged: Judged) -> Interval:
    """The mean negative log-likelihood of the truth, in nats."""
    return clustered_mean(log_losses(judged.truth, judged.score), judged.group)


def calibration_gap(judged: Judged) -> Interval:
    """Return the share of melanomas less the mean probability: calibration in the large."""
    freedom = min(judged.sample.sides) - 1
    beyond = judged.truth - judged.score
    within = -1.0, 1.0
    return clustered_mean_difference(beyond, judged.group, freedom=freedom, within=within)


def calibration_error(judged: Judged) -> Interval:
    """The expected calibration error less what chance adds; see `calibration_error`."""
    ranked = judged.sample.ranked
    return debiased.calibration_error(ranked.truth, ranked.score, ranked.group)


def calibration_intercept(judged: Judged) -> Interval:
    """The number to add to all logits; see `calibration.calibration_intercept`."""
    return calibration.calibration_intercept(judged.truth, judged.score, judged.group)


def calibration_slope(judged: Judged) -> Interval:
    """The factor that calibrates the logits; see `calibration.calibration_slope`."""
    return calibration.calibration_slope(judged.truth, judged.score, judged.group)


def sensitivity(judged: Judged) -> Interval:
    """The share of melanomas that are called melanoma at the threshold."""
    return judged.calls.sensitivity


def specificity(judged: Judged) -> Interval:
    """The share of non-melanoma images that are not called melanoma at the threshold."""
    return judged.calls.specificity


def ppv(judged: Judged) -> Interval:
    """The share of images called melanoma at the threshold that are melanoma."""
    return judged.calls.ppv


def npv(judged: Judged) -> Interval:
    """The share of images not called melanoma at the threshold that are not melanoma."""
    return judged.calls.npv


def balanced_accuracy(judged: Judged) -> Interval:
    """The mean of sensitivity and specificity at the threshold."""
    return judged.calls.balanced_accuracy


def threshold_at_sensitivity_95(judged: Judged) -> Interval:
    """The highest threshold with 95 % sensitivity, chosen on the judged images."""
    return judged.at_own_threshold["threshold_at_sensitivity_95"]


def specificity_at_sensitivity_95(judged: Judged) -> Interval:
    """The specificity at `threshold_at_sensitivity_95`."""
    return judged.at_own_threshold["specificity_at_sensitivity_95"]


def ppv_at_sensitivity_95(judged: Judged) -> Interval:
    """The positive predictive value at `threshold_at_sensitivity_95`; see `ppv`."""
    return judged.at_own_threshold["ppv_at_sensitivity_95"]


def npv_at_sensitivity_95(judged: Judged) -> Interval:
    """The negative predictive value at `threshold_at_sensitivity_95`; see `npv`."""
    return judged.at_own_threshold["npv_at_sensitivity_95"]


def partial_auc_80(judged: Judged) -> Interval:
    """The area under the ROC curve above 80 % sensitivity; see `partial_auc_interval`."""
    ranked = judged.sample.ranked
    return partial_auc_interval(ranked.truth, ranked.score, ranked.group)


def retrieval_sensitivity_15(judged: Judged) -> Interval | None:
    """The share of melanomas that are among the 15 highest scores of their group.

    None where no group with a melanoma has more than 15 images.
    """
    if not worth_asking(judged.truth, judged.group):
        return None
    return retrieval_sensitivity(judged.truth, judged.score, judged.group)


def retrieval_per_patient_15(judged: Judged) -> Interval | None:
    """The mean over groups of the share of their melanomas among their 15 highest scores.

    Only groups with a melanoma count. None where none of these has more than 15 images.
    """
    if not worth_asking(judged.truth, judged.group):
        return None
    return retrieval_per_patient(judged.truth, judged.score, judged.group)


def multiclass_balanced_accuracy(judged: Judged) -> Interval | None:
    """The mean recall over diagnoses; None where diagnoses are not known."""
    known = judged.diagnoses
    return None if known is None else mean_recall(known, known.of(judged.group))


def multiclass_auc(judged: Judged) -> Interval | None:
    """The mean AUC over diagnoses, each against the rest; None if these are not known."""
    known = judged.diagnoses
    return None if known is None else mean_auc(known, known.of(judged.group))


def top_2_accuracy(judged: Judged) -> Interval | None:
    """The share of images whose true diagnosis is among the two most probable.

    None where fewer than three diagnoses, or no probabilities of diagnoses, are known.
    """
    return _among(judged, 2)


def top_3_accuracy(judged: Judged) -> Interval | None:
    """The share of images whose true diagnosis is among the three most probable.

    None where fewer than four diagnoses, or no probabilities of diagnoses, are known.
    """
    return _among(judged, 3)


def _among(judged: Judged, number: int) -> Interval | None:
    known = judged.diagnoses
    if known is None or known.score is None or len(known.names) <= number:
        return None
    found = among_likeliest(known.score, known.truth, number)
    return clustered_share(found, known.of(judged.group))
