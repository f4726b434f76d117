"""The figure of diagnoses as a tree: all images, their classes, and their diagnoses."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.cohort.values import NOT_MELANOMA, UNKNOWN, flags, known, sharing
from lentigo.figures.lettering import fitted
from lentigo.figures.style import FAINT, INK, MALIGNANT, MELANOMA, OTHER_LESION

_COLUMNS = (0.0, 0.22, 0.5)
_LETTER = 6.8
_MOST = 24


def plot_diagnoses(ax: Axes, table: pd.DataFrame) -> None:
    """Draw a tree from all images to classes to diagnoses, with the count of each.

    Classes are melanoma, other malignant lesions, benign lesions, lesions known only not to
    be melanoma, lesions whose malignancy is not known, and images without a label.
    """
    data = _shortened(diagnosis_data(table))
    middles, y = {}, 0.0
    for name, rows in data.groupby("class", sort=False):
        places = [y + place for place in range(len(rows))]
        middles[str(name)] = (middle := sum(places) / len(places))
        y = places[-1] + 1.6
        color = _COLORS[str(name)]
        words = f"{name}\n{rows['images'].sum():,}"
        for place, row in zip(places, rows.itertuples(), strict=True):
            _elbow(ax, (_end(1, words), middle), (_COLUMNS[2] - 0.01, place), color=color)
            shown = fitted(str(row.diagnosis), width=48, lines=1)
            _node(ax, 2, place, f"{shown}  {row.images:,}")
        _node(ax, 1, middle, words, weight="bold", color=color)
    words = f"all images\n{len(table):,}"
    root = sum(middles.values()) / max(len(middles), 1)
    for middle in middles.values():
        _elbow(ax, (_end(0, words), root), (_COLUMNS[1] - 0.01, middle))
    _node(ax, 0, root, words, weight="bold")
    ax.set(xlim=(0, 1), ylim=(y - 0.6, -1))
    ax.set_axis_off()


def diagnosis_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a leaf of the tree: class, diagnosis, images.

    The largest class comes first, and within a class the largest diagnosis.
    """
    counted = pd.DataFrame(
        {
            "class": _groups(table),
            "diagnosis": known(table, "diagnosis").astype("string").fillna(UNKNOWN),
        }
    ).value_counts()
    data = counted.rename("images").reset_index()
    size = data.groupby("class")["images"].transform("sum")
    keys = pd.DataFrame({"size": -size, "class": data["class"], "images": -data["images"],
                         "diagnosis": data["diagnosis"]})  # fmt: skip
    order = keys.sort_values(["size", "class", "images", "diagnosis"]).index
    return data.loc[order].reset_index(drop=True)


_COLORS = {
    "melanoma": MELANOMA,
    "benign": OTHER_LESION,
    NOT_MELANOMA: OTHER_LESION,
    "other malignant": MALIGNANT,
    "malignancy not known": "#777777",
    "no label": "#777777",
}


def _groups(table: pd.DataFrame) -> pd.Series[str]:
    melanoma, malignant = flags(table, "melanoma"), flags(table, "malignant")
    names = pd.Series("no label", index=table.index, dtype="string")
    rest = "benign" if malignant.notna().any() else NOT_MELANOMA
    benign = (melanoma == False).fillna(False)  # noqa: E712
    names = names.mask(benign, rest)
    if malignant.notna().any():
        names = names.mask(benign & malignant.isna(), "malignancy not known")
    names = names.mask((malignant & ~melanoma).fillna(False), "other malignant")
    return names.mask(melanoma.fillna(False), "melanoma")


def _shortened(data: pd.DataFrame) -> pd.DataFrame:
    """Return about `_MOST` leaves at most: the rarest diagnoses of a class share one."""
    room = max(_MOST // max(data["class"].nunique(), 1), 3)
    parts = []
    for _, rows in data.groupby("class", sort=False):
        lost = rows["diagnosis"] == UNKNOWN
        called = sharing(list(rows.loc[~lost, "diagnosis"]), most=room - bool(lost.any()))
        shown = rows.assign(diagnosis=rows["diagnosis"].replace(called))
        parts.append(
            shown.groupby(["class", "diagnosis"], sort=False, as_index=False).sum()
        )
    return pd.concat(parts, ignore_index=True) if parts else data


def tree_rows(table: pd.DataFrame) -> int:
    """Return the number of rows of the drawn tree, to choose the height of its figure."""
    data = _shortened(diagnosis_data(table))
    return len(data) + data["class"].nunique()


def _node(
    ax: Axes, column: int, y: float, text: str, *, weight: str = "normal", color: str = INK
) -> None:
    ax.text(_COLUMNS[column], y, text, va="center", fontsize=_LETTER, fontweight=weight,
            color=color)  # fmt: skip


def _end(column: int, text: str) -> float:
    """Return about where a bold text in a column of the tree ends, as x from 0 to 1."""
    return _COLUMNS[column] + 0.011 * max(map(len, text.split("\n"))) + 0.01


def _elbow(
    ax: Axes, start: tuple[float, float], to: tuple[float, float], *, color: str = FAINT
) -> None:
    (x, y), (end, at) = start, to
    bend = end - 0.05
    ax.plot([x, bend, bend, end], [y, y, at, at], color=color, linewidth=0.8,
            solid_joinstyle="round")  # fmt: skip
