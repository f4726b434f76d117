"""Sentences on a model's thresholds, printed beside its predictions."""

from __future__ import annotations

from lentigo.inference.decide import Decision
from lentigo.inference.predict import Model
from lentigo.models.engines import AUTO, is_exact
from lentigo.models.facts import Measured
from lentigo.models.operating_point import OperatingPoint
from lentigo.run_layout import FIRST_FOLD
from lentigo.words import listed


def decision_sentences(model: Model, decision: Decision) -> list[str]:
    """Return sentences on the assumed share of melanoma and on the threshold of calls."""
    return [*_prevalence_sentences(model, decision), *_call_sentences(model, decision)]


def _prevalence_sentences(model: Model, decision: Decision) -> list[str]:
    if decision.asked_for is None or decision.meant_for is None:
        return []
    moved = (
        f"The probabilities are for a share of {_percent(decision.asked_for)} melanomas; "
        f"the model's own are meant for {_percent(decision.meant_for)}."
    )
    return [moved, _SETS_STAY] if model.conformal is not None else [moved]


_SETS_STAY = (
    "could_be does not move with it: its sets are to hold 90 % of melanomas and 90 % of "
    "other lesions, each by itself, whatever their share."
)


def _call_sentences(model: Model, decision: Decision) -> list[str]:
    several = len(model.ensembles) > 1
    if several and any(each.operating_points for each in model.ensembles):
        return [
            f"Each of the {len(model.ensembles)} models has thresholds of its own; none "
            f"was chosen for their mean, so nothing is called. Predict with one of them "
            f"(RUN/{FIRST_FOLD}) to use its."
        ]
    points = model.operating_points
    if not points:
        return []
    others = [p.name for p in points if p != decision.point and p.threshold is not None]
    more = (
        f" Other operating points: {listed(others)} (--operating-point)." if others else ""
    )
    if decision.point is not None:
        return [threshold_sentence(decision.point) + more, *_in_eight_bits(model)]
    absent = (
        [f"There is no threshold {points[0].aim}. {points[0].absent}"]
        if points[0].absent
        else []
    )
    return [*absent, f"No image has a call.{more}"]


def _in_eight_bits(model: Model) -> list[str]:
    if model.engine == AUTO or is_exact(model.engine):
        return []
    return [
        "Thresholds were chosen with the exact network; in 8 bits "
        f"({model.engine}) they may find less."
    ]


def point_sentence(point: OperatingPoint) -> str:
    """Return a sentence on a threshold and its held-out results, or why it is absent."""
    if point.threshold is None:
        return f"There is no threshold {point.aim}. {point.absent}"
    return threshold_sentence(point)


def threshold_sentence(point: OperatingPoint) -> str:
    """Return a sentence on a threshold, how it was chosen, and its held-out performance."""
    return (
        f"Melanoma is called from a probability of {point.threshold or 0:.4g} upwards "
        f"({point.name}), chosen on {point.chosen_on} {point.aim}; {_found(point)}."
    )


def _found(point: OperatingPoint) -> str:
    known = point.held_out.figures if point.held_out else {}
    parts = [
        f"{name} {_value(known[name])}"
        for name in ("sensitivity", "specificity")
        if name in known and known[name].value is not None
    ]
    return f"held-out images had {' and '.join(parts)}" if parts else "nothing was judged"


def _value(entry: Measured) -> str:
    if entry.low is None or entry.high is None:
        return f"{entry.value:.3f}"
    return f"{entry.value:.3f} ({entry.low:.3f}–{entry.high:.3f})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
