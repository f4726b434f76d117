"""The thresholds that a model brings along, in words for whoever reads its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lentigo.inference.predict import Model
from lentigo.run_layout import FIRST_FOLD


def stored_thresholds(model: Model) -> list[Mapping[str, Any]]:
    """The thresholds that were chosen for `model` on validation images.

    Empty for the mean of several networks: each has thresholds of its own, and none was
    chosen for their mean.
    """
    if len(model.ensembles) > 1:
        return []
    return [point for point in model.ensembles[0].operating_points if _is_whole(point)]


def threshold_sentences(model: Model) -> list[str]:
    """Say of each threshold from where melanoma is called, and what that found."""
    several = len(model.ensembles) > 1
    if several and any(each.operating_points for each in model.ensembles):
        return [
            f"Each of the {len(model.ensembles)} models has thresholds of its own; none "
            f"was chosen for their mean. Predict with one of them (RUN/{FIRST_FOLD}) to "
            "use its."
        ]
    return [
        f"From a probability of {point['threshold']:.4g} upwards, chosen on "
        f"{point['chosen_on']} to find {100 * point['sensitivity']:g} % of melanomas, "
        f"{_found(point)}."
        for point in stored_thresholds(model)
    ]


def _is_whole(point: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a description, written by anybody, can be said."""
    numbers = (point.get("threshold"), point.get("sensitivity"))
    return all(_is_share(value) for value in numbers) and isinstance(
        point.get("chosen_on"), str
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _found(point: Mapping[str, Any]) -> str:
    held_out = point.get("held_out")
    known = held_out if isinstance(held_out, Mapping) else {}
    parts = [
        f"{name} {_value(entry)}"
        for name in ("sensitivity", "specificity")
        if isinstance(entry := known.get(name), Mapping) and _is_share(entry.get("value"))
    ]
    return f"held-out images had {' and '.join(parts)}" if parts else "nothing was judged"


def _value(entry: Mapping[str, Any]) -> str:
    if not (_is_share(entry.get("low")) and _is_share(entry.get("high"))):
        return f"{entry['value']:.3f}"
    return f"{entry['value']:.3f} ({entry['low']:.3f}–{entry['high']:.3f})"
