"""Operating points: the thresholds stored with a model, and the aim of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from lentigo.models.facts import Count, Fact, Measured, Name, Share, Text
from lentigo.visible import visible
from lentigo.words import counted, some, verb

Kind = Literal[
    "guaranteed_sensitivity", "mean_sensitivity", "youden", "cost", "decision_curve"
]
"""The aim by which a threshold was chosen.

`guaranteed_sensitivity` reaches its sensitivity with a stated confidence: in that share of
random draws of the images on which the threshold is chosen. `mean_sensitivity` reaches it
on average over such draws.
"""

OUT_OF_FOLD = "out-of-fold images"
"""In words, the held-out images of all folds, predicted by models that did not see them."""
OWN = "own images"
"""In words, the images of a clinic that calibrated the model for itself."""
OWN_UNTOLD = "own images without age, sex and site"
"""The same of a model that takes these, where none of the images had one."""
FIGURES = ("sensitivity", "specificity", "ppv", "npv", "balanced_accuracy")
"""Names of the metrics that are measured at a threshold."""

_Cost = Annotated[float, Field(gt=0, le=1e9)]
_Figures = Annotated[dict[Name, Measured], Field(max_length=20)]


class HeldOut(Fact):
    """The figures of a threshold on images that took no part in choosing it."""

    n_images: Count
    n_melanomas: Count
    figures: _Figures = Field(default_factory=dict)
    """Sensitivity, specificity, PPV, NPV, balanced accuracy: see `FIGURES`."""


class OperatingPoint(Fact):
    """A threshold on the calibrated probability, or why there is none."""

    name: Name
    """Name of the point, such as `sensitivity_95`."""
    kind: Kind
    threshold: Share | None = None
    """Melanoma is called from this probability upwards; None where the point is absent.

    It is a probability at the share of melanoma that the model is meant for."""
    absent: Text = ""
    """Why there is no threshold, and what it would take, in a sentence."""
    sensitivity: Share | None = None
    """The share of melanomas that was asked for."""
    confidence: Share | None = None
    """Share of draws of images to choose on in which a guarantee holds."""
    cost_miss: _Cost | None = None
    """Cost of a melanoma that is not called, for a threshold from costs."""
    cost_excision: _Cost | None = None
    """Cost of the excision of a lesion that is not melanoma, for a threshold from costs."""
    method: Text = ""
    """How the threshold was chosen, such as "exact binomial bound"."""
    without_metadata: bool = False
    """Whether the sensitivity was asked of the answers with and of those without age, sex
    and site, by the lower probability of each melanoma."""
    chosen_on: Text = ""
    """In words, the images on which it was chosen, such as "validation images"."""
    n_images: Count = 0
    """Number of the images on which it was chosen; `n_melanomas`: melanomas among them."""
    n_melanomas: Count = 0
    n_groups: Count = 0
    """Number of groups (patients, lesions or images) with a melanoma among these images."""
    reached: _Figures = Field(default_factory=dict)
    """Metrics on the images on which the threshold was chosen, which are too good."""
    held_out: HeldOut | None = None
    """Metrics on images that took no part in choosing it; None if there were none."""

    @model_validator(mode="after")
    def _has_a_threshold_or_says_why(self) -> OperatingPoint:
        if (self.threshold is None) != bool(self.absent):
            raise ValueError("an operating point has a threshold, or says why it has none")
        return self

    @property
    def moves_with_prevalence(self) -> bool:
        """Tell whether the threshold is a limit on the probability itself, as from costs.

        Such a threshold is compared with the probability corrected to the share of melanoma
        that the user asks for. A threshold of another kind is a position in the ranking of
        the images, which does not depend on the share of melanoma.
        """
        return self.kind in {"cost", "decision_curve"}

    @property
    def of_the_folds(self) -> bool:
        """Tell whether the folds' networks answered the images on which it was chosen.

        So it is in a model that learnt from all rows (`refit`): what those networks find at
        a threshold says nothing certain of this one.
        """
        return self.chosen_on == OUT_OF_FOLD and self.threshold is not None

    @property
    def only_untold(self) -> bool:
        """Tell whether it was chosen on answers without age, sex and site alone."""
        return self.chosen_on == OWN_UNTOLD

    @property
    def of_the_exact(self) -> bool:
        """Tell whether a guarantee holds for the exact network, and here 8 bits compute."""
        promises = self.kind == "guaranteed_sensitivity" and self.confidence is None
        return promises and self.threshold is not None and not self.of_the_folds

    @property
    def aim(self) -> str:
        """The aim of the threshold, as the end of a sentence: "to find 95 % …"."""
        if self.kind == "youden":
            return "where sensitivity and specificity add up to most"
        if self.kind == "decision_curve":
            return "where it gains most over excising all or none"
        if self.kind == "cost":
            return (
                f"for a miss that costs {self.cost_miss or 0:g} and a needless excision "
                f"that costs {self.cost_excision or 0:g}"
            )
        wish = f"to find {100 * (self.sensitivity or 0):g} % of melanomas"
        if self.kind == "guaranteed_sensitivity" and self.of_the_folds:
            return f"{wish}, by the folds' networks; of this one nothing is guaranteed"
        if self.of_the_exact:
            return f"{wish}, by the exact network; of this one nothing is guaranteed"
        if self.kind == "guaranteed_sensitivity":
            sure = f"{wish}, guaranteed with {100 * (self.confidence or 0):g} % confidence"
            told = ", whether age, sex and site are told or not"
            return sure + told * self.without_metadata
        return f"{wish} on average" + (", by the folds' networks" * self.of_the_folds)


def read_points(entries: Iterable[Mapping[str, Any]]) -> tuple[OperatingPoint, ...]:
    """Return the operating points of a model folder, written in format 1 or 2.

    Entries that cannot be read are left out, since a model folder may come from anybody;
    `unread_points` names them.
    """
    points: list[OperatingPoint] = []
    for entry in entries:
        if "kind" not in entry:
            points += first_format([entry])
            continue
        with suppress(ValidationError):
            points.append(OperatingPoint.model_validate(entry))
    return tuple(points)


def of_the_exact(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operating point of a model folder as it holds in 8 bits: no guarantee."""
    return {**entry, "confidence": None} if "confidence" in entry else {**entry}


