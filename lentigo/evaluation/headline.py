"""The sentences at the head of every result: on what, how good, and what cannot be said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lentigo.words import counted, verb

FEWEST = 5
"""With fewer melanomas, or fewer other images, nothing is said about telling them apart."""

MOST_PARTS = 40
"""A column with more values does not divide images into folds, archives or subgroups; it
names them."""

WORTH_SAYING = 0.02
"""From this share upwards, what is left out stands in the headline."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The numbers of images that were judged, and that were not."""

    images: int
    melanomas: int
    groups: int
    unit: str = "group"
    """What a group is: "patient", "lesion", "group", "image", or the name of a column."""
    melanoma_groups: int
    """Groups with a melanoma; those with another image may be the same."""
    other_groups: int
    named: int
    """Images that there were before any was left out."""
    left_out: Mapping[str, int]
    """How many could not be judged, by the reason ("without a label")."""

    @property
    def others(self) -> int:
        """Images that are no melanoma."""
        return self.images - self.melanomas


def whose(counts: Counts) -> str:
    """Whose images they are: " of 15 patients"; empty where each stands for itself."""
    if counts.unit == "image":
        return ""
    if counts.unit in _PLURALS:
        return f" of {counted(counts.groups, counts.unit)}"
    return f" of {counted(counts.groups, 'group')} by {counts.unit}"


_PLURALS = {"patient": "patients", "lesion": "lesions", "group": "groups"}


def too_narrow(counts: Counts) -> str:
    """A warning where single images were taken as independent; empty otherwise."""
    if counts.unit != "image":
        return ""
    return (
        "Each image counted as its own patient: intervals are too narrow if some patients "
        "have several images."
    )


def too_few(counts: Counts) -> str:
    """Say why melanoma cannot be judged with so few images; empty where it can."""
    rarest = min(counts.melanomas, counts.others)
    if rarest < FEWEST:
        return (
            "nothing can be said about how well melanoma is told apart, which takes at "
            f"least {FEWEST} melanomas and {FEWEST} other images"
        )
    if min(counts.melanoma_groups, counts.other_groups) < FEWEST:
        unit = counts.unit if counts.unit in _PLURALS else "group"
        return (
            "nothing can be said about how well melanoma is told apart: the melanomas are "
            f"of {counted(counts.melanoma_groups, unit)}, the other images of "
            f"{counts.other_groups:,}, and it takes at least {FEWEST} of either"
        )
    return ""


def left_out(counts: Counts, *, where: str = "") -> str:
    """Say what is left out, if over 2 %: "12 of 72 images (16.7 %) are left out: …"."""
    lost = sum(counts.left_out.values())
    if not lost or lost <= WORTH_SAYING * counts.named:
        return ""
    reasons = ", ".join(f"{many:,} {why}" for why, many in counts.left_out.items() if many)
    return (
        f"{lost:,} of {counted(counts.named, 'image')}{where} "
        f"({100 * lost / counts.named:.1f} %) {verb(lost, 'is', 'are')} left out: {reasons}"
    )


def upside_down(high: float) -> str:
    """A question where the upper end of the AUC's interval is below 0.5; else empty."""
    if math.isnan(high) or high >= 0.5:
        return ""
    return (
        "The whole interval of the AUC lies below 0.5: melanomas score lower than other "
        "images. Are the labels, or the probabilities, the wrong way round?"
    )


def headline(counts: Counts, auc: str, *, high: float) -> list[str]:
    """The sentences over an evaluation; `auc` is the number with its interval, in words.

    `high` is the upper end of that interval.
    """
    share = 100 * counts.melanomas / counts.images if counts.images else math.nan
    start = (
        f"On {counted(counts.images, 'image')}{whose(counts)}, "
        f"{counted(counts.melanomas, 'melanoma')} among them ({share:.1f} %)"
    )
    few = too_few(counts)
    first = f"{start}: {few}" if few else f"{start}, the AUC is {auc}"
    lost = left_out(counts)
    sentences = [f"{first}; {lost}." if lost else f"{first}."]
    narrow = too_narrow(counts)
    return [*sentences, *([narrow] if narrow else []), *_if_any(few, high)]


def _if_any(few: str, high: float) -> list[str]:
    question = "" if few else upside_down(high)
    return [question] if question else []
