"""The metrics, one line each. Light to import: `lentigo list metrics` reads it."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "auc": "chance that a melanoma scores higher than another image; groups as the unit",
    "auc_delong": "the same AUC with DeLong's interval, which takes images as independent",
    "average_precision": "mean precision over the melanomas; guessing reaches their share",
    "brier": "mean squared distance of probability and truth; lower is better",
    "log_loss": "mean negative log-likelihood of the truth; lower is better",
    "calibration_intercept": "0 where probabilities are right on average; above 0, too low",
    "calibration_slope": "1 where probabilities are right; below 1, too extreme",
    "sensitivity": "share of melanomas called melanoma, at the threshold",
    "specificity": "share of the other images not called melanoma, at the threshold",
    "ppv": "share of melanoma calls that are right, at the threshold",
    "npv": "share of images not called that are no melanoma, at the threshold",
    "balanced_accuracy": "mean of sensitivity and specificity, at the threshold",
    "threshold_at_sensitivity_95": (
        "highest that finds 95 % of the melanomas; chosen on the same images"
    ),
    "specificity_at_sensitivity_95": "specificity there; chosen on the same images",
    "ppv_at_sensitivity_95": "share of right calls there; chosen on the same images",
    "npv_at_sensitivity_95": (
        "share of those not called that are none; chosen on the same images"
    ),
    "multiclass_balanced_accuracy": "mean recall of the diagnoses; the likeliest is called",
}
"""Metric name → what it says; the names of `Evaluation.metrics`, in this order."""


ON_OWN_THRESHOLD = (
    "The figures at 95 % sensitivity are at a threshold chosen on these images, "
    "which flatters them; their intervals count the choosing. For a threshold that "
    "was chosen elsewhere give it as --threshold."
)
"""The note beside figures at a threshold that the judged images chose themselves."""
