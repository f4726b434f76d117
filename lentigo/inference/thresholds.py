"""The thresholds that a model brings along, in words for whoever reads its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lentigo.inference.predict import Model


def stored_thresholds(model: Model) -> list[Mapping[str, Any]]:
    """The thresholds that were chosen for `model` on validation images.

    Empty for the mean of several networks: each has thresholds of its own, and none was
    chosen for their mean.
    """
    return list(model.members[0].operating_points) if len(model.members) == 1 else []


def threshold_sentences(model: Model) -> list[str]:
    """One sentence a threshold: from where melanoma is called, and what that found."""
    if len(model.members) > 1 and any(member.operating_points for member in model.members):
        return [
            f"Each of the {len(model.members)} networks has thresholds of its own; none "
            "was chosen for their mean. Predict with one of them (RUN/fold-0) to use its."
        ]
    return [
        f"From a probability of {point['threshold']:.4g} upwards, chosen on "
        f"{point['chosen_on']} to find {100 * point['sensitivity']:g} % of melanomas, "
        f"{_found(point)}."
        for point in stored_thresholds(model)
        if point.get("threshold") is not None
    ]


def _found(point: Mapping[str, Any]) -> str:
    held_out = point.get("held_out") or {}
    parts = [
        f"{name} {_value(held_out[name])}"
        for name in ("sensitivity", "specificity")
        if (held_out.get(name) or {}).get("value") is not None
    ]
    return f"held-out images had {' and '.join(parts)}" if parts else "nothing was judged"


def _value(entry: Mapping[str, Any]) -> str:
    if entry.get("low") is None:
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} ({entry['low']:.3f}–{entry['high']:.3f})"
