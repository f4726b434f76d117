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
    spread = float(np.nanstd(plain.logit))
    found = [*_shifted(judged, spread), *_hidden(judged), *_tied(plain, facts)]
    return tuple(sorted(found, key=lambda each: -each.size))


def _shifted(judged: Mapping[Condition, Judged], spread: float) -> Iterable[Finding]:
    for condition, each in judged.items():
        if condition.name not in DISTURBANCES or condition.strength != AT:
            continue
        row = DISTURBANCES[condition.name]
        moved = each.shift.value / spread if spread > 0 else math.nan
        sure = each.shift.low > 0 or each.shift.high < 0
        if not (sure and abs(moved) >= SHIFTED):
            continue
        yield Finding(
            row.name,
            _HEADS[row.group],
            f"Answers {_way(moved)} by {_number(each.probability_change)} in probability "
            f"({abs(moved):.1f} standard deviations of the log-odds) when {row.when} "
            f"(strength {AT} of 5); {_calls(each, rising=moved > 0)}.",
            abs(moved),
        )


def _way(moved: float) -> str:
    return "rise" if moved > 0 else "fall"


def _calls(each: Judged, *, rising: bool) -> str:
    if rising:
        return (
            f"of the images not called melanoma, {_percent(each.to_melanoma)} are "
            "called so then"
        )
    return f"of the images called melanoma, {_percent(each.from_melanoma)} are not any more"


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
                "tells melanomas from others.",
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
            f"has the higher answer in {_percent(share)} of pairs. In this table "
            f"that property alone tells melanoma with an AUC of {alone:.2f}.",
            2 * abs(tie.value - 0.5),
        )


def _is_tied(tie: Interval) -> bool:
    sure = tie.low > 0.5 or tie.high < 0.5
    return bool(sure and abs(tie.value - 0.5) >= TIED)


def _number(found: Interval) -> str:
    value, ends = abs(found.value), sorted((abs(found.low), abs(found.high)))
    digits = 2 if value >= 0.095 else 3 if value >= 0.0095 else 4
    if found.low < 0 < found.high or math.isnan(found.low):
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({ends[0]:.{digits}f}–{ends[1]:.{digits}f})"


def _percent(found: Interval) -> str:
    if math.isnan(found.value):
        return "none"
    if math.isnan(found.low):
        return f"{100 * found.value:.0f} %"
    return f"{100 * found.value:.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"
