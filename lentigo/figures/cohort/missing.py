"""The figure of missing values, by column and by combination of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from lentigo.figures.bars import percent
from lentigo.figures.cohort.values import known, titled_column
from lentigo.figures.style import FAINT, INK
from lentigo.words import counted

COLUMNS = (
    "melanoma", "malignant", "diagnosis", "sex", "age", "site", "patient_id", "lesion_id",
    "skin_type", "modality", "width", "path",
)  # fmt: skip
"""The columns that are checked for missing values."""

_MOST = 12
_LYING = 5
"""With up to this many columns their names are written horizontally."""


def plot_missing(ax: Axes, table: pd.DataFrame) -> None:
    """Draw combinations of columns that are missing together, the most frequent on top.

    Each row is a combination; a dark square is a missing column. Columns that are known in
    all rows of `table`, or in none, are left out.
    """
    data = missing_data(table)
    names = [str(name) for name in data if name not in {"images", "share"}]
    shown = data.head(_MOST)
    filled = shown[names].to_numpy(dtype=float)
    ax.pcolormesh(filled, cmap=ListedColormap(["#EEEEEE", INK]), vmin=0, vmax=1,
                  edgecolors="white", linewidth=2.5)  # fmt: skip
    ax.set_xticks(np.arange(len(names)) + 0.5, [_headed(table, name) for name in names])
    ax.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False,
                   rotation=0 if len(names) <= _LYING else 90, length=0)  # fmt: skip
    ax.set_yticks(
        np.arange(len(shown)) + 0.5,
        [
            f"{counted(n, 'image')} ({percent(s)})"
            for n, s in zip(shown["images"], shown["share"], strict=True)
        ],
    )
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, len(names)), ylim=(len(shown), 0))
    ax.spines[:].set_visible(False)
    if len(data) > len(shown):
        rest = data.iloc[_MOST:]
        more = (
            f"and {len(rest):,} rarer combinations "
            f"({counted(int(rest['images'].sum()), 'image')})"
        )
        ax.set_xlabel(more, color=FAINT, loc="left")


def missing_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a combination, the most frequent first.

    The columns are one for each column with missing values (True if missing), and `images`
    and `share` of the combination.
    """
    absent = pd.DataFrame({name: known(table, name).isna() for name in partly(table)})
    if not len(absent.columns):
        return pd.DataFrame({"images": [len(table)], "share": [1.0]})
    counts = absent.value_counts(sort=True).rename("images").reset_index()
    counts = counts.sort_values("images", ascending=False, kind="stable", ignore_index=True)
    return counts.assign(share=counts["images"] / len(table))


def partly(table: pd.DataFrame) -> list[str]:
    """Return the columns of `COLUMNS` that are known for some images but not for all."""
    return [
        name
        for name in COLUMNS
        if known(table, name).isna().any() and known(table, name).notna().any()
    ]


def _headed(table: pd.DataFrame, name: str) -> str:
    lost = int(known(table, name).isna().sum())
    return f"{titled_column(name)}\n{lost:,} missing"
