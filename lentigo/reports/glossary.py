"""Readable names of metrics, and a line of explanation for each term of the report."""

from __future__ import annotations

from collections.abc import Iterable

from lentigo.evaluation.registry import summary_of

_TITLES = {
    "auc": "AUC",
    "brier": "Brier score",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "f1": "F1",
    "partial_auc_80": "Partial AUC above 80\u00a0% sensitivity",
    "multiclass_auc": "Mean AUC of the diagnoses",
    "retrieval_sensitivity_15": "Melanomas among the 15 highest of a patient",
    "retrieval_per_patient_15": "The same, mean over patients",
}

_WORDS = {
    "95\u00a0% interval": "Where the number would lie in 95 of 100 repetitions with other "
    "groups of the same kind, drawn again from those at hand.",
    "Paired difference": "Model minus baseline on the same resampled groups, so that what "
    "is hard for both cancels out.",
    "ROC curve": "Sensitivity against the share of false alarms, over all thresholds.",
    "Precision–recall curve": "Share of right melanoma calls against the share of "
    "melanomas found, over all thresholds.",
    "Confusion matrix": "Images counted by truth and call at the threshold.",
    "Reliability": "How often melanoma was there, against how often it was promised.",
    "Metadata only": "A logistic model on the patient's data, which sees no image. What an "
    "image model adds is what it scores above this.",
}

_BEST = (
    "Best reachable AUC",
    "What the probabilities that the drawn lesions' labels came from score themselves. It "
    "is known for the synthetic set only.",
)


def title(name: str) -> str:
    """The name of a metric as a person writes it: "Specificity at 95 % sensitivity"."""
    if name.endswith("_delong"):
        return f"{title(name.removesuffix('_delong'))} (DeLong)"
    if name in _TITLES:
        return _TITLES[name]
    stem, at, where = name.partition("_at_")
    words = _TITLES.get(stem) or stem.replace("_", " ").capitalize()
    if not at:
        return words
    *circumstance, last = where.split("_")
    if last.isdecimal() and circumstance:
        return f"{words} at {last}\u00a0% {' '.join(circumstance)}"
    return f"{words} at {where.replace('_', ' ')}"


def explain(name: str) -> str:
    """Return one line on what a metric means; empty for one that is not in the registry."""
    words = summary_of(name)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def glossary(names: Iterable[str], *, best_known: bool = False) -> list[tuple[str, str]]:
    """Return the metrics `names` and other terms of the report, each with an explanation.

    With `best_known`, which synthetic data allow, the best reachable AUC is among them.
    """
    known = [(title(name), line) for name in names if (line := explain(name))]
    return known + list(_WORDS.items()) + ([_BEST] if best_known else [])
