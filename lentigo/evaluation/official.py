"""Scores computed as the organisers of the ISIC challenges do, even where unusual."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError, unknown_name
from lentigo.evaluation.discrimination import (
    BoolArray,
    FloatArray,
    auc,
    average_precision,
    roc_curve,
)
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Source, match
from lentigo.evaluation.multiclass import likeliest
from lentigo.evaluation.official_columns import column_of, from_words
from lentigo.evaluation.partial_auc import partial_auc
from lentigo.tables import ROUNDING
from lentigo.words import aligned, counted, some, verb

MELANOMA, MALIGNANT = "melanoma", "malignant"
_MALIGNANT_TRUTH = tuple(f"{name}{OF_TRUTH}" for name in ("malignant", "target"))
"""Columns of a truth table that hold the label of ISIC 2024 (malignant or not)."""
_2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
_LEFT_OUT = "ISIC_0035068"
"""The image of ISIC 2019 that the official scorer leaves out (weight 0)."""
SHARES = ("accuracy", "sensitivity", "specificity", "dice", "ppv", "npv")


@dataclass(frozen=True)
class Challenge:
    """One challenge: the diagnoses to predict, and the metric that ranks the entries."""

    categories: tuple[str, ...]
    decides: str
    """Name of the ranking metric: a column of `Official.by_category`, or
    `balanced_accuracy`."""
    said: str
    """The ranking metric in words."""


CHALLENGES: Mapping[str, Challenge] = {
    "isic2016": Challenge((MELANOMA,), "ap", "average precision"),
    "isic2017": Challenge(
        (MELANOMA, "seborrheic_keratosis"), "auc", "mean AUC of the two diagnoses"
    ),
    "isic2018": Challenge(_2018, "balanced_accuracy", "balanced multi-class accuracy"),
    "isic2019": Challenge(_2019, "balanced_accuracy", "balanced multi-class accuracy"),
    "siim2020": Challenge((MELANOMA,), "auc", "AUC"),
    "isic2024": Challenge((MALIGNANT,), "partial_auc_80", "area above 80 % sensitivity"),
}
"""Challenges by name, with the metric that ranked the entries."""


@dataclass(frozen=True)
class Official:
    """The scores of one challenge."""

    challenge: str
    """Name of the challenge, as `lentigo evaluate --challenge` takes it."""
    score: float
    """The value of the metric that ranked the entries."""
    by_category: pd.DataFrame
    """One row a diagnosis: the metrics `SHARES` (calls are probabilities above 0.5), auc,
    auc_sens_80, ap and partial_auc_80."""
    balanced_accuracy: float
    """The mean recall over diagnoses; NaN where the challenge has one diagnosis."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return scores, the ranking metric in words, and notes, for JSON."""
        return {
            "challenge": self.challenge,
            "decides": CHALLENGES[self.challenge].said,
            "score": self.score,
            "balanced_accuracy": self.balanced_accuracy,
            "by_category": self.by_category.to_dict(orient="index"),
            "notes": list(self.notes),
        }

    def as_lines(self) -> list[str]:
        """Return the lines of the score in a sentence, a text table, and the notes."""
        rows: list[tuple[str, ...]] = [("", *map(str, self.by_category))]
        for name, values in self.by_category.T.items():
            rows.append((str(name), *(f"{value:.4f}" for value in values)))
        head = f"As {self.challenge} scores, {CHALLENGES[self.challenge].said}: "
        return [f"{head}{self.score:.6f}", *aligned(rows), *self.notes]


def official_scores(
    challenge: str,
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
) -> Official:
    """Score predictions as the organisers of `challenge` (`CHALLENGES`) do.

    Unlike in the rest of lentigo, an image is called positive above a probability of 0.5
    (not at 0.5), an undefined share (sensitivity without a positive, PPV without a call …)
    counts as 1, there are no intervals, and no diagnosis is called where two tie for the
    highest probability. The organisers reject a table with an image missing or too many;
    this function scores the images that match, and adds a note.

    Raises the errors of `match`, `UnknownNameError` when `challenge` is unknown, and
    `ColumnError` when one of its diagnoses has no column or a column has a row without a
    number.
    """
    if challenge not in CHALLENGES:
        raise unknown_name("challenge", challenge, CHALLENGES)
    known = CHALLENGES[challenge]
    matched = match(predictions, truth, columns=columns)
    table, notes = matched.table, []
    if lost := sum(matched.left_out.values()):
        notes.append(
            f"The organisers would refuse this: {counted(lost, 'image')} left out."
        )
    if challenge == "isic2019" and (table["image_id"] == _LEFT_OUT).any():
        table = table[table["image_id"] != _LEFT_OUT]
        notes.append(f"{_LEFT_OUT} has no weight, as the organisers decided.")
    if MALIGNANT in known.categories and not set(_MALIGNANT_TRUTH) & set(table):
        notes.append(
            "The organisers ask whether a lesion is malignant. The truth has no column "
            "malignant or target, so melanoma stands for it here."
        )
    pairs = {name: _columns(table, name, known.categories) for name in known.categories}
    notes += _of_none([side for side, _ in pairs.values()])
    rows = {name: _category(*pair) for name, pair in pairs.items()}
    by_category = pd.DataFrame.from_dict(rows, orient="index")
    balanced = _balanced(pairs) if len(pairs) > 1 else math.nan
    score = balanced if known.decides == "balanced_accuracy" else math.nan
    if known.decides in by_category:
        score = float(by_category[known.decides].mean())
    return Official(challenge, score, by_category, balanced, tuple(notes))


