"""The figure of the difference between two sets of images, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.bars import LABEL, bar_look
from lentigo.figures.cohort.sizes import SIZE
from lentigo.figures.cohort.values import (
    UNKNOWN,
    ages,
    known,
    titled_column,
    words,
)
from lentigo.figures.style import INK, SERIES, named

COLUMNS = ("sex", "age", "site", "diagnosis", "skin_type", "modality", "melanoma", SIZE)
"""The columns that are compared, if each set has a known value of them."""


def plot_shift(
    ax: Axes, first: pd.DataFrame, second: pd.DataFrame, *, name: str = ""
) -> None:
    """Draw the difference of each column between two sets of images, the largest on top.

    A bar is the total variation distance, 0 to 1: the share of images that would have to
    change to another value for both distributions to be equal. A missing value counts as a
    value of its own, except for image sizes.
    Labels add the effect size: the standardised mean difference d for age, Cramér's V for
    words. `name` is the name of the panel, if it has one.
    """
    data = shift_data(first, second).sort_values("total_variation", kind="stable")
    at = np.arange(len(data))
    bars = ax.barh(at, data["total_variation"], 0.7, **bar_look(SERIES[0]))
    texts = [
        f"{distance:.3f}  ({measure} {_signed(effect)})"
        for distance, measure, effect in zip(
            data["total_variation"], data["measure"], data["effect"], strict=True
        )
    ]
    ax.bar_label(bars, texts, padding=2, fontsize=LABEL, color=INK)
    ax.set_yticks(at, [titled_column(str(column)) for column in data["column"]])
    ax.set_ylim(-0.5, max(len(data), 1) - 0.5)
    ax.set_xlim(0, max(0.1, float(data["total_variation"].max() or 0)))
    ax.set_xlabel("Share of images that would have to move")
    ax.tick_params(axis="y", length=0)
    if name:
        named(ax, name)


def shift_data(
    first: pd.DataFrame, second: pd.DataFrame, *, columns: Sequence[str] = COLUMNS
) -> pd.DataFrame:
    """Return one row a bar: column, total_variation, measure, effect, first, second.

    The columns `first` and `second` are the numbers of images with a known value. `measure`
    is "d", the difference of the mean ages, second minus first, over the pooled standard
    deviation (Cohen 1988), or "V", Cramér's V (1946) without correction for small counts.
    Image sizes are compared only among images whose size is known, since a file that was
    not opened has no value.
    """
    rows = []
    for column in columns:
        one, two = (words(part, column) for part in (first, second))
        if one.isna().all() or two.isna().all():
            continue
        if column == SIZE:
            one, two = one.dropna(), two.dropna()
        table = _counts(one, two)
        measure, effect = "V", cramers_v(table)
        if column == "age":
            measure, effect = "d", mean_difference(ages(first), ages(second))
        distance = total_variation(table)
        rows.append((column, distance, measure, effect, one.count(), two.count()))
    names = ["column", "total_variation", "measure", "effect", "first", "second"]
    return pd.DataFrame(rows, columns=names)


def _counts(one: pd.Series[Any], two: pd.Series[Any]) -> np.ndarray:
    """Count the images of both sets with each of K values, (2, K); missing is a value."""
    counted = pd.concat(
        [one.fillna(UNKNOWN).value_counts(), two.fillna(UNKNOWN).value_counts()], axis=1
    )
    return counted.fillna(0).to_numpy(dtype=float).T


def total_variation(counts: np.ndarray) -> float:
    """Return the total variation distance, 0 to 1, of the two rows of (2, K) counts.

    It is half the sum of the absolute differences in share.
    """
    shares = counts / counts.sum(axis=1, keepdims=True)
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def cramers_v(counts: np.ndarray, *, corrected: bool = False) -> float:
    """Cramér's V of a (2, K) table of counts: 0 is no, 1 is perfect association.

    With many values and few images it is large by chance; `corrected` subtracts this bias
    (Bergsma 2013, doi:10.1016/j.jkss.2012.10.002). NaN where a row has no image and, if
    `corrected`, where there is only one value.
    """
    counts = counts[:, counts.sum(axis=0) > 0]
    total = counts.sum()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / total
    if (expected == 0).any():
        return float("nan")
    strength = (((counts - expected) ** 2) / expected).sum() / total
    if not corrected:
        return float(np.sqrt(strength))
    values = counts.shape[1]
    chance = (values - 1) / (total - 1)
    most = min(values - (values - 1) ** 2 / (total - 1), 2 - 1 / (total - 1)) - 1
    return float(np.sqrt(max(strength - chance, 0) / most)) if most > 0 else float("nan")


def mean_difference(first: pd.Series[Any], second: pd.Series[Any]) -> float:
    """The standardised mean difference, second minus first.

    NaN where a set has fewer than two known values, or all values are equal in each set.
    """
    one, two = first.dropna().to_numpy(float), second.dropna().to_numpy(float)
    if min(len(one), len(two)) < 2:
        return float("nan")
    freedom = len(one) + len(two) - 2
    pooled = ((len(one) - 1) * one.var(ddof=1) + (len(two) - 1) * two.var(ddof=1)) / freedom
    return (
        float((two.mean() - one.mean()) / np.sqrt(pooled)) if pooled > 0 else float("nan")
    )


def shared_patients(first: pd.DataFrame, second: pd.DataFrame) -> int | None:
    """Count the patient ids in both sets; None where a set has no known patient id."""
    one, two = (set(known(rows, "patient_id").dropna()) for rows in (first, second))
    return len(one & two) if one and two else None


def _signed(effect: float) -> str:
    return "undefined" if np.isnan(effect) else f"{effect:.2f}".replace("-", "−")
