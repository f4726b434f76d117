"""The AUC of each fold and of each archive, compared with the AUC of all images pooled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.evaluation.headline import MOST_PARTS, WHOLE, Counts, whole_of
from lentigo.evaluation.intervals import Interval, count_groups
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import marked
from lentigo.evaluation.trained_anew import corrected_mean
from lentigo.words import aligned, verb

FOLD, DATASET = "fold", "dataset"

ABOUT_MEAN = (
    "The interval of the mean is for trainings on so many images, by the correction of "
    "Nadeau & Bengio for what folds share; that of the pooled AUC is for these models."
)
WHY = {
    FOLD: "Each fold has a model of its own; the pooled AUC also compares scores of "
    "different models, which are not on one scale.",
    DATASET: "The pooled AUC also compares images of different archives: it rises where "
    "the one with more melanomas scores higher, and falls where scales differ.",
}
"""Sentences why the pooled AUC differs from the mean over folds, or over archives."""


@dataclass(frozen=True)
class Part:
    """The counts and the AUC of the images of one fold or one archive."""

    name: str
    n_images: int
    n_groups: int
    n_melanomas: int
    auc: Interval
    fewest: int
    """The number of groups with a melanoma, or with another image, if that is smaller."""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields but `fewest` by name, for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            "n_melanomas": self.n_melanomas,
            "auc": self.auc.as_dict(),
        }


@dataclass(frozen=True)
class Parts:
    """All folds, or all archives, with the AUC of each and of all images pooled."""

    by: str
    """`FOLD` or `DATASET`."""
    parts: tuple[Part, ...]
    pooled: float
    """The AUC over the images of all parts together."""
    shared: int = 0
    """Number of groups with images in several parts."""

    @property
    def mean(self) -> Interval:
        """The mean AUC over the parts, for folds with an interval (`corrected_mean`).

        The interval allows for the training images that models of different folds share;
        each fold is assumed to be predicted by a model trained on all other folds.
        """
        if self.by != FOLD:
            return Interval(self.mean_auc)
        images = sum(part.n_images for part in self.parts)
        judged = images / len(self.parts)
        aucs = [part.auc.value for part in self.parts]
        return corrected_mean(aucs, judged=judged, trained=images - judged)

    @property
    def mean_auc(self) -> float:
        """The mean over the parts whose AUC is defined; NaN if no part's AUC is."""
        known = [p.auc.value for p in self.parts if not math.isnan(p.auc.value)]
        return float(np.mean(known)) if known else math.nan

    @property
    def why(self) -> str:
        """Return the sentence why the pooled AUC differs from the mean over the parts."""
        return WHY[self.by]

    def as_dict(self) -> dict[str, Any]:
        """The parts, their mean and the pooled AUC, ready for JSON."""
        return {
            "parts": [part.as_dict() for part in self.parts],
            "mean_auc": self.mean_auc,
            "mean_interval": self.mean.as_dict(),
            "pooled_auc": self.pooled,
            "n_groups_in_several": self.shared,
            "why": self.why,
        }

    def as_lines(self) -> list[str]:
        """Return the lines of a text table, and why mean and pooled AUC differ."""
        rows: list[tuple[str, ...]] = [
            (self.by, "images", "groups", "melanomas", "AUC", "95 % interval")
        ]
        rows += [_cells(part) for part in self.parts]
        rows.append(("mean", "", "", "", decimal(self.mean_auc), ends(self.mean)))
        rows.append(("pooled", "", "", "", decimal(self.pooled), ""))
        about = [] if math.isnan(self.mean.low) else [ABOUT_MEAN]
        return [*aligned(rows, right=(1, 2, 3, 4)), self.why, *about]


def parts_of(table: pd.DataFrame, by: str, *, pooled: float) -> Parts | None:
    """Judge the rows of each value of the column `by` of `table` on their own.

    `table` has `melanoma`, `probability` and `group`; `pooled` is the AUC of all its rows.
    None where there is no column `by`, or it has only one value or more than 40.
    """
    if by not in table:
        return None
    names = table[by].astype("string").str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    names = names.fillna("not known")
    found = sorted(names.unique(), key=lambda name: (len(name), name))
    if not 2 <= len(found) <= MOST_PARTS:
        return None
    order = found if by == FOLD else sorted(found)
    values = names.to_numpy()
    parts = tuple(judged_part(name, table[values == name]) for name in order)
    pairs = pd.DataFrame({"group": table["group"], "part": names}).drop_duplicates()
    shared = int((pairs["group"].value_counts() > 1).sum())
    return Parts(by, parts, pooled, shared=shared)


def leak_between(parts: Iterable[Parts], counts: Counts) -> list[str]:
    """Return a warning if groups have images in several folds; else an empty list."""
    unit = counts.unit if counts.unit in WHOLE else "group"
    return [
        f"{each.shared:,} of {whole_of(counts)} {verb(each.shared, 'has', 'have')} images "
        "in several folds. Unless its training left them out, the model of a fold learnt "
        f"from other images of the same {unit}s, and all numbers are too high."
        for each in parts
        if each.by == FOLD and each.shared
    ]


def judged_part(name: str, rows: pd.DataFrame) -> Part:
    """Compute the counts and the AUC of `rows` (`melanoma`, `probability`, `group`)."""
    truth = rows["melanoma"].to_numpy(bool)
    group = pd.factorize(rows["group"])[0].astype(np.intp)
    auc = auc_interval(truth, rows["probability"].to_numpy(np.float64), group)
    mine, rest = (count_groups(group[side]) for side in (truth, ~truth))
    return Part(
        name=name,
        n_images=len(rows),
        n_groups=int(rows["group"].nunique()),
        n_melanomas=int(truth.sum()),
        auc=marked({"auc": auc}, with_melanoma=mine, without=rest)["auc"],
        fewest=min(mine, rest),
    )


def ends(interval: Interval) -> str:
    """Format the bounds of an interval, such as "0.8000–0.9000"; empty if they are NaN."""
    if math.isnan(interval.low):
        return ""
    words = f"{decimal(interval.low)}–{decimal(interval.high)}"
    return f"{words}, rough" if interval.rough else words


def _cells(part: Part) -> tuple[str, ...]:
    return (
        part.name,
        f"{part.n_images:,}",
        f"{part.n_groups:,}",
        f"{part.n_melanomas:,}",
        decimal(part.auc.value),
        ends(part.auc) or "none",
    )


def decimal(value: float) -> str:
    """Format a number with four decimals; "undefined" for NaN."""
    return "undefined" if math.isnan(value) else f"{value:.4f}"
