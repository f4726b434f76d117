"""Repeated cross-validation: each fold of each repeat, their mean, and each repeat pooled.

In each repeat the groups are divided into folds anew, and every fold has its own model. The
models were trained on much the same images, so the K · R AUCs of K folds and R repeats are
not independent: the interval of their mean is that of Nadeau & Bengio 2003
(doi:10.1023/A:1024068626366), extended to repeats by Bouckaert & Frank 2004
(doi:10.1007/978-3-540-24775-3_3). However many repeats there are, its variance stays above
that of a single AUC times judged / trained images. Nested cross-validation, whose interval
is for losses of single images, which the AUC is not, is in `lentigo.evaluation.nested`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.parts import FOLD, Part, decimal, ends, judged_part
from lentigo.evaluation.telling import tells, told
from lentigo.evaluation.trained_anew import corrected_mean
from lentigo.words import aligned, counted

REPEAT = "repeat"
_MOST = 1000

ABOUT = (
    "In each repeat the groups were dealt anew; the interval of the mean counts that all "
    "these models learnt from much the same images (Nadeau & Bengio), and holds for "
    "trainings on so many images. All other figures are of the first repeat."
)


@dataclass(frozen=True)
class OneRepeat:
    """One repeat of a cross-validation: its folds, and the images of all folds pooled."""

    folds: tuple[Part, ...]
    pooled: Part

    @property
    def mean_auc(self) -> float:
        """The mean AUC over the folds whose AUC is defined; NaN if no fold's AUC is."""
        known = [each.auc.value for each in self.folds if not math.isnan(each.auc.value)]
        return float(np.mean(known)) if known else math.nan


@dataclass(frozen=True)
class Repeats:
    """All repeats of a cross-validation, with the mean AUC over all folds."""

    repeats: tuple[OneRepeat, ...]
    mean: Interval
    """The mean AUC over all folds of all repeats, with the corrected interval."""
    difference: Interval | None = None
    """The mean over folds of the AUC minus that of a baseline on the same folds."""

    @property
    def deviation(self) -> float:
        """Standard deviation over repeats of the mean AUC; NaN with a single repeat.

        It shows how much the result depends on the division into folds.
        """
        means = [each.mean_auc for each in self.repeats]
        return float(np.std(means, ddof=1)) if len(means) > 1 else math.nan

    @property
    def sentence(self) -> str:
        """Return a sentence on the mean AUC, its interval and the deviation of repeats."""
        count = sum(len(each.folds) for each in self.repeats)
        around = ends(self.mean)
        said = (
            f"Over {counted(count, 'fold')} of {counted(len(self.repeats), 'repeat')} the "
            f"mean AUC is {decimal(self.mean.value)} "
            f"({f'95 % interval {around}' if around else 'no interval'})"
        )
        if not math.isnan(self.deviation):
            said += f"; the means of the repeats deviate by {decimal(self.deviation)}"
        if self.difference is not None and not math.isnan(self.difference.value):
            around = ends(self.difference)
            said += (
                f". Fold by fold it differs from the baseline by "
                f"{self.difference.value:+.4f} "
                f"({f'95 % interval {around}' if around else 'no interval'})"
            )
        return f"{said}."

    def as_dict(self) -> dict[str, Any]:
        """Return the folds of each repeat, their mean AUC and deviation, for JSON."""
        return {
            "repeats": [
                {
                    "folds": [fold.as_dict() for fold in each.folds],
                    "pooled": each.pooled.as_dict(),
                    "mean_auc": each.mean_auc,
                }
                for each in self.repeats
            ],
            "mean_interval": self.mean.as_dict(),
            "deviation": self.deviation,
            "difference": self.difference.as_dict() if self.difference else None,
            "sentence": self.sentence,
            "why": ABOUT,
        }

    def as_lines(self) -> list[str]:
        """Return the lines of a text table, and sentences on the mean.

        For each repeat the table has one row per fold, one for the mean of the folds and
        one for their pooled images; the last row is the mean over all folds of all repeats.
        """
        rows: list[tuple[str, ...]] = [
            (REPEAT, FOLD, "images", "melanomas", "AUC", "95 % interval")
        ]
        for number, each in enumerate(self.repeats):
            rows += [_cells(number, fold.name, fold) for fold in each.folds]
            rows.append((str(number), "mean", "", "", decimal(each.mean_auc), ""))
            rows.append(_cells(number, "pooled", each.pooled))
        rows.append(("all", "mean", "", "", decimal(self.mean.value), ends(self.mean)))
        return [*aligned(rows, right=(2, 3, 4)), self.sentence, ABOUT]


