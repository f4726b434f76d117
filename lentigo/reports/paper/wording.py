"""Numbers and settings of an evaluation in the words of a manuscript."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lentigo.evaluation.headline import NOT_ON_RECORD, WHOLE
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.prevalence import Asked, in_words
from lentigo.evaluation.result import decimal, ends
from lentigo.reports.glossary import title
from lentigo.words import counted

OPEN_PART = "Open:"
"""The beginning of what the author has to add to an answer."""


def shown(interval: Interval) -> str:
    """Write a number with its interval, as in a sentence."""
    if interval.value != interval.value:
        return "undefined"
    limits = ends(interval)
    around = "no interval" if limits == "none" else f"95 % interval {limits}"
    return f"{decimal(interval.value)} ({around})"


def shown_number(interval: Interval) -> str:
    """Write a number of lesions with its interval; one digit after the point is enough."""
    if math.isnan(interval.value):
        return "undefined"
    limits = f"{interval.low:.1f}–{interval.high:.1f}"
    none = math.isnan(interval.low) or math.isnan(interval.high)
    around = "no interval" if none else f"95 % interval {limits}"
    return f"{interval.value:.1f} ({around})"


def groups_of(known: Mapping[str, Any]) -> str:
    """Return the number of groups of an evaluation: "40 patients", "3 groups by clinic"."""
    number, unit = int(known["n_groups"]), str(known["unit"])
    if unit in WHOLE:
        return counted(number, unit)
    return f"{counted(number, 'group')} by {unit}"


def among_them(melanomas: int | None) -> str:
    """Return how many melanomas are among images left out; empty for none of them."""
    if melanomas is None:
        return f"; {NOT_ON_RECORD}"
    return f"; {counted(int(melanomas), 'melanoma')} among them" if melanomas else ""


def unit_of_intervals(known: Mapping[str, Any]) -> str:
    """Say what intervals take as the unit: "take whole patients as the unit"."""
    unit = str(known["unit"])
    if unit == "image":
        return "take single images as the unit"
    whole = f"take whole {unit}s" if unit in WHOLE else f"take groups by {unit}"
    but = ", except DeLong's, which takes single images" if "auc_delong" in known else ""
    return f"{whole} as the unit{but}"


def called_from(known: Mapping[str, Any]) -> str:
    """Return in words the probability from which an evaluation calls melanoma."""
    shares = known.get("prevalence")
    return in_words(known["threshold"], Asked(**shares) if shares else None)


def metric_in_words(name: str) -> str:
    """Return the name of a metric as it stands in a sentence: "average precision"."""
    said = title(name)
    keeps = said[:2].isupper() or said.startswith("Brier")  # a name
    return said if keeps else said[0].lower() + said[1:]


def figure_in_words(name: str) -> str:
    """Return the name of a figure as it stands in a sentence: "ROC curve"."""
    return _FIGURES.get(name, name.replace("_", " "))


_FIGURES = {
    "roc": "ROC curve",
    "precision_recall": "precision-recall curve",
    "confusion": "confusion matrix",
    "reliability": "reliability curve",
    "forest": "forest plot of subgroups",
    "difficulty": "AUC against each other diagnosis",
    "mistakes": "images of mistakes",
}
