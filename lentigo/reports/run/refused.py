"""Describe on which images the models of a run abstain, in sentences and table rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lentigo.reports.numbers import Value, as_value, share, shown
from lentigo.words import count

NOT_TOLD = (
    "The models of this run do not say what is too strange to them (the validation images "
    "have too few groups to set a limit, they keep no index of their training images, "
    "or an earlier version trained them), so they answer for every image, for a photograph "
    "of a cat as well."
)
SHOWN_ALL_THE_SAME = (
    "All other numbers of this page are of all held-out images, as if the refused had been "
    "answered. The limit was set on validation images, so that at most 5\u00a0% of images "
    "of the same kind are beyond it, each group (patient or lesion) counting once; images "
    "of another clinic are refused more often."
)


def refusals(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return sentence, reasons and table rows on abstention, from `evaluation.json`.

    If the models cannot abstain, there is only a sentence that says so.
    """
    found = (evaluation.get("model") or {}).get("refusals")
    if not found:
        return {"sentence": NOT_TOLD, "about": "", "reasons": [], "rows": []}
    total = sum(found["reasons"].values())
    return {
        "sentence": found["sentence"],
        "about": SHOWN_ALL_THE_SAME,
        "reasons": [
            {"reason": reason, "images": count(number), "share": share(number, total)}
            for reason, number in found["reasons"].items()
        ],
        "rows": [_row(each) for each in found["rows"]],
    }


def sets(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sentence and table rows on conformal sets at 90 %; empty without them."""
    return _coverage(evaluation, "sets", ("held", "held_images", "undecided"))


def diagnosis_sets(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sentence and table rows on sets over diagnoses; empty without them."""
    columns = ("held", "held_images", "size", "elsewhere")
    return _coverage(evaluation, "diagnosis_sets", columns)


def _coverage(
    evaluation: Mapping[str, Any], part: str, columns: Sequence[str]
) -> dict[str, Any]:
    found = (evaluation.get("model") or {}).get(part)
    if not found:
        return {"sentence": "", "rows": []}
    rows = [
        {
            "name": str(each["name"]),
            "images": count(each["n_images"]),
            "groups": count(each["n_groups"]),
            **{name: shown(_value(each[name]), why="no image") for name in columns},
        }
        for each in found["rows"]
    ]
    return {"sentence": found["sentence"], "rows": rows}


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    cells = {
        name: shown(_value(found[name]), why="one class only", signed=name == "gain")
        for name in ("auc_all", "auc_answered", "gain")
    }
    return {
        "name": str(found["name"]),
        "images": count(found["n_images"]),
        "refused": count(found["n_refused"]),
        "melanomas": count(found["n_melanomas_refused"]),
        "share": shown(_value(found["share"]), why="no image"),
        **cells,
    }


def _value(entry: Any) -> Value:
    return as_value(entry) or Value(math.nan)
