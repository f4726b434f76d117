"""The first sentences of every evaluation: the images, the AUC, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lentigo.visible import visible
from lentigo.words import counted, some, verb

FEWEST = 5
"""With fewer melanomas, or fewer other images, no discrimination is reported."""

MOST_PARTS = 40
"""A column with more values than this is taken as names of images or the like; it is not
used to divide images into folds, archives or subgroups."""

WORTH_SAYING = 0.02
"""Images left out are mentioned in the headline if they are more than this share, of all
images or of the melanomas."""

NOT_ON_RECORD = "how many melanomas are among them is not on record"
"""Said of images left out by a version that did not count the melanomas among them."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The numbers of images, melanomas and groups judged, and of images left out."""

    images: int
    melanomas: int
    groups: int
    unit: str = "group"
    """The unit of a group: "patient", "lesion", "group", "image", or a column name."""
    melanoma_groups: int
    """Groups with a melanoma. `other_groups`: groups with another image. A group may be
    counted in both."""
    other_groups: int
    named: int
    """Images before any was left out."""
    left_out: Mapping[str, int]
    """Reason, such as "without a label" → number of images left out for it."""
    melanomas_left_out: int | None = 0
    """Number of melanomas among the images left out, as far as the truth says; None where
    it is not known."""
    melanomas_named: int = 0
    """Melanomas before any was left out; 0 where these are the judged and the lost ones."""

    @property
    def others(self) -> int:
        """The number of images that are not melanoma."""
        return self.images - self.melanomas


def whose(counts: Counts) -> str:
    """Return words such as " of 15 patients"; empty where each image is its own group."""
    return "" if counts.unit == "image" else f" of {whole_of(counts)}"


def whole_of(counts: Counts) -> str:
    """Return the number of groups in words: "15 patients", or "15 groups by clinic"."""
    if counts.unit in WHOLE:
        return counted(counts.groups, counts.unit)
    return f"{counted(counts.groups, 'group')} by {counts.unit}"


WHOLE = ("patient", "lesion", "group")
"""Units of groups that have a plural; any other is the name of a column."""


def too_narrow(counts: Counts) -> str:
    """Return a warning if each image is its own group (narrow intervals); else empty."""
    if counts.unit != "image":
        return ""
    return (
        "Each image counted as its own patient: intervals are too narrow if some patients "
        "have several images."
    )


def too_few(counts: Counts) -> str:
    """Return why there are too few images or groups to report an AUC; else empty."""
    rarest = min(counts.melanomas, counts.others)
    if rarest < FEWEST:
        return (
            "nothing can be said about how well melanoma is told apart, which takes at "
            f"least {FEWEST} melanomas and {FEWEST} other images"
        )
    if min(counts.melanoma_groups, counts.other_groups) < FEWEST:
        unit = counts.unit if counts.unit in WHOLE else "group"
        return (
            "nothing can be said about how well melanoma is told apart: the melanomas are "
            f"of {counted(counts.melanoma_groups, unit)}, the other images of "
            f"{counts.other_groups:,}, and it takes at least {FEWEST} of either"
        )
    return ""


def left_out(counts: Counts, *, where: str = "") -> str:
    """Return such as "12 of 72 images (16.7 %) are left out: …"; empty for up to 2 %.

    That is 2 % of the images and of the melanomas; where the latter are not known, it is
    said of any image. `where` is added after "images", such as " of the table".
    """
    known = counts.melanomas_left_out is not None
    lost, melanomas = sum(counts.left_out.values()), counts.melanomas_left_out or 0
    named = counts.melanomas_named or counts.melanomas + melanomas
    few = known and melanomas <= WORTH_SAYING * named
    if not lost or (lost <= WORTH_SAYING * counts.named and few):
        return ""
    reasons = ", ".join(f"{many:,} {why}" for why, many in counts.left_out.items() if many)
    return (
        f"{lost:,} of {counted(counts.named, 'image')}{where} "
        f"({100 * lost / counts.named:.1f} %) {verb(lost, 'is', 'are')} left out: {reasons}"
        + ("" if known else f"; {NOT_ON_RECORD}")
        + (f"; {counted(melanomas, 'melanoma')} among them" if melanomas else "")
    )


def upside_down(high: float) -> str:
    """Return a warning if `high`, the upper bound of the AUC, is below 0.5; else empty."""
    if math.isnan(high) or high >= 0.5:
        return ""
    return (
        "The whole interval of the AUC lies below 0.5: melanomas score lower than other "
        "images. Are the labels, or the probabilities, the wrong way round?"
    )


def upside_down_within(bounds: Iterable[tuple[str, float]]) -> str:
    """Return a warning on parts of the images whose AUC lies below 0.5; empty without any.

    `bounds` has the name of each part, such as "site torso", with the upper bound of its
    AUC.
    """
    names = list(dict.fromkeys(visible(name) for name, high in bounds if high < 0.5))
    if not names:
        return ""
    return (
        f"The whole interval of the AUC lies below 0.5 in {some(names)}: melanomas score "
        "lower than other images there. Are the labels, or the probabilities, the wrong "
        "way round there?"
    )


def headline(counts: Counts, auc: str, *, high: float) -> list[str]:
    """Return the first sentences of an evaluation.

    `auc` is the AUC with its interval, in words; `high` is the upper bound of the interval.
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
