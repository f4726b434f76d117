"""An evaluation on disk: the numbers as JSON, and the figures with their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import Evaluation
from lentigo.evaluation.scoring import as_sample
from lentigo.files import check_new
from lentigo.json_files import write_json
from lentigo.locks import alone
from lentigo.run_layout import RunLayout
from lentigo.words import counted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def write_evaluation(
    evaluation: Evaluation, out: Path, *, baseline: Evaluation | None = None
) -> list[Path]:
    """Write `evaluation.json` and, in the folder `figures`, what `draw_evaluation` draws.

    Returns the files. Raises `RunError` where `out` cannot be written, or holds an
    evaluation already.
    """
    path = RunLayout(Path(out)).evaluation
    with alone(path.parent, keep=False):
        check_new(path)
        drawn = draw_evaluation(evaluation, RunLayout(Path(out)).figures, baseline=baseline)
        # Last: a folder in which it lies is whole.
        write_json(path, evaluation.as_dict())
    return [path, *drawn]


def draw_evaluation(
    evaluation: Evaluation, folder: Path, *, baseline: Evaluation | None = None
) -> list[Path]:
    """Draw `roc`, `precision_recall`, `confusion` and `reliability` into `folder`.

    Each is an SVG, a PNG, and a CSV of the numbers in it. The curves of a `baseline` are
    drawn beside. Raises `RunError` where `folder` cannot be written.
    """
    # Drawing takes matplotlib, half a second to import; scoring does without.
    from lentigo.figures.save import save_figure
    from lentigo.figures.style import style

    both = {"model": evaluation} | ({"baseline": baseline} if baseline is not None else {})
    paths: list[Path] = []
    with style():
        for name, (figure, data) in _figures(evaluation, both).items():
            paths += save_figure(figure, folder / name, data)
    return paths


def _figures(
    evaluation: Evaluation, both: Mapping[str, Evaluation]
) -> dict[str, tuple[Figure, pd.DataFrame]]:
    return {
        "roc": _roc(evaluation, both),
        "precision_recall": _precision_recall(evaluation, both),
        "confusion": _confusion(evaluation),
        "reliability": _reliability(evaluation),
    }


def _roc(
    evaluation: Evaluation, both: Mapping[str, Evaluation]
) -> tuple[Figure, pd.DataFrame]:
    from lentigo.figures.roc import plot_roc, roc_data
    from lentigo.figures.style import new_figure, titled

    figure, (ax,) = new_figure()
    models = {name: _arrays(each) for name, each in both.items()}
    band = roc_band(as_sample(evaluation.scored), seed=evaluation.seed)
    plot_roc(ax, models, intervals=_intervals(both, "auc"), band=band)
    titled(ax, "Melanomas found against false alarms", _size(evaluation))
    return figure, roc_data(models)


def _precision_recall(
    evaluation: Evaluation, both: Mapping[str, Evaluation]
) -> tuple[Figure, pd.DataFrame]:
    from lentigo.figures.precision_recall import (
        plot_precision_recall,
        precision_recall_data,
    )
    from lentigo.figures.style import new_figure, titled

    figure, (ax,) = new_figure()
    models = {name: _arrays(each) for name, each in both.items()}
    plot_precision_recall(ax, models, intervals=_intervals(both, "average_precision"))
    titled(ax, "Right calls against melanomas found", _size(evaluation))
    return figure, precision_recall_data(models)


def _confusion(evaluation: Evaluation) -> tuple[Figure, pd.DataFrame]:
    from lentigo.figures.confusion import confusion_data, plot_confusion
    from lentigo.figures.style import new_figure, titled

    figure, (ax,) = new_figure()
    plot_confusion(ax, evaluation.confusion, threshold=evaluation.threshold)
    titled(ax, "What it was, what it was called", _size(evaluation))
    return figure, confusion_data(evaluation.confusion)


def _reliability(evaluation: Evaluation) -> tuple[Figure, pd.DataFrame]:
    from lentigo.figures.reliability import plot_reliability, reliability_data
    from lentigo.figures.style import new_figure, titled

    figure, (ax,) = new_figure()
    truth, probability = _arrays(evaluation)
    group = as_sample(evaluation.scored).group
    plot_reliability(ax, truth, probability, group=group)
    titled(ax, "Melanoma promised and observed", _size(evaluation))
    return figure, reliability_data(truth, probability, group=group)


def _arrays(evaluation: Evaluation) -> tuple[BoolArray, FloatArray]:
    table = evaluation.scored
    return table["melanoma"].to_numpy(bool), table["probability"].to_numpy(float)


def _intervals(both: Mapping[str, Evaluation], metric: str) -> dict[str, Interval]:
    return {name: evaluation[metric] for name, evaluation in both.items()}


def _size(evaluation: Evaluation) -> str:
    return (
        f"{counted(evaluation.n_images, 'image')}, "
        f"{counted(evaluation.n_melanomas, 'melanoma')}"
    )
