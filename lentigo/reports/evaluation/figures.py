"""Write an evaluation: the metrics as JSON, and the figures with their data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import Evaluation
from lentigo.files import write_csv
from lentigo.json_files import to_json, write_json
from lentigo.output import alone, check_file
from lentigo.reports.drawable import drawable
from lentigo.reports.paper import write_paper
from lentigo.run_layout import RunLayout

if TYPE_CHECKING:
    from lentigo.reports.evaluation.drawings import Drawing, DrawnScores


def write_evaluation(
    evaluation: Evaluation, out: Path, *, baseline: Evaluation | None = None
) -> list[Path]:
    """Write the files of an evaluation into the folder `out`; return them.

    These are `evaluation.json`, `report.html` (a page that loads nothing), a CSV of the
    subgroups if there are any, in `figures` what `draw_evaluation` draws, and in `paper`
    tables, methods and checklists for a manuscript. Without matplotlib there are neither
    figures nor the page, and a warning says so. Raises `RunError` where `out` cannot be
    written, or holds an evaluation already.
    """
    layout = RunLayout(Path(out))
    with alone(layout.folder, keep=False):
        check_file(layout.evaluation, new=True)
        known = json.loads(to_json(evaluation.as_dict()))
        drawn, names = [], []
        if drawable():
            saved = _saved(evaluation, layout.figures, baseline)
            names = [own.name for own, _ in saved]
            drawn += [path for _, paths in saved for path in paths]
            drawn.append(_paged(evaluation, known, saved, layout.report))
        if evaluation.subgroups:
            drawn.append(layout.subgroups)
            listed = pd.concat([each.as_table() for each in evaluation.subgroups])
            write_csv(listed, layout.subgroups)
        drawn += write_paper(known, layout.paper, figures=names)
        # Written last: a folder that holds this file is complete.
        write_json(layout.evaluation, evaluation.as_dict())
    return [layout.evaluation, *drawn]


def _paged(
    evaluation: Evaluation,
    known: Mapping[str, Any],
    saved: Sequence[tuple[Drawing, list[Path]]],
    path: Path,
) -> Path:
    """Write the page of an evaluation to `path`, and return it."""
    # The colours of the page are those of the figures, which take matplotlib.
    from lentigo.reports.evaluation.page import Shown, write_page

    shown = [Shown(own.name, own.title, own.caption, files[0]) for own, files in saved]
    write_page(evaluation, known, shown, path)
    return path


def draw_evaluation(
    evaluation: Evaluation, folder: Path, *, baseline: Evaluation | None = None
) -> list[Path]:
    """Draw every figure of an evaluation into `folder`; return the files.

    Each figure is an SVG, a PNG, and a CSV of its data. Curves of `baseline` are drawn in
    the same figures. Raises `RunError` if `folder` cannot be written.
    """
    return [path for _, paths in _saved(evaluation, folder, baseline) for path in paths]


def _saved(
    evaluation: Evaluation, folder: Path, baseline: Evaluation | None
) -> list[tuple[Drawing, list[Path]]]:
    """Draw and save every figure; return each with its SVG, PNG and CSV."""
    # Drawing takes matplotlib, half a second to import; scoring does without.
    from lentigo.reports.evaluation.drawings import draw_divided, draw_judged
    from lentigo.reports.evaluation.plate import draw_mistakes

    both = {"model": evaluation} | ({"baseline": baseline} if baseline is not None else {})
    drawings = draw_judged(_judged(evaluation, both)) + draw_divided(evaluation)
    plate = draw_mistakes(evaluation)
    drawings += [plate] if plate is not None else []
    return [(drawing, drawing.save(folder)) for drawing in drawings]


def _judged(evaluation: Evaluation, both: Mapping[str, Evaluation]) -> DrawnScores:
    from lentigo.reports.evaluation.drawings import DrawnScores

    tables = {name: each.scored for name, each in both.items()}
    return DrawnScores(
        models={
            name: (table["melanoma"].to_numpy(bool), table["probability"].to_numpy(float))
            for name, table in tables.items()
        },
        group=evaluation.scored["group"],
        # Drawn are the probabilities as they were given, whatever share was asked for.
        threshold=evaluation.called_from,
        seed=evaluation.seed,
        auc=_intervals(both, "auc"),
        average_precision=_intervals(both, "average_precision"),
    )


def _intervals(both: Mapping[str, Evaluation], metric: str) -> dict[str, Interval]:
    return {name: evaluation[metric] for name, evaluation in both.items()}
