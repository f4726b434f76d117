"""The figure of a decision tree on the patient's data."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from lentigo.baselines.tree import Branch
from lentigo.figures.bars import percent
from lentigo.figures.lettering import fitted
from lentigo.figures.style import FAINT, INK, MELANOMA, OTHER_LESION

_LETTER = 5.8


def plot_tree(ax: Axes, root: Branch) -> None:
    """Draw a tree with its first question on top; the answer "yes" is on the left.

    A box has the question, the number of training images that reach it and the share of
    melanomas among them. Boxes that call melanoma have a solid red frame (thicker for
    leaves), the others a dashed blue one.
    """
    deep = _depth(root)
    _draw(ax, root, 0.0, 1.0, 0)
    ax.set(xlim=(0, 1), ylim=(deep + 0.42, -0.42))
    ax.set_axis_off()


def tree_data(root: Branch) -> pd.DataFrame:
    """Return one row a box: place (answers, as "yes, no"), question, images, melanomas …

    The column `calls_melanoma` is whether images that end in the box are called melanoma.
    """
    rows: list[tuple[str, str, int, int, bool]] = []

    def walk(branch: Branch, place: str) -> None:
        calls = branch.calls
        rows.append((place, branch.question, branch.images, branch.melanomas, calls))
        for word, child in (("yes", branch.yes), ("no", branch.no)):
            if child is not None:
                walk(child, f"{place}, {word}" if place else word)

    walk(root, "")
    return pd.DataFrame(
        rows, columns=["place", "question", "images", "melanomas", "calls_melanoma"]
    )


def _draw(ax: Axes, branch: Branch, left: float, right: float, level: int) -> float:
    """Draw a branch between the x positions `left` and `right`; return the x of its box.

    `level` is the y position of the box, 0 for the root.
    """
    x = (left + right) / 2
    if branch.yes is not None and branch.no is not None:
        cut = left + (right - left) * _ends(branch.yes) / _ends(branch)
        places = (
            _draw(ax, branch.yes, left, cut, level + 1),
            _draw(ax, branch.no, cut, right, level + 1),
        )
        x = sum(places) / 2
        for word, place in zip(("yes", "no"), places, strict=True):
            ax.plot([x, place], [level, level + 1], color=FAINT, linewidth=0.8, zorder=0)
            if level == 0:
                ax.text(x + 0.42 * (place - x), level + 0.42, word, fontsize=_LETTER + 0.5,
                        color=INK, ha="right" if word == "yes" else "left",
                        va="bottom")  # fmt: skip
    color = MELANOMA if branch.calls else OTHER_LESION
    end = not branch.question
    ax.text(x, level, _words(branch), ha="center", va="center", fontsize=_LETTER,
            color=INK, linespacing=1.25,
            bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": color,
                  "linewidth": 1.6 if end and branch.calls else 0.9,
                  "linestyle": "-" if branch.calls else "--"})  # fmt: skip
    return x


def _words(branch: Branch) -> str:
    rate = branch.melanomas / branch.images if branch.images else float("nan")
    lines = [f"n = {branch.images:,}", f"{percent(rate)} mel."]
    if branch.question:
        asked = fitted(branch.question.removesuffix("?"), width=14) + "?"
        return "\n".join([asked, *lines])
    return "\n".join([*lines, "→ melanoma" if branch.calls else "→ no"])


def _ends(branch: Branch) -> int:
    if branch.yes is None or branch.no is None:
        return 1
    return _ends(branch.yes) + _ends(branch.no)


def _depth(branch: Branch) -> int:
    if branch.yes is None or branch.no is None:
        return 0
    return 1 + max(_depth(branch.yes), _depth(branch.no))
