"""Notes on periods that cannot be compared, or not as they are, for drift."""

from __future__ import annotations

import math

import pandas as pd

from lentigo.evaluation.drift import Side
from lentigo.evaluation.drift_deals import FEWEST_GROUPS
from lentigo.models.metadata import WITHOUT
from lentigo.tables import WITHOUT_METADATA
from lentigo.words import counted

_UNTOLD, _SAME = f"logit{WITHOUT_METADATA}", 1e-9
_TOLD_APART = 0.05
"""Difference of the shares of images told of from which it may move the answers."""


def told_apart(first: Side, period: Side) -> str:
    """Return a note if age, sex and site were told of other shares of images; or "".

    `first` is the reference. A table of a run, which has both answers of each image, and
    one of `lentigo predict`, which names what was used, both tell it.
    """
    before, now = _told_of(first.table), _told_of(period.table)
    if math.isnan(before) or math.isnan(now) or abs(before - now) < _TOLD_APART:
        return ""
    advice = (
        "Give 'lentigo predict' a table that tells of as many."
        if now < before
        else "Give a --reference that was predicted with a table that tells of as many."
    )
    return (
        f"{period.name}: age, sex or site were used for {100 * now:.0f} % of the "
        f"answers, in the reference for {100 * before:.0f} %. The answers may have moved "
        f"for this alone. {advice}"
    )


def _told_of(table: pd.DataFrame) -> float:
    """Return the share of answers with age, sex or site; NaN for a model without these."""
    known = table["probability"].notna()
    if "metadata" in table:
        used = table["metadata"].fillna(WITHOUT) != WITHOUT
    elif {"logit", _UNTOLD} <= set(table):  # of a run: both answers of each image
        used = (table["logit"] - table[_UNTOLD]).abs() > _SAME
    else:
        return math.nan
    return float(used[known].mean()) if known.any() else math.nan


def large_enough(periods: list[Side]) -> tuple[list[Side], list[str]]:
    """Return the periods that can be compared, and notes that name the others.

    If none can be compared all are returned, so that the comparison says why.
    """
    counts = {each.name: len(pd.unique(pd.Series(each.groups))) for each in periods}
    enough = [each for each in periods if counts[each.name] >= FEWEST_GROUPS]
    if not enough:
        return periods, []
    notes = [
        f"{name} is not compared: it has images of {counted(count, 'group')} (patients, "
        f"else lesions, else images); at least {FEWEST_GROUPS} are needed."
        for name, count in counts.items()
        if count < FEWEST_GROUPS
    ]
    return enough, notes
