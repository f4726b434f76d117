"""Prepare a prediction for the page: the result for a lesion, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lentigo.answer_columns import REFUSED
from lentigo.imaging.kind.unlike import DOUBT
from lentigo.inference.abstention.signals import WORDS
from lentigo.inference.decide import CALLED
from lentigo.models.facts import Measured
from lentigo.models.metadata import WITHOUT
from lentigo.models.operating_point import OperatingPoint
from lentigo.service.answered import Answered
from lentigo.service.answers import predictions
from lentigo.service.page.close import Close
from lentigo.service.page.frequency import Frequency, frequency
from lentigo.service.page.pictures import View
from lentigo.service.schema import ImageAnswer, Judged

_TOLD = (
    "early",
    "energy",
    "spread",
    "members",
    "kind",
    "print",
    "blur",
    "dark",
    "bright",
    "frame",
)
"""Out-of-distribution signals with a text of their own; the others have `why_strange`."""
PHRASES: tuple[tuple[str, str], ...] = (
    *((f"{REFUSED}: {WORDS[name]}", f"why_{name}") for name in _TOLD),
    (REFUSED, "why_strange"),
    (DOUBT, "why_doubted"),
)
"""Phrases in the reason why an image has no probability, and the key of the text for each.
The first phrase that occurs counts."""


@dataclass(frozen=True)
class Judgement:
    """The prediction for a lesion, as the page shows it."""

    judged: Judged
    why: str
    """Key of the text that says why there is no probability, or why to doubt it; empty if
    neither holds."""
    frequency: Frequency | None
    """The probability as a frequency; None without a probability."""
    call: bool | None
    """Whether melanoma is called; None without a call."""
    point: OperatingPoint | None
    """The operating point that gave the call; None without a call."""
    figures: Mapping[str, Measured]
    """Sensitivity, specificity and others of `point` on images that did not choose it;
    empty for a `mean`."""
    mean: bool
    """Whether the prediction is a mean over several images, of which nothing is known."""
    differential: list[tuple[str, float]]
    """Diagnoses and their probabilities, the most probable first."""
    prevalence: float | None
    """Share of melanoma that the probability is meant for; `meant_for`: that of the model's
    own."""
    meant_for: float | None
    left_out: list[LeftOut]
    """The images that the prediction does not count; empty where it counts none."""
    metadata: list[str] | None
    """Which of age, sex and site the model used beside the images; None for a model that
    takes images alone."""


@dataclass(frozen=True)
class LeftOut:
    """An image of the lesion without a prediction, beside others that have one."""

    number: int
    """Number of the image in the request, from 1."""
    why: str
    """Key of the text that says why."""
    reason: str
    """The reason in the prediction, in English."""


@dataclass(frozen=True)
class Shown:
    """One image of the lesion on the page."""

    number: int
    """Number of the image in the request, from 1."""
    address: str
    """The image as a `data:` address; empty if it could not be decoded."""
    views: list[View]
    why: str
    """Key of the text that says why there is no probability, or why to doubt it."""
    reason: str
    """The reason in the prediction, in English."""
    width: int | None
    height: int | None
    close: Close | None = None
    """The explanation; None if none was computed."""


def judgement(answered: Answered) -> Judgement:
    """Return the prediction for the lesion that all images of a request show."""
    answer = predictions(answered)
    judged: Judged = answer.lesions[0] if answer.lesions else answer.images[0]
    counts = [each for each in answer.images if each.probability is not None]
    # A doubt about one image holds for the mean over all that count. Those that do not
    # count say nothing of it, unless there is no other.
    reasons = [each.reason for each in counts or answer.images if each.reason]
    why = why_not(judged.probability, " ".join(reasons))
    point = answered.decision.point
    held_out = point.held_out if point else None
    mean = bool(answer.lesions) and answer.lesions[0].n_images > 1
    return Judgement(
        judged=judged,
        why=why,
        frequency=None if judged.probability is None else frequency(judged.probability),
        call=judged.call == CALLED if judged.call else None,
        point=point,
        # Sensitivity was measured on single images; a mean over several is another answer.
        figures=held_out.figures if held_out and not mean else {},
        mean=mean,
        differential=sorted(judged.diagnoses.items(), key=lambda each: -each[1]),
        prevalence=answer.prevalence,
        meant_for=answer.meant_for,
        left_out=_left_out(answer.images) if counts else [],
        metadata=_metadata(answer.images),
    )


def _left_out(images: Sequence[ImageAnswer]) -> list[LeftOut]:
    return [
        LeftOut(each.image, why_not(None, each.reason), each.reason)
        for each in images
        if each.probability is None
    ]


def _metadata(images: Sequence[ImageAnswer]) -> list[str] | None:
    """Return the metadata used, the same for all images of a request that were decoded."""
    used = next((each.metadata for each in images if each.metadata), None)
    if used is None:
        return None
    return [] if used == WITHOUT else used.split(", ")


def why_not(probability: float | None, reason: str) -> str:
    """Return the key of the text on a missing or doubted `probability`; empty if neither.

    `reason` is the reason in the prediction.
    """
    if probability is not None:
        return "why_doubted" if DOUBT in reason else ""
    return next((key for phrase, key in PHRASES if phrase in reason), "why_unreadable")


def number(value: Measured | None) -> dict[str, Any] | None:
    """Return a share and its interval in per cent; None if it is not known.

    They are whole per cents. What is not quite all, or not quite none, never reads so: 257
    of 258 are "99.6".
    """
    if value is None or value.value is None:
        return None
    return {
        "value": _percent(value.value),
        "low": "?" if value.low is None else _percent(value.low),
        "high": "?" if value.high is None else _percent(value.high),
    }


def _percent(share: float) -> str:
    whole = f"{100 * share:.0f}"
    if whole not in {"0", "100"} or share in {0.0, 1.0}:
        return whole
    return f"{min(max(100 * share, 0.1), 99.9):.1f}"
