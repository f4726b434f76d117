"""Training curves, from the `metrics.csv` of a fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, emptied, new_figure, titled

MOST_MODELS = 5
"""Largest number of models whose curves are drawn; each fold's metrics.csv has all."""


@dataclass(frozen=True)
class Histories:
    """The training history of each model of a run, epoch by epoch."""

    by_model: Mapping[str, pd.DataFrame]
    """Name of the network, such as `fold-0 member-1` → table with one row an epoch."""


_WORDS = {"loss": "Loss (cross-entropy)", "auc": "AUC"}


def plot_history(
    ax: Axes, history: pd.DataFrame, *, measure: Literal["loss", "auc"]
) -> None:
    """Draw a measure of training and validation over the epochs.

    `history` has one row an epoch with the columns `epoch`, `loss`, `auc`,
    `validation_loss`, `validation_auc`, and optionally `frozen` (only the head is trained;
    shaded), `averaged` (the mean of weights over epochs is validated; shaded) and `best`
    (the epoch whose weights were kept; marked). The values of a single epoch are written as
    text instead of a curve.
    """
    if points(history, measure) < 2:
        emptied(ax, _in_words(history, measure))
        return
    _shade_frozen(ax, history)
    for name, column, color, marker in (
        ("training", measure, FAINT, "s"),
        ("validation", f"validation_{measure}", SERIES[0], "o"),
    ):
        if column in history:
            ax.plot(history["epoch"], history[column], color=color, label=name,
                    marker=marker, markersize=3)  # fmt: skip
    _mark_best(ax, history, f"validation_{measure}")
    ax.set(xlabel="Epoch", ylabel=_WORDS[measure])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(x=0.04, y=0.12)
    # The legend is below the axis, because curves may be anywhere above. Its distance is
    # in font sizes, so that it does not cover the label at any height of the figure.
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=4.6,
        ncols=2,
        labelcolor=INK,
    )


def points(history: pd.DataFrame, measure: str) -> int:
    """Count the epochs in which `measure` has a training or validation value."""
    there = [name for name in (measure, f"validation_{measure}") if name in history]
    return int(history[there].notna().any(axis=1).sum()) if there else 0


def _in_words(history: pd.DataFrame, measure: str) -> str:
    """Return a sentence with the values of the only epoch."""
    said = [
        f"{name} {history[column].dropna().iloc[-1]:.3f}"
        for name, column in (("training", measure), ("validation", f"validation_{measure}"))
        if column in history and history[column].notna().any()
    ]
    return f"{_WORDS[measure]} after one epoch: {', '.join(said) or 'no number'}."


def _shade_frozen(ax: Axes, history: pd.DataFrame) -> None:
    frozen = _flags(history, "frozen")
    _shade(ax, history, frozen, "#E6E6E6", "backbone frozen")
    averaged = _flags(history, "averaged")
    _shade(ax, history, averaged, "#EFE7F5", "weights averaged")


def _shade(
    ax: Axes, history: pd.DataFrame, there: np.ndarray, color: str, label: str
) -> None:
    if not there.any():
        return
    epochs = history["epoch"].to_numpy(dtype=np.float64)[there]
    first, last = epochs.min() - 0.5, epochs.max() + 0.5
    ax.axvspan(first, last, color=color, linewidth=0, zorder=0, label=label)


def _mark_best(ax: Axes, history: pd.DataFrame, column: str) -> None:
    best = _flags(history, "best")
    if not best.any() or column not in history:
        return
    # A file may mark each epoch that was the best so far; the last one was kept.
    row = history[best].iloc[-1]
    ax.axvline(row["epoch"], color=SERIES[0], linestyle=":", linewidth=1)
    ax.plot([row["epoch"]], [row[column]], marker="o", markersize=7, markerfacecolor="none",
            color=SERIES[0], linestyle="none",
            label=f"kept: epoch {row['epoch']:.0f}, {row[column]:.3f}")  # fmt: skip


def _flags(history: pd.DataFrame, column: str) -> np.ndarray:
    if column not in history:
        return np.zeros(len(history), dtype=bool)
    return history[column].astype("boolean").fillna(False).to_numpy(dtype=bool)


def draw_history(given: Histories) -> Iterator[Drawing]:
    """Draw loss and AUC of training and validation over the epochs, two figures a model.

    At most `MOST_MODELS` models are drawn, and only measures with two or more epochs.
    """
    measures: tuple[Literal["loss", "auc"], ...] = ("loss", "auc")
    for model, history in list(given.by_model.items())[:MOST_MODELS]:
        which = f", {model.replace('-', ' ')}" if len(given.by_model) > 1 else ""
        for measure in measures:
            both = {measure, f"validation_{measure}"} <= set(history)
            if both and points(history, measure) > 1:
                name = f"{model.replace(' ', '-')}-{measure}"
                yield _drawn(history, measure, name=name, which=which)


def _drawn(
    history: pd.DataFrame, measure: Literal["loss", "auc"], *, name: str, which: str
) -> Drawing:
    word = {"loss": "Loss", "auc": "AUC"}[measure]
    better = {"loss": "Lower", "auc": "Higher"}[measure]
    title = f"{word} over the epochs{which}"
    figure, [ax] = new_figure("column", height=2.8)
    plot_history(ax, history, measure=measure)
    titled(ax, title)
    return Drawing(name, title, f"{better} is better.", figure, history)
