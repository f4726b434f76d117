"""Write a comparison of models: the results as JSON, and the figures with their data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.evaluation.contest_result import Contest
from lentigo.json_files import write_json
from lentigo.output import alone, check_file
from lentigo.reports.drawable import drawable
from lentigo.run_layout import COMPARISON, FIGURES

if TYPE_CHECKING:
    from lentigo.figures.scores import Drawing


def write_comparison(contest: Contest, out: Path) -> list[Path]:
    """Write `comparison.json` and, in the folder `figures`, the figures; return the files.

    Drawn are the differences, the ROC curves and, with several archives, the AUC of each
    model on each of them. Raises `RunError` where `out` cannot be written, or holds a
    comparison already.
    """
    out = Path(out)
    with alone(out, keep=False):
        check_file(out / COMPARISON, new=True)
        drawings = draw_contest(contest) if drawable() else []
        drawn = [path for drawing in drawings for path in drawing.save(out / FIGURES)]
        # Written last: a folder that holds this file is complete.
        write_json(out / COMPARISON, contest.as_dict())
    return [out / COMPARISON, *drawn]


def draw_contest(contest: Contest) -> list[Drawing]:
    """Draw every figure of the figure registry that is for comparisons of models."""
    # matplotlib takes half a second to import; the numbers do without.
    from lentigo.figures.registry import drawing_of, shown_by
    from lentigo.figures.style import style

    with style():
        found = [drawing_of(row)(contest) for row in shown_by("compare")]
    return [drawing for drawing in found if drawing is not None]
