"""The images of a reader study, with each reader's ratings and calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval, count_groups
from lentigo.evaluation.joining import LABEL, Matched
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import marked
from lentigo.words import counted


@dataclass(frozen=True)
class Case:
    """N images, with the ratings and calls of each reader under each condition."""

    truth: BoolArray
    """Whether each image is a melanoma, (N,)."""
    score: FloatArray | None
    """The probabilities of the model, (N,); None without a model."""
    group: IntArray
    """Number of the group of each image, (N,)."""
    conditions: list[str]
    readers: list[str]
    rating: FloatArray
    """(conditions, readers, N), higher for likelier melanoma; NaN where there is none."""
    call: FloatArray
    """(conditions, readers, N): 1 melanoma, 0 not; NaN where there is none."""

    @classmethod
    def of(
        cls,
        readings: pd.DataFrame,
        matched: Matched,
        group: pd.Series[str],
        *,
        scored: bool,
    ) -> Case:
        """Make a `Case` of readings (`Readings.table`) for the images of `matched`.

        `group` is the group of each matched image; `scored` is whether their probabilities
        are those of a model.
        """
        table = matched.table
        place = {image: at for at, image in enumerate(table["image_id"])}
        rows = readings[readings["image_id"].isin(place)]
        conditions = list(dict.fromkeys(rows["condition"]))
        readers = sorted(set(rows["reader"]), key=_in_order)
        where = (
            rows["condition"].map(conditions.index).to_numpy(np.intp),
            rows["reader"].map(readers.index).to_numpy(np.intp),
            rows["image_id"].map(place).to_numpy(np.intp),
        )
        values = []
        for column in ("rating", "call"):
            filled = np.full((len(conditions), len(readers), len(table)), np.nan)
            filled[where] = rows[column].to_numpy(np.float64)
            values.append(filled)
        return cls(
            truth=table[LABEL].to_numpy(bool),
            score=table["probability"].to_numpy(np.float64) if scored else None,
            group=pd.factorize(group)[0].astype(np.intp),
            conditions=conditions,
            readers=readers,
            rating=values[0],
            call=values[1],
        )

    def has(self, metric: str) -> FloatArray:
        """Return the array that `metric` is computed from: ratings for AUC, else calls."""
        return self.rating if metric == "auc" else self.call

    def model(self) -> Interval | None:
        """Return the model's AUC on the images; None without a model."""
        if self.score is None:
            return None
        return auc_of(self.truth, self.score, self.group)

    def notes(self) -> list[str]:
        """Return sentences on absent calls, images not read by all, and tied majorities."""
        found = []
        if np.isnan(self.call).all():
            found.append(
                "The ratings say nothing of what a reader calls melanoma: give the rating "
                "from which on it is one (--call-from 3) for sensitivity and specificity."
            )
        for metric, what in (("auc", "ratings"), ("sensitivity", "calls")):
            values = self.has(metric)
            there = ~np.isnan(values)
            crossed = int(there.all(axis=(0, 1)).sum())
            if there.any() and len(self.readers) > 1 and crossed < values.shape[2]:
                found.append(
                    f"Means over readers from {what} rest on the {crossed:,} of "
                    f"{counted(values.shape[2], 'image')} that all of them read."
                )
        ties = int((share_of_calls(self.call) == 0.5).sum())
        if ties:
            found.append(
                f"Of {counted(ties, 'image')} exactly half of the readers called melanoma; "
                "the majority counts as having called it."
            )
        return found


def _in_order(name: str) -> list[tuple[int, str]]:
    """Return a sort key by words and numbers, so that reader 2 comes before reader 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def share_of_calls(calls: FloatArray) -> FloatArray:
    """Return the share of readers who called melanoma, among those with a call.

    `calls` is (readers, N) or (conditions, readers, N); the result is (N,) or
    (conditions, N), NaN where no reader made a call.
    """
    said = (~np.isnan(calls)).sum(axis=-2)
    return np.where(said > 0, np.nansum(calls, axis=-2) / np.maximum(said, 1), np.nan)


def auc_of(truth: BoolArray, score: FloatArray, group: IntArray) -> Interval:
    """Return the AUC of scores, (N,), with an interval, marked as rough where it is."""
    with_melanoma, without = sides(truth, group)
    found = {"auc": auc_interval(truth, score, numbered(group))}
    return marked(found, with_melanoma=with_melanoma, without=without)["auc"]


def complete(values: FloatArray) -> BoolArray:
    """Tell for each of N images whether all M rows of `values`, (M, N), have a number."""
    return np.asarray(~np.isnan(values).any(axis=0))


def sides(truth: BoolArray, group: IntArray) -> tuple[int, int]:
    """Return the numbers of groups with a melanoma, and of groups with another image."""
    return count_groups(group[truth]), count_groups(group[~truth])


def enough(truth: BoolArray, group: IntArray, *, metric: str = "auc") -> bool:
    """Tell whether the images that `metric` rests on lie in two groups or more.

    A sensitivity rests on melanomas, a specificity on other images, an AUC on both.
    """
    melanomas, others = sides(truth, group)
    rests_on = {"sensitivity": melanomas, "specificity": others}
    return rests_on.get(metric, min(melanomas, others)) >= 2


def numbered(group: IntArray | Sequence[int]) -> IntArray:
    """Renumber the groups from 0 without gaps, (N,)."""
    return np.unique(group, return_inverse=True)[1].astype(np.intp)
