"""The findings of a stress test in words: what besides the lesion a model depends on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.stress import Answered, Judged, tied_to
from lentigo.imaging.disturbances import DISTURBANCES
from lentigo.imaging.disturbances.occlusion import OCCLUSIONS
from lentigo.robustness.conditions import Condition
from lentigo.words import counted, some

AT = 3
"""Strength of disturbances in findings: it is clearly visible, and so is the lesion."""
SHIFTED = 0.5
"""Mean change of the log-odds, in standard deviations of the undisturbed log-odds, from
which a disturbance is a finding."""
TIED = 0.15
"""A file property is a finding if, over pairs of images, the share in which the file with
the larger property has the higher prediction differs from 0.5 by at least this."""
WITHOUT = 0.6
"""Least AUC on images with a hidden lesion that is a finding: the model uses more than the
lesion."""
CONFIDENCE = 0.05
"""Probability of a false finding over all disturbances together (Bonferroni)."""

_FILES = {
    "megapixels": ("more pixels", "fewer pixels"),
    "bytes": ("more bytes", "fewer bytes"),
}
_HEADS = {
    "drawn": "Reads what lies on the skin",
    "camera": "Reads the file",
    "light": "Reads the light",
    "skin": "Reads the skin tone",
    "view": "Reads the size",
}


@dataclass(frozen=True)
class Finding:
    """One property other than the lesion that changes a model's predictions."""

    name: str
    """Name of the disturbance, of the file property, or of the way to hide the lesion."""
    head: str
    """Heading that says what the model uses, such as "Reads the light"."""
    sentence: str
    """The size of the effect, in words."""
    size: float
    """Size of the effect, by which findings are sorted."""

    def as_dict(self) -> dict[str, str | float]:
        """Return `name`, `head` and `sentence`, for JSON."""
        return {"name": self.name, "head": self.head, "sentence": self.sentence}


def findings(
    plain: Answered,
    judged: Mapping[Condition, Judged],
    facts: Mapping[str, np.ndarray],
) -> tuple[Finding, ...]:
    """Return the findings of a stress test, the largest effect first.

    `plain` has the undisturbed predictions of N images. `judged` has the results of each
    condition, with simultaneous intervals of the shifts. `facts` has, by name, properties
    of the image files such as `bytes`, (N,) each.
    """
    found = [*_shifted(plain, judged), *_hidden(judged), *_tied(plain, facts)]
    return tuple(sorted(found, key=lambda each: -each.size))


def remarks(plain: Answered, judged: Mapping[Condition, Judged]) -> tuple[str, ...]:
    """Return sentences on the disturbances that are not among the findings.

    They name those that moved the predictions as much as a finding but cannot be told from
    chance, and the one that loses most calls of melanoma; or they say that none moved the
    predictions, or that none was tried.
    """
    moved = _moved(plain, judged)
    if not moved:
        return (NOT_TRIED,)
    if not any(math.isfinite(size) for size in moved.values()):
        return (NO_SPREAD,)
    large = {each for each, size in moved.items() if abs(size) >= SHIFTED}
    sure = {each for each in large if _is_sure(judged[each])}
    said = []
    if unsure := sorted(large - sure, key=lambda each: -abs(moved[each])):
        named = [f"{each.title} ({moved[each]:+.1f})" for each in unsure]
        said.append(
            f"Not sure: {some(named, at_most=5)} moved the answers by half a standard "
            "deviation of the log-odds or more on average (in brackets), but there are too "
            "few groups, or their answers differ too much, to tell it from chance."
        )
    elif not sure:
        said.append(
            f"Of {counted(len(moved), 'disturbance')} tried, none of medium strength moved "
            f"the answers by half a standard deviation on average. {NO_PROOF}"
        )
    return (*said, *_lost(judged, moved, calls=int(plain.called.sum())))


NO_PROOF = "That is no proof that the model reads the lesion alone."
NOT_TRIED = (
    "No disturbance of medium strength was tried: what moves the answers besides the "
    "lesion is not known."
)
NO_SPREAD = (
    "All undisturbed answers are the same, so it cannot be said by how much a disturbance "
    "moves them."
)


def _moved(plain: Answered, judged: Mapping[Condition, Judged]) -> dict[Condition, float]:
    """Return the mean shift by each disturbance of medium strength, in deviations."""
    spread = float(np.nanstd(plain.logit))
    return {
        condition: each.shift.value / spread if spread > 0 else math.nan
        for condition, each in judged.items()
        if condition.name in DISTURBANCES and condition.strength == AT
    }


def _is_sure(each: Judged) -> bool:
    return each.shift.low > 0 or each.shift.high < 0


def _lost(
    judged: Mapping[Condition, Judged], moved: Iterable[Condition], *, calls: int
) -> Iterable[str]:
    """Yield a sentence on the disturbance that loses most calls of melanoma, if any.

    `calls` is the number of undisturbed images that are called.
    """
    known = [each for each in moved if judged[each].from_melanoma.value > 0]
    if known:
        worst = max(known, key=lambda each: judged[each].from_melanoma.value)
        share = _percent(judged[worst].from_melanoma)
        yield (
            f"Most calls of melanoma are lost by {worst.title}, strength {AT}: {share} of "
            f"{counted(calls, 'undisturbed call')}."
        )


