"""The figures of an evaluation, drawn once for whatever command or page shows them."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.result import Evaluation
from lentigo.figures.registry import FIGURES, drawing_of, shown_by
from lentigo.figures.scores import Drawing as Drawing
from lentigo.figures.scores import DrawnScores as DrawnScores
from lentigo.figures.style import style


def draw_judged(judged: DrawnScores, *, both_classes_only: bool = False) -> list[Drawing]:
    """Draw every figure that the registry has of predictions, each with what is seen.

    Curves need both classes: without one they are empty, and say so, or are left out with
    `both_classes_only`.
    """
    rows = shown_by("evaluate")
    if both_classes_only and len(np.unique(judged.scores[0])) < 2:
        rows = [row for row in rows if not row.both_classes]
    with style():
        return [drawing_of(row)(judged) for row in rows]


def draw_divided(evaluation: Evaluation) -> list[Drawing]:
    """Draw subgroups, diagnoses, repeats and refusals, where an evaluation has them."""
    there: dict[str, object] = {
        "forest": evaluation.subgroups,
        "difficulty": evaluation.difficulty,
    }
    there |= {"repeats": evaluation.repeated}
    there |= {"risk_coverage": evaluation.refusals and evaluation.refusals.curve}
    with style():
        return [drawing_of(FIGURES[name])(evaluation) for name, has in there.items() if has]