def unread_points(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the entries that `read_points` leaves out, fit to be shown."""
    return [
        visible(str(entry.get("name") or "without a name"))
        for entry in entries
        if not read_points([entry])
    ]


def unread_said(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return sentences that name the entries that `read_points` leaves out; "" for none."""
    unread = unread_points(entries)
    if not unread:
        return ""
    count = len(unread)
    return (
        f"{counted(count, 'threshold')} cannot be read and {verb(count, 'is', 'are')} left "
        f"out: {some(unread)}. No melanoma is called by {verb(count, 'it', 'them')}."
    )


def first_format(entries: Iterable[Mapping[str, Any]]) -> tuple[OperatingPoint, ...]:
    """Return the operating points of a model folder of format 1.

    Their thresholds were chosen for a mean sensitivity: a new melanoma is found with the
    wanted probability, on average. Entries that cannot be read are left out.
    """
    points = []
    for entry in entries:
        try:
            points.append(_from_first(entry))
        except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
            continue
    return tuple(points)


def _from_first(entry: Mapping[str, Any]) -> OperatingPoint:
    sensitivity = float(entry["sensitivity"])
    held_out = entry.get("held_out")
    return OperatingPoint(
        name=f"mean_sensitivity_{100 * sensitivity:g}",
        kind="mean_sensitivity",
        threshold=float(entry["threshold"]),
        sensitivity=sensitivity,
        method="conformal, each melanoma for itself",
        chosen_on=entry["chosen_on"],
        n_melanomas=entry.get("melanomas", 0),
        n_groups=entry.get("groups", 0),
        held_out=_held_out(held_out) if isinstance(held_out, Mapping) else None,
    )


def _held_out(entry: Mapping[str, Any]) -> HeldOut:
    figures = {
        name: Measured(**{end: found.get(end) for end in ("value", "low", "high")})
        for name in FIGURES
        if isinstance(found := entry.get(name), Mapping)
    }
    return HeldOut(
        n_images=entry["n_images"], n_melanomas=entry["n_melanomas"], figures=figures
    )
