"""Write a reader study: the results as JSON, and the figure with its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.evaluation.readers.study_result import ReaderStudy
from lentigo.json_files import write_json
from lentigo.output import alone, check_file
from lentigo.reports.drawable import drawable
from lentigo.run_layout import FIGURES, READERS

if TYPE_CHECKING:
    from lentigo.figures.scores import Drawing


def write_readers(study: ReaderStudy, out: Path) -> list[Path]:
    """Write `readers.json` and, in the folder `figures`, the figure; return the files.

    Without matplotlib there is no figure, and a warning says so. Raises `RunError` if `out`
    cannot be written, or holds a reader study already.
    """
    out = Path(out)
    with alone(out, keep=False):
        check_file(out / READERS, new=True)
        drawings = draw_study(study) if drawable() else []
        drawn = [path for drawing in drawings for path in drawing.save(out / FIGURES)]
        write_json(out / READERS, study.as_dict())
    return [out / READERS, *drawn]


def draw_study(study: ReaderStudy) -> list[Drawing]:
    """Draw every figure of the figure registry that is for reader studies."""
    from lentigo.figures.registry import drawing_of, shown_by
    from lentigo.figures.style import style

    with style():
        found = [drawing_of(row)(study) for row in shown_by("readers")]
    return [drawing for drawing in found if drawing is not None]