def _cells(number: int, name: str, part: Part) -> tuple[str, ...]:
    return (
        str(number), name, f"{part.n_images:,}", f"{part.n_melanomas:,}",
        decimal(part.auc.value), ends(part.auc) or "none",
    )  # fmt: skip


def by_repeat(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Divide predictions into one table for each repeat, sorted by the repeat's number.

    Predictions have repeats if they have a column `fold` and a column `repeat` with 2 to
    1,000 different numbers. Otherwise the result is the one given table.

    Raises `ColumnError` when the repeat of some rows is not known.
    """
    if REPEAT not in table or FOLD not in table:
        return [table]
    number = pd.to_numeric(table[REPEAT], errors="coerce")
    if number.nunique() < 2 or number.nunique() > _MOST:
        return [table]
    if number.isna().any():
        raise ColumnError(
            f"The repeat is not known in {counted(int(number.isna().sum()), 'row')}; each "
            "row of repeated predictions needs its number."
        )
    order = sorted(number.unique())
    return [table[(number == each).to_numpy()].reset_index(drop=True) for each in order]


def judge_repeats(
    tables: list[pd.DataFrame],
    *,
    trained: float | None = None,
    beside: list[pd.DataFrame] | None = None,
) -> Repeats:
    """Judge the predictions of each repeat, fold by fold.

    Each of `tables` (one a repeat) has `melanoma`, `probability`, `group` and `fold`.
    `trained` is the number of images that one model was trained on, by default the mean
    number of images outside its fold; with only one fold in each repeat this is 0, and the
    mean has no interval. `beside` are tables of a baseline's predictions for the same
    folds, for `Repeats.difference`, which has no bounds where a repeat has too few groups
    to tell a difference.
    """
    repeats = tuple(map(_one_repeat, tables))
    folds = [fold for each in repeats for fold in each.folds]
    judged = sum(fold.n_images for fold in folds) / len(folds)
    if trained is None:
        trained = float(np.mean([each.pooled.n_images for each in repeats])) - judged
    difference = None
    if beside is not None:
        others = [fold for table in beside for fold in _one_repeat(table).folds]
        gaps = [
            mine.auc.value - other.auc.value
            for mine, other in zip(folds, others, strict=True)
        ]
        difference = told(
            corrected_mean(gaps, judged=judged, trained=trained, within=(-1.0, 1.0)),
            enough=all(_tells(table) for table in tables),
        )
    aucs = [fold.auc.value for fold in folds]
    mean = corrected_mean(aucs, judged=judged, trained=trained)
    return Repeats(repeats, mean, difference)


def _tells(table: pd.DataFrame) -> bool:
    group = pd.factorize(table["group"])[0].astype(np.intp)
    return tells(table["melanoma"].to_numpy(bool), group)


def _one_repeat(table: pd.DataFrame) -> OneRepeat:
    folds = tuple(judged_part(name, rows) for name, rows in _by_fold(table))
    return OneRepeat(folds, judged_part("pooled", table))


def _by_fold(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    names = table[FOLD].astype("string").str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    names = names.fillna("not known")
    for name in sorted(names.unique(), key=lambda name: (len(name), name)):
        yield name, table[(names == name).to_numpy()]