def _shifted(plain: Answered, judged: Mapping[Condition, Judged]) -> Iterable[Finding]:
    for condition, moved in _moved(plain, judged).items():
        each = judged[condition]
        if not (_is_sure(each) and abs(moved) >= SHIFTED):
            continue
        row = DISTURBANCES[condition.name]
        yield Finding(
            row.name,
            _HEADS[row.group],
            f"The log-odds {_way(moved)} by {_size(each.shift)} on average "
            f"({abs(moved):.1f} standard deviations), and the probability changes by "
            f"{_signed(each.probability_change)}, when {row.when} (strength {AT} of 5)"
            f"{_calls(each)}.",
            abs(moved),
        )


def _way(moved: float) -> str:
    return "rise" if moved > 0 else "fall"


def _calls(each: Judged) -> str:
    """Return what becomes of the calls, those that are lost first; "" if there is none."""
    said = ""
    if not math.isnan(each.from_melanoma.value):
        said += f"; of the images called melanoma, {_percent(each.from_melanoma)} are not "
        said += "any more"
    if not math.isnan(each.to_melanoma.value):
        said += f"; of those not called melanoma, {_percent(each.to_melanoma)} are then"
    return said


def _hidden(judged: Mapping[Condition, Judged]) -> Iterable[Finding]:
    said = {
        "without_lesion": "with the lesion hidden and its shape left",
        "without_box": "with a box over the lesion",
    }
    for condition, each in judged.items():
        if condition.name not in OCCLUSIONS or condition.name not in said:
            continue
        if each.tells and each.auc.low > 0.5 and each.auc.value >= WITHOUT:
            yield Finding(
                condition.name,
                "Knows something without the lesion",
                f"The AUC is {each.auc.in_words} {said[condition.name]}: what is left "
                "tells melanomas from others, unless outlines leave part of the lesions.",
                2 * (each.auc.value - 0.5),
            )


def _tied(plain: Answered, facts: Mapping[str, np.ndarray]) -> Iterable[Finding]:
    alpha = CONFIDENCE / max(2 * len(facts), 1)
    for name, values in facts.items():
        ties = tied_to(plain, values, alpha=alpha)
        own = {label: tie for label, tie in ties.items() if _is_tied(tie)}
        signs = {tie.value > 0.5 for tie in own.values()}
        if not own or len(signs) > 1:
            continue
        label, tie = max(own.items(), key=lambda pair: abs(pair[1].value - 0.5))
        more = tie.value > 0.5
        known = np.isfinite(values)
        alone = auc(plain.truth[known], values[known] * (1 if more else -1))
        words = _FILES.get(name, (f"more {name}", f"less {name}"))[0 if more else 1]
        among = "of melanoma" if label else "of other lesions"
        share = tie if more else Interval(1 - tie.value, 1 - tie.high, 1 - tie.low)
        yield Finding(
            name,
            "Reads the file",
            f"Answers rise with the file: of images {among}, one whose file has {words} "
            f"has the higher answer in {_percent(share)} of pairs.{_told(alone)}"
            f"{DETAIL if name == 'bytes' else ''}",
            2 * abs(tie.value - 0.5),
        )


DETAIL = " A lesion with more detail makes a larger file, too: see how the files were made."
"""Added to what is said of the bytes of a file."""


def _told(alone: float) -> str:
    if math.isnan(alone):
        return ""
    return (
        " In this table that property alone tells melanoma with an AUC of "
        f"{alone:.2f}{', the other way round' if alone < 0.5 else ''}."
    )


def _is_tied(tie: Interval) -> bool:
    sure = tie.low > 0.5 or tie.high < 0.5
    return bool(sure and abs(tie.value - 0.5) >= TIED)


def _size(found: Interval) -> str:
    """Format the size of a shift whose interval does not hold 0."""
    low, high = sorted((abs(found.low), abs(found.high)))
    return f"{abs(found.value):.2f} ({low:.2f}–{high:.2f})"


def _signed(found: Interval) -> str:
    """Format a change with its sign: "+0.31 (+0.25 to +0.37)"."""
    sizes = [abs(n) for n in (found.value, found.low, found.high) if not math.isnan(n)]
    digits = 2 if max(sizes) >= 0.095 else 3 if max(sizes) >= 0.0095 else 4
    value, low, high = (f"{n:+.{digits}f}" for n in (found.value, found.low, found.high))
    return value if math.isnan(found.low) else f"{value} ({low} to {high})"


def _percent(found: Interval) -> str:
    if math.isnan(found.value):
        return "none"
    if math.isnan(found.low):
        return f"{100 * found.value:.0f} %"
    return f"{100 * found.value:.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"
