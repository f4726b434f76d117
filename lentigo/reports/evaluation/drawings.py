"""Draw the figures of an evaluation, in the same way for every command and page."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.result import Evaluation
from lentigo.figures.registry import FIGURES, drawing_of, shown_by
from lentigo.figures.scores import Drawing as Drawing
from lentigo.figures.scores import DrawnScores as DrawnScores
from lentigo.figures.style import style


def draw_judged(judged: DrawnScores, *, both_classes_only: bool = False) -> list[Drawing]:
    """Draw every figure of the figure registry that is for predictions.

    Curves need images of both classes. Without one class they are empty, with a note; with
    `both_classes_only` they are left out instead.
    """
    rows = shown_by("evaluate")
    if both_classes_only and len(np.unique(judged.scores[0])) < 2:
        rows = [row for row in rows if not row.both_classes]
    with style():
        return [drawing_of(row)(judged) for row in rows]


def draw_divided(evaluation: Evaluation) -> list[Drawing]:
    """Draw subgroups, diagnoses, repeats and abstention, if `evaluation` has them."""
    there: dict[str, object] = {
        "forest": evaluation.subgroups,
        "difficulty": evaluation.difficulty,
    }
    there |= {"repeats": evaluation.repeated}
    there |= {"risk_coverage": evaluation.refusals and evaluation.refusals.curve}
    with style():
        return [drawing_of(FIGURES[name])(evaluation) for name, has in there.items() if has]