def _columns(
    table: pd.DataFrame, name: str, categories: Sequence[str]
) -> tuple[BoolArray, FloatArray]:
    """Return label and probability of the diagnosis `name` of `categories`, (N,) each.

    The label is read from a column of the truth, else from its column of diagnoses.

    Raises `ColumnError` when the predictions or the truth have no such column, or a
    probability lies outside 0–1.
    """
    if name in {MELANOMA, MALIGNANT, "MEL"}:
        truth, score = table[LABEL], table["probability"]
        if name == MALIGNANT and (column := _first(table, _MALIGNANT_TRUTH)):
            return _known(table[column], column) > 0.5, score.to_numpy(np.float64)
        return truth.to_numpy(bool), score.to_numpy(np.float64)
    ours = column_of(table, name, of_truth=False)
    theirs = column_of(table, name, of_truth=True)
    if ours is not None and theirs is None:
        label = from_words(table, name, categories)
    else:
        label = None if theirs is None else _known(table[theirs], theirs) > 0.5
    if ours is None or label is None:
        which = "predictions have" if ours is None else "truth has"
        sides = {str(column): str(column).endswith(OF_TRUTH) for column in table}
        there = [column for column, of_truth in sides.items() if of_truth != (ours is None)]
        raise ColumnError(
            f"The {which} no column {name}, which this challenge asks for; there is "
            f"{some([each.removesuffix(OF_TRUTH) for each in there], at_most=8)}."
        )
    own = _known(table[ours], ours)
    if beyond := int(((own < -ROUNDING) | (own > 1 + ROUNDING)).sum()):
        raise ColumnError(
            f"{counted(beyond, 'row')} of the column {ours} "
            f"{verb(beyond, 'lies', 'lie')} outside 0–1 ({own.min():.3g} to "
            f"{own.max():.3g}), which this challenge refuses."
        )
    return label, own


def _first(table: pd.DataFrame, names: Iterable[str]) -> str:
    return next((name for name in names if name in table), "")


def _known(column: pd.Series[Any], name: str) -> FloatArray:
    """Return a column as numbers. Raises `ColumnError` when a row has no number."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    if missing := int(np.isnan(numbers).sum()):
        raise ColumnError(
            f"{counted(missing, 'row')} of the column {name} "
            f"{verb(missing, 'holds', 'hold')} no number, which this challenge asks for."
        )
    return numbers


def _category(truth: BoolArray, score: FloatArray) -> dict[str, float]:
    called = score > 0.5
    tp, fn = float((truth & called).sum()), float((truth & ~called).sum())
    fp, tn = float((~truth & called).sum()), float((~truth & ~called).sum())
    shares = (
        (tp + tn, fp + fn), (tp, fn), (tn, fp), (2 * tp, fp + fn), (tp, fp), (tn, fn),
    )  # fmt: skip
    return {
        **{n: _share(*pair) for n, pair in zip(SHARES, shares, strict=True)},
        "auc": auc(truth, score),
        "auc_sens_80": _auc_above(truth, score, 0.8),
        "ap": average_precision(truth, score),
        "partial_auc_80": partial_auc(truth, score),
    }


def _share(right: float, wrong: float) -> float:
    """Return right / (right + wrong), and 1 for 0 / 0 as in the official scorer."""
    return right / (right + wrong) if right + wrong else 1.0


def _auc_above(truth: BoolArray, score: FloatArray, sensitivity: float) -> float:
    """The area under the part of the ROC curve with a sensitivity of `sensitivity` or more.

    It reaches down to a sensitivity of 0, and so is at most 1. NaN where a class is absent.
    """
    if truth.all() or not truth.any():
        return math.nan
    curve = roc_curve(truth, score)
    first = int(np.searchsorted(curve.y, sensitivity, side="left"))
    around = slice(first - 1, first + 1)
    start = float(np.interp(sensitivity, curve.y[around], curve.x[around]))
    x = np.concatenate([[start], curve.x[first:]])
    y = np.concatenate([[sensitivity], curve.y[first:]])
    return float(np.trapezoid(y, x))


def _of_none(truths: Sequence[BoolArray]) -> list[str]:
    """Return a note on images of none of three or more diagnoses, if there are any."""
    none = int((~np.any(truths, axis=0)).sum()) if len(truths) > 2 else 0
    if not none:
        return []
    return [
        f"{counted(none, 'image')} {verb(none, 'is', 'are')} of none of the diagnoses of "
        "this challenge, whose images are of one each."
    ]


def _balanced(pairs: Mapping[str, tuple[BoolArray, FloatArray]]) -> float:
    """The mean recall of the diagnoses; nothing is called where two tie for the highest."""
    truth = np.column_stack([truth for truth, _ in pairs.values()])
    score = np.column_stack([score for _, score in pairs.values()])
    called = likeliest(score)
    recall = [
        (called[side] == place).mean() for place, side in enumerate(truth.T) if side.any()
    ]
    return float(np.mean(recall)) if recall else math.nan
