"""The figure of a learning rate range test: the loss as the rate rises step by step."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, new_figure, titled


def plot_rates(ax: Axes, rows: pd.DataFrame, *, rate: float, given: float) -> None:
    """Draw the columns `loss` and `smoothed` of `rows` (one a step) over `learning_rate`.

    `rate` is the recommended learning rate (NaN for none), `given` that of the settings.
    """
    ax.plot(rows["learning_rate"], rows["loss"], color=FAINT, linewidth=1, label="a step")
    ax.plot(rows["learning_rate"], rows["smoothed"], color=SERIES[0], label="smoothed")
    ax.axvline(given, color=INK, linestyle=":", linewidth=1, label=f"settings: {given:.1e}")
    if not math.isnan(rate):
        ax.axvline(rate, color=SERIES[1], linewidth=1.5, label=f"advised: {rate:.1e}")
    ax.set(xscale="log", xlabel="Learning rate of the head", ylabel="Loss")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    lowest = int(rows["smoothed"].to_numpy().argmin())
    low, high = rows["smoothed"].iloc[lowest], rows["smoothed"].iloc[: lowest + 1].max()
    if high > low:  # a diverging loss would flatten the rest
        ax.set_ylim(low - 0.3 * (high - low), high + 0.3 * (high - low))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False)


def draw_rates(rows: pd.DataFrame, *, name: str, rate: float, given: float) -> Drawing:
    """Draw the figure of the range test of the network `name`.

    `rows` is `FoundRate.table`. The rates `rate` (advised) and `given` (of the settings)
    are marked.
    """
    figure, [ax] = new_figure("page", height=3.4)
    plot_rates(ax, rows, rate=rate, given=given)
    title = f"Loss while the learning rate rises, {name.replace('-', ' ')}"
    titled(ax, title)
    caption = (
        "One step at each rate, images as in a training. The advised rate is a tenth of "
        "that with the lowest smoothed loss; above that the loss rises, and bursts."
    )
    return Drawing(f"rates-{name}", title, caption, figure, rows)
