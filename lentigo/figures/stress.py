"""The figures of a stress test: AUC and flipped calls by the strength of disturbances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.evaluation.intervals import Interval
from lentigo.figures.scores import Drawing
from lentigo.figures.style import FAINT, INK, SERIES, headed, named, new_figure
from lentigo.imaging.disturbances import DISTURBANCES
from lentigo.imaging.disturbances.registry import GROUPS
from lentigo.robustness.conditions import (
    HIDDEN,
    TURNED,
    VIEW_NAMES,
    VIEWS,
    Condition,
)
from lentigo.robustness.result import Stress
from lentigo.words import counted


def plot_strengths(ax: Axes, rows: pd.DataFrame, name: str) -> None:
    """Draw the column `name` of `rows` over the signed `strength`, with a 95 % band.

    The bounds are the columns `NAME_low` and `NAME_high`. Strength 0 is the undisturbed
    image.
    """
    known = rows.sort_values("strength")
    place = known["strength"].to_numpy(dtype=float)
    low, high = known[f"{name}_low"].to_numpy(float), known[f"{name}_high"].to_numpy(float)
    ax.fill_between(place, low, high, color=SERIES[3], alpha=0.35, linewidth=0)
    ax.plot(place, known[name], marker="o", markersize=3, color=SERIES[0])
    ax.axvline(0, color=FAINT, linewidth=0.7)
    ax.set_xticks([each for each in (-5, -3, -1, 0, 1, 3, 5) if each >= place.min()])


def plot_hidden(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the AUC of each row of `rows` (a `condition`) with its interval."""
    for place, row in enumerate(rows.to_dict("records")):
        ax.plot([row["auc_low"], row["auc_high"]], [place, place], color=SERIES[0])
        ax.plot(row["auc"], place, "o", color=SERIES[0])
    ax.axvline(0.5, color=FAINT, linestyle="--", linewidth=0.8)
    labels = [Condition(str(each)).title for each in rows["condition"]]
    ax.set_yticks(np.arange(len(rows)), labels)
    ax.set(ylim=(len(rows) - 0.5, -0.6), xlabel="AUC")
    ax.tick_params(axis="y", length=0)


def draw_stress(found: Stress) -> list[Drawing]:
    """Draw one figure for each group of disturbances in the stress test."""
    scores = found.scores
    there = set(scores["group"])
    drawn = [_group(found, scores, group) for group in GROUPS if group in there]
    if VIEWS in there:
        drawn.insert(0, _views(found, scores))
    if HIDDEN in there:
        drawn.append(_hidden(found, scores))
    return drawn


