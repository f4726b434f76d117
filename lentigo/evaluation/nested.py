"""Nested cross-validation: mean losses with an interval that counts what folds share.

In K-fold cross-validation the losses of images are not independent: the models learnt from
much the same images. Bates, Hastie & Tibshirani 2023 (doi:10.1080/01621459.2023.2197686)
estimate the true variance from models that leave out two folds. For each outer fold, the
mean loss of its images is compared with that of an inner cross-validation of the others:
the squared difference, less the variance within the outer fold, estimates the mean squared
error of cross-validation. The argument is about means of losses of single images, such as
the Brier score; it does not hold for the AUC, which compares images with one another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lentigo.evaluation.calibration import log_losses, squared_errors
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.means import clustered_error
from lentigo.evaluation.parts import decimal, ends
from lentigo.words import aligned, counted

NORMAL = 1.959963984540054
"""97.5 % quantile of the normal distribution, which the paper takes."""

ABOUT = (
    "Nested cross-validation (Bates, Hastie & Tibshirani 2023): the interval is for the "
    "loss of a model that learnt from all these images, and counts that models of "
    "different folds share images; the plain one takes losses as independent. It is for "
    "means over images. The AUC is no such mean and has no such interval; that of its "
    "mean over folds is by Nadeau & Bengio."
)

Loss = Callable[[BoolArray, FloatArray], FloatArray]


@dataclass(frozen=True)
class NestedLoss:
    """A mean loss by nested cross-validation, beside that by the ordinary one."""

    name: str
    """`brier`, `log_loss` or `error_rate`."""
    nested: Interval
    """Corrected for the smaller training sets, with the interval of the paper."""
    plain: Interval
    """By ordinary cross-validation, with an interval that takes groups as independent."""
    inflation: float
    """Standard error of nested over that of plain cross-validation: 1 to the root of the
    number of folds."""

    def as_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""
        return {
            "name": self.name,
            "nested": self.nested.as_dict(),
            "plain": self.plain.as_dict(),
            "inflation": self.inflation,
        }


@dataclass(frozen=True)
class Nested:
    """The mean losses of a nested cross-validation."""

    losses: tuple[NestedLoss, ...]
    folds: int
    """Number of outer folds in each repeat."""
    repeats: int

    @property
    def sentence(self) -> str:
        """Return a sentence on how much wider the honest intervals are."""
        wider = [each.inflation for each in self.losses if not math.isnan(each.inflation)]
        said = f"Nested in {counted(self.folds, 'fold')}"
        if self.repeats > 1:
            said += f" and {counted(self.repeats, 'repeat')}"
        if not wider:
            return f"{said}; the variance is not known."
        low, high = (f"{end:.2f}" for end in (min(wider), max(wider)))
        span = low if low == high else f"{low} to {high}"
        return f"{said}, standard errors are {span} times as large as plain ones."

    def as_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""
        return {
            "losses": [each.as_dict() for each in self.losses],
            "folds": self.folds,
            "repeats": self.repeats,
            "sentence": self.sentence,
            "why": ABOUT,
        }

    def as_lines(self) -> list[str]:
        """Return the lines of a text table, a row a loss, and two sentences."""
        rows = [("loss", "nested", "95 % interval", "plain", "95 % interval", "times")]
        rows += [
            (
                each.name,
                decimal(each.nested.value),
                ends(each.nested) or "none",
                decimal(each.plain.value),
                ends(each.plain) or "none",
                f"{each.inflation:.2f}",
            )
            for each in self.losses
        ]
        return [*aligned(rows, right=(1, 3, 5)), self.sentence, ABOUT]


@dataclass(frozen=True)
class Block:
    """The losses of one outer fold of one repeat, (images,) each, with their groups."""

    outer: FloatArray
    """Of the images of the outer fold, by the model that learnt from all other folds."""
    outer_group: np.ndarray[Any, np.dtype[np.intp]]
    """Number of the group of each image of the outer fold."""
    inner: FloatArray
    """Of all other images, by models that learnt from neither their fold nor the outer."""


def judge_nested(table: pd.DataFrame, *, threshold: float) -> Nested:
    """Judge nested predictions: Brier score, log loss and rate of wrong calls.

    `table` has a row for each prediction, with `melanoma`, `probability`, `group`,
    `repeat`, `outer_fold`, and `is_outer`: whether the image is of the outer fold. Each
    repeat has as many outer folds, at least 3 (`nested_table` checks it). A melanoma is
    called from `threshold` upwards.
    """
    losses: Mapping[str, Loss] = {
        "brier": squared_errors,
        "log_loss": log_losses,
        "error_rate": partial(_wrong_calls, threshold=threshold),
    }
    truth = table["melanoma"].to_numpy(bool)
    score = table["probability"].to_numpy(np.float64)
    repeats = int(table["repeat"].nunique())
    found = [
        nested_loss(name, list(_blocks(table, loss(truth, score))), repeats=repeats)
        for name, loss in losses.items()
    ]
    folds = len(table[["repeat", "outer_fold"]].drop_duplicates()) // repeats
    return Nested(tuple(found), folds, repeats)


def nested_loss(name: str, blocks: list[Block], *, repeats: int = 1) -> NestedLoss:
    """Return the mean loss of a nested cross-validation, with its interval.

    This is algorithm 1 of the paper, and what it says below it: the mean squared error is
    rescaled to the whole sample, the standard error kept between the plain one and that
    times the root of the number of folds, and the mean corrected for smaller training sets
    as the authors' package does; the result is clipped to what is possible, 0 to 1 (the log
    loss has no upper end). Variances are of whole groups. `blocks` has each outer fold once
    a repeat, repeat by repeat; `repeats` is how many repeats there are, all of as many
    outer folds.
    """
    folds = len(blocks) // repeats
    inner = np.mean([each.inner.mean() for each in blocks])
    outer = np.concatenate([each.outer for each in blocks])
    mean = float(outer.mean())
    most = math.inf if name == "log_loss" else 1.0
    plain = _plain(blocks[:folds], mean, most)
    # Let the error fall as n^(−1/2) with the n images learnt from. Its slope is then as
    # n^(−3/2), and a step from K − 2 folds to K − 1 is as long as one to K: the fall from
    # K − 1 folds to all K is about ((K − 2) / (K − 1))^1.5 times that from K − 2 to K − 1,
    # which is inner − mean. Releases of the authors' package differ: in some the divisor
    # is K.
    times = 1 + ((folds - 2) / (folds - 1)) ** 1.5
    value = min(max(float(inner - times * (inner - mean)), 0.0), most)
    error = _plain_error(blocks[:folds])
    if not error > 0:
        return NestedLoss(name, Interval(value), plain, math.nan)
    squares = [(each.inner.mean() - each.outer.mean()) ** 2 for each in blocks]
    within = [clustered_error(each.outer, each.outer_group) ** 2 for each in blocks]
    scaled = (folds - 1) / folds * float(np.mean(squares) - np.mean(within))
    wide = min(max(math.sqrt(max(scaled, 0.0)), error), math.sqrt(folds) * error)
    low, high = max(value - NORMAL * wide, 0.0), min(value + NORMAL * wide, most)
    return NestedLoss(name, Interval(value, low, high, rough=True), plain, wide / error)


def _plain(first: list[Block], mean: float, most: float) -> Interval:
    error = _plain_error(first)
    if not error > 0:
        return Interval(mean)
    half = NORMAL * error
    return Interval(mean, max(mean - half, 0.0), min(mean + half, most), rough=True)


def _plain_error(first: list[Block]) -> float:
    """Return the standard error of the mean over one repeat, whole groups as the unit."""
    losses = np.concatenate([each.outer for each in first])
    return clustered_error(losses, np.concatenate([each.outer_group for each in first]))


def _blocks(table: pd.DataFrame, losses: FloatArray) -> Iterator[Block]:
    """Yield each outer fold of each repeat, repeat by repeat."""
    group = pd.factorize(table["group"])[0].astype(np.intp)
    is_outer = table["is_outer"].to_numpy(bool)
    for _, rows in table.groupby(["repeat", "outer_fold"], sort=True).indices.items():
        mine, others = rows[is_outer[rows]], rows[~is_outer[rows]]
        yield Block(losses[mine], group[mine], losses[others])


def _wrong_calls(truth: BoolArray, score: FloatArray, *, threshold: float) -> FloatArray:
    wrong: FloatArray = ((score >= threshold) != truth).astype(np.float64)
    return wrong
