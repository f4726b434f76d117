"""Every metric as a function of the judged images, under its name in the registry.

Each returns its value with its interval, or sums over images (a `Statistic`) that
`measure` resamples together with the others; None where it has nothing to go by.
"""

from __future__ import annotations

import numpy as np

from lentigo.evaluation import calibration
from lentigo.evaluation.by_diagnosis import mean_auc, mean_recall
from lentigo.evaluation.calibration import squared_errors, surprises
from lentigo.evaluation.discrimination import delong_interval
from lentigo.evaluation.intervals import Interval, Statistic
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.evaluation.measuring import sides
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
    return auc_interval(judged.truth, judged.score, judged.group)


def auc_delong(judged: Judged) -> Interval:
    """The same area with the interval of DeLong; see `delong_interval`.

    At 0 and 1 its variance is 0 and tells nothing; `auc_interval` of single images does.
    """
    found = delong_interval(judged.truth, judged.score)
    if found.value in {0.0, 1.0}:
        return auc_interval(judged.truth, judged.score, np.arange(len(judged.truth)))
    return found


def average_precision(judged: Judged) -> Statistic:
    """The mean precision over the melanomas; see `Precision`."""
    return Precision(judged.sample)


def brier(judged: Judged) -> Interval:
    """The mean squared distance of probability and truth."""
    return clustered_mean(squared_errors(judged.truth, judged.score), judged.group)


def log_loss(judged: Judged) -> Interval:
    """The mean negative log-likelihood of the truth, in nats."""
    return clustered_mean(surprises(judged.truth, judged.score), judged.group)


def calibration_gap(judged: Judged) -> Interval:
    """Return the share of melanomas less the mean probability: calibration in the large."""
    freedom = min(sides(judged.sample)) - 1
    beyond = judged.truth - judged.score
    return clustered_mean_difference(beyond, judged.group, freedom=freedom)


def calibration_intercept(judged: Judged) -> Interval:
    """Estimate the shift of the logits; see `calibration.calibration_intercept`."""
    return calibration.calibration_intercept(judged.truth, judged.score, judged.group)


def calibration_slope(judged: Judged) -> Interval:
    """Estimate the factor for the logits; see `calibration.calibration_slope`."""
    return calibration.calibration_slope(judged.truth, judged.score, judged.group)


def sensitivity(judged: Judged) -> Interval:
    """The share of melanomas that are called at the threshold."""
    return judged.calls["sensitivity"]


def specificity(judged: Judged) -> Interval:
    """The share of the other images that are not called at the threshold."""
    return judged.calls["specificity"]


def ppv(judged: Judged) -> Interval:
    """The share of calls at the threshold that are melanoma."""
    return judged.calls["ppv"]


def npv(judged: Judged) -> Interval:
    """The share of images not called at the threshold that are no melanoma."""
    return judged.calls["npv"]


def balanced_accuracy(judged: Judged) -> Interval:
    """The mean of sensitivity and specificity at the threshold."""
    return judged.calls["balanced_accuracy"]


def threshold_at_sensitivity_95(judged: Judged) -> Interval:
    """The highest threshold that finds 95 % of these melanomas."""
    return judged.at_own_threshold["threshold_at_sensitivity_95"]


def specificity_at_sensitivity_95(judged: Judged) -> Interval:
    """The specificity at that threshold."""
    return judged.at_own_threshold["specificity_at_sensitivity_95"]


def ppv_at_sensitivity_95(judged: Judged) -> Interval:
    """The share of right calls at that threshold."""
    return judged.at_own_threshold["ppv_at_sensitivity_95"]


def npv_at_sensitivity_95(judged: Judged) -> Interval:
    """The share of images not called at that threshold that are no melanoma."""
    return judged.at_own_threshold["npv_at_sensitivity_95"]


def partial_auc_80(judged: Judged) -> Interval:
    """The area above 80 % sensitivity; see `partial_auc_interval`."""
    return partial_auc_interval(judged.truth, judged.score, judged.group)


def retrieval_sensitivity_15(judged: Judged) -> Interval | None:
    """The share of melanomas among the 15 highest of their group; None if all are."""
    if not worth_asking(judged.truth, judged.group):
        return None
    return retrieval_sensitivity(judged.truth, judged.score, judged.group)


def retrieval_per_patient_15(judged: Judged) -> Interval | None:
    """The mean of that share over groups with a melanoma; None if all are."""
    if not worth_asking(judged.truth, judged.group):
        return None
    return retrieval_per_patient(judged.truth, judged.score, judged.group)


def multiclass_balanced_accuracy(judged: Judged) -> Interval | None:
    """The mean recall of several diagnoses; None where they are not known."""
    known = judged.diagnoses
    return None if known is None else mean_recall(known, known.of(judged.group))


def multiclass_auc(judged: Judged) -> Interval | None:
    """The mean AUC of several diagnoses, each against the rest; None if not known."""
    known = judged.diagnoses
    return None if known is None else mean_auc(known, known.of(judged.group))


def top_2_accuracy(judged: Judged) -> Interval | None:
    """The share of images whose diagnosis is among the two likeliest."""
    return _among(judged, 2)


def top_3_accuracy(judged: Judged) -> Interval | None:
    """The share of images whose diagnosis is among the three likeliest."""
    return _among(judged, 3)


def _among(judged: Judged, number: int) -> Interval | None:
    known = judged.diagnoses
    if known is None or known.score is None or len(known.names) <= number:
        return None
    found = among_likeliest(known.score, known.truth, number)
    return clustered_share(found, known.of(judged.group))