def _group(found: Stress, scores: pd.DataFrame, group: str) -> Drawing:
    rows = scores[scores["group"] == group]
    scales = list(dict.fromkeys(DISTURBANCES[name].scale for name in rows["condition"]))
    alone = len(scales) == 1
    figure, axes = (
        new_figure("page", height=2.3, columns=2)
        if alone
        else new_figure("page", height=3.4, columns=len(scales), rows=2)
    )
    top, below = axes[: len(axes) // 2], axes[len(axes) // 2 :]
    parts = [_signed(found, rows, scale) for scale in scales]
    for ax, lower, scale, part in zip(top, below, scales, parts, strict=True):
        plot_strengths(ax, part, "auc")
        plot_strengths(lower, part, "flipped")
        named(ax, scale)
        lower.set_xlabel(_ends(scale), fontsize=6.5)
        if alone:
            ax.set_xlabel(_ends(scale), fontsize=6.5)
    _alike(top, "AUC")
    _alike(below, "Calls that flip", least=0.0)
    headed(figure, f"{GROUPS[group]}: {_size(found)}")
    data = pd.concat(
        [part.assign(scale=each) for each, part in zip(scales, parts, strict=True)]
    )
    caption = (
        "Strength 0 is the image as it is, 5 is hardly usable; bands are 95 % intervals "
        "over groups. Beside or below, the share of images whose call changes at the "
        "operating point."
    )
    return Drawing(f"stress_{group}", GROUPS[group], caption, figure, data)


def _signed(found: Stress, rows: pd.DataFrame, scale: str) -> pd.DataFrame:
    """Return the rows of one scale with signed strengths, and a row for the undisturbed."""
    own = rows[[DISTURBANCES[name].scale == scale for name in rows["condition"]]]
    signs = np.array([DISTURBANCES[name].sign for name in own["condition"]])
    plain = _plain(found) | {"flipped": 0.0}
    moved = own.assign(strength=own["strength"] * signs)
    return pd.concat([moved, pd.DataFrame([plain])], ignore_index=True)


def _plain(found: Stress) -> dict[str, object]:
    auc: Interval = found.plain["auc"]
    return {
        "condition": "undisturbed", "strength": 0, "group": "", "images": found.n_images,
        "auc": auc.value, "auc_low": auc.low, "auc_high": auc.high,
    }  # fmt: skip


def _ends(scale: str) -> str:
    names = {each.sign: each.title for each in DISTURBANCES.values() if each.scale == scale}
    return f"← {names[-1]}   {names[1]} →" if -1 in names else "strength →"


def _alike(axes: Sequence[Axes], label: str, *, least: float | None = None) -> None:
    """Set the same y limits in several panels, and label the y axis of the first.

    The limits enclose those of all panels; `least`, if given, replaces the lower one. They
    stay within 0 and 1.02, as AUCs and shares do.
    """
    limits = np.array([ax.get_ylim() for ax in axes])
    low = float(limits[:, 0].min()) if least is None else least
    high = float(limits[:, 1].max())
    for ax in axes:
        ax.set_ylim(max(low, 0.0), min(max(high, 0.05), 1.02))
    for ax in axes[1:]:
        ax.tick_params(labelleft=False)
    axes[0].set_ylabel(label)


def _views(found: Stress, scores: pd.DataFrame) -> Drawing:
    rows = scores[scores["condition"] == TURNED]
    figure, (left, right) = new_figure("page", height=2.3, columns=2)
    place = np.arange(len(rows))
    for ax, name in ((left, "auc"), (right, "flipped")):
        for at, row in zip(place, rows.to_dict("records"), strict=True):
            ax.plot([at, at], [row[f"{name}_low"], row[f"{name}_high"]], color=SERIES[0])
            ax.plot(at, row[name], "o", color=SERIES[0], markersize=3.5)
        shown = [VIEW_NAMES[int(view) - 1] for view in rows["strength"]]
        ax.set_xticks(place, shown, rotation=45, ha="right", fontsize=6.5)
    left.axhline(found.plain["auc"].value, color=FAINT, linestyle="--", linewidth=0.8)
    left.set_ylabel("AUC")
    right.set_ylabel("Calls that flip")
    right.set_ylim(bottom=0)
    title = "Eight views of one image"
    headed(figure, f"{title}: {_size(found)}")
    caption = (
        "The image turned by quarters and mirrored; the broken line is the AUC of the "
        "image as it is. A lesion has no upper side, so every flip is a fault."
    )
    return Drawing("stress_views", title, caption, figure, rows)


def _hidden(found: Stress, scores: pd.DataFrame) -> Drawing:
    rows = pd.concat(
        [pd.DataFrame([_plain(found)]), scores[scores["group"] == HIDDEN]],
        ignore_index=True,
    )
    figure, [ax] = new_figure("page", height=1.0 + 0.3 * len(rows))
    plot_hidden(ax, rows)
    title = "Without the lesion, and with it alone"
    headed(figure, f"{title}: {_size(found)}")
    caption = (
        "AUC with everything but the lesion hidden, with the lesion hidden (its shape is "
        "left), and with a box over it. Above 0.5 (broken line) without the lesion a model "
        "knows something else: skin, hair, ruler, frame, or the size of the lesion."
    )
    ax.tick_params(axis="y", labelcolor=INK)
    return Drawing("stress_hidden", title, caption, figure, rows)


def _size(found: Stress) -> str:
    melanomas = counted(found.n_melanomas, "melanoma")
    return f"{counted(found.n_images, 'image')}, {melanomas}"
