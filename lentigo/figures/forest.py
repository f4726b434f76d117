"""Forest plots: a metric of many subgroups, or diagnoses, each with its interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lentigo.evaluation.difficulty import Difficulty, shown
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import Evaluation
from lentigo.figures.lettering import fitted, fitted_apart
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, headed, named, new_figure
from lentigo.words import counted

_PANELS = {"auc": "AUC", "sensitivity": "Sensitivity", "specificity": "Specificity"}
_TOO_FEW: dict[str, Any] = {
    "color": "#777777", "fontsize": 6, "va": "center",
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.6},
}  # fmt: skip
_NAMES = ["column", "name", "images", "melanomas"]


def plot_forest(ax: Axes, rows: pd.DataFrame, *, whole: float = math.nan) -> None:
    """Draw each row of `rows` as a dot at `value` with a bar from `low` to `high`.

    The dot is open where `rough` is True. A row with `few` True or a NaN value has the
    words "too few" instead. A row with `heading` True stays empty. The dashed line is at
    `whole`, the value over all images. The axis ends at 1, with room for whole dots.
    """
    if not math.isnan(whole):
        ax.axvline(whole, color=FAINT, linestyle="--", linewidth=0.8)
    drawn = rows[~(rows["few"] | rows["heading"])]
    low = float(np.nanmin([0.95, whole, *drawn["low"], *drawn["value"]]))
    left = math.floor(max(low, 0.0) * 20) / 20
    for place, row in enumerate(rows.to_dict("records")):
        value, ends = float(row["value"]), [float(row["low"]), float(row["high"])]
        if row["heading"]:
            continue
        if row["few"] or math.isnan(value):
            ax.text(left, place, "too few", **_TOO_FEW)
            continue
        if not math.isnan(ends[0]):
            ax.plot(ends, [place, place], color=SERIES[0], linewidth=1)
        face = "white" if row["rough"] else SERIES[0]
        ax.plot(value, place, "o", color=SERIES[0], markerfacecolor=face, markersize=3.5)
    room = 0.04 * (1 - left)
    ax.set(ylim=(len(rows) - 0.5, -0.7), xlim=(left - room, 1 + room))
    ticks = MaxNLocator(4).tick_values(left, 1)
    ax.set_xticks([tick for tick in ticks if left - 1e-9 <= tick <= 1 + 1e-9])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def subgroup_rows(evaluation: Evaluation, metric: str) -> pd.DataFrame:
    """Return a heading row for each column, and a row for each subgroup, lowest AUC first.

    The values are those of `metric`.
    """
    rows = []
    for parts in evaluation.subgroups:
        rows.append(_heading(parts.by))
        rows += [
            {
                **_row(group.metrics[metric], few=metric in group.too_few_for),
                "column": parts.by,
                "name": group.name,
                "images": group.n_images,
                "melanomas": group.n_melanomas,
            }
            for group in parts.worst_first
        ]
    return pd.DataFrame(rows)


def draw_subgroups(evaluation: Evaluation) -> Drawing:
    """Draw AUC, sensitivity and specificity of each subgroup, with those of all images."""
    tables = {metric: subgroup_rows(evaluation, metric) for metric in _PANELS}
    first = tables["auc"]
    figure, axes = new_figure("page", height=1.2 + 0.155 * len(first), columns=3)
    for ax, (metric, rows) in zip(axes, tables.items(), strict=True):
        plot_forest(ax, rows, whole=evaluation[metric].value)
        named(ax, _PANELS[metric])
        ax.set_yticks([])
    _label(axes[0], first)
    size = counted(evaluation.n_images, "image")
    melanomas = counted(evaluation.n_melanomas, "melanoma")
    title = "For whom it works"
    headed(figure, f"{title}: {size} / {melanomas}")
    caption = (
        "Each subgroup with its images and melanomas, the lowest AUC first. Bars are 95 % "
        "intervals, open dots are rough, the broken line is the value over all images. Of "
        "many subgroups some differ by chance. Calls are from a probability of "
        f"{evaluation.called_from_in_words} upwards."
    )
    data = pd.concat(
        [rows.assign(metric=metric) for metric, rows in tables.items()], ignore_index=True
    )
    kept = data[~data["heading"]].drop(columns="heading")
    return Drawing("forest", title, caption, figure, kept[["metric", *kept.columns[:-1]]])


def difficulty_rows(found: Difficulty) -> pd.DataFrame:
    """Return a row for each kind and diagnosis of non-melanoma images, with headings."""
    kinds = len(found.kinds)
    rows = [_heading("by kind")]
    for place, each in enumerate(shown(found)):
        if place == kinds:
            rows.append(_heading("by diagnosis"))
        rows.append(
            {
                **_row(each.auc, few=each.too_few),
                "column": "kind" if place < kinds else "diagnosis",
                "name": each.name,
                "images": each.n_images,
                "melanomas": 0,
            }
        )
    return pd.DataFrame(rows)


def draw_difficulty(evaluation: Evaluation) -> Drawing:
    """Draw the AUC of melanoma against each diagnosis alone, the lowest AUC first."""
    found = evaluation.difficulty
    rows = difficulty_rows(found) if found is not None else pd.DataFrame()
    figure, [ax] = new_figure("page", height=1.3 + 0.17 * len(rows))
    plot_forest(ax, rows, whole=evaluation["auc"].value)
    ax.set_xlabel("AUC of all melanomas against these alone")
    _label(ax, rows, melanomas=False)
    title = "Which other lesions are easy"
    headed(figure, title)
    sentence = found.sentence if found is not None else ""
    caption = f"{sentence} The broken line is the AUC against all of them."
    kept = rows[~rows["heading"]].drop(columns=["heading", "melanomas"])
    return Drawing("difficulty", title, caption, figure, kept)


def _label(ax: Axes, rows: pd.DataFrame, *, melanomas: bool = True) -> None:
    """Label each row with its name and its number of images (and of melanomas)."""
    labels = []
    names = _distinct(rows)
    for place, row in enumerate(rows.to_dict("records")):
        if row["heading"]:
            labels.append(f"{fitted(str(row['column']), lines=1)}:")
            continue
        counts = f"{row['images']:,}" + (f" / {row['melanomas']:,}" if melanomas else "")
        labels.append(f"{names[place]}  {counts}")
    ax.set_yticks(np.arange(len(rows)), labels)
    for label, heading in zip(ax.get_yticklabels(), rows["heading"], strict=True):
        label.set(fontweight="bold" if heading else "normal", color=INK, fontsize=6.5)


def _distinct(rows: pd.DataFrame) -> list[str]:
    """Return the name of each row as it is shown, different within its column."""
    found = [""] * len(rows)
    for places in rows.reset_index(drop=True).groupby("column", sort=False).groups.values():
        names = [str(rows["name"].iloc[place]) for place in places]
        shown = fitted_apart(names, width=30, lines=1)
        for place, name in zip(places, shown, strict=True):
            found[int(place)] = name
    return found


def _row(interval: Interval, *, few: bool) -> dict[str, object]:
    return {
        **dict.fromkeys(_NAMES),
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "rough": interval.rough,
        "few": few,
        "heading": False,
    }


def _heading(column: str) -> dict[str, object]:
    nothing = Interval(math.nan)
    return {**_row(nothing, few=False), "column": column, "name": "", "images": 0,
            "melanomas": 0, "heading": True}  # fmt: skip
