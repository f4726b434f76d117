"""The figures of the report: drawn into the run's `figures/`, and into the page itself."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.figures.history import plot_history, points
from lentigo.figures.roc import Scores
from lentigo.figures.save import save_figure
from lentigo.figures.style import new_figure, style, titled
from lentigo.reports.evaluation.drawings import DrawnScores, draw_judged
from lentigo.reports.numbers import Value, as_value
from lentigo.reports.run.run_folder import RunFolder, threshold

MOST_FOLDS = 5
"""Models whose curves are drawn; the numbers of all are in each fold's metrics.csv."""

MODEL, BASELINE = "model", "metadata only"


@dataclass(frozen=True)
class Drawn:
    """A figure in the page: its title, which stands in it; caption; `data:` address."""

    title: str
    caption: str
    source: str


def draw_curves(run: RunFolder) -> list[Drawn]:
    """Loss and AUC of training and validation over the epochs, two figures a model.

    One epoch makes no curve; its numbers stand in the table above.
    """
    measures: tuple[Literal["loss", "auc"], ...] = ("loss", "auc")
    return [
        _curve(run, fold, history, measure)
        for fold, history in list(run.histories.items())[:MOST_FOLDS]
        for measure in measures
        if {measure, f"validation_{measure}"} <= set(history)
        and points(history, measure) > 1
    ]


def draw_results(run: RunFolder) -> list[Drawn]:
    """ROC, precision–recall, confusion and reliability of the held-out images.

    The two curves need both classes; where one is absent they are left out.
    """
    if run.scored.empty:
        return []
    return [
        Drawn(
            drawing.title,
            drawing.caption,
            inlined(drawing.save(run.layout.figures)[0]),
        )
        for drawing in draw_judged(_judged(run), both_classes_only=True)
    ]


def _curve(
    run: RunFolder, fold: int, history: pd.DataFrame, measure: Literal["loss", "auc"]
) -> Drawn:
    which = f", fold {fold}" if len(run.histories) > 1 else ""
    name = {"loss": "Loss", "auc": "AUC"}[measure]
    better = {"loss": "Lower", "auc": "Higher"}[measure]
    title = f"{name} over the epochs{which}"
    with style():
        figure, [ax] = new_figure("column", height=2.8)
        plot_history(ax, history, measure=measure)
        titled(ax, title)
    return _saved(
        run,
        f"{run.layout.fold(fold).folder.name}-{measure}",
        figure,
        title,
        f"{better} is better.",
        history,
    )


def _judged(run: RunFolder) -> DrawnScores:
    groups = run.scored["group_id"]
    return DrawnScores(
        models=_models(run),
        group=None if groups.isna().any() else groups,
        threshold=threshold(run),
        seed=run.config.seed,
        auc=_intervals(run, "auc"),
        average_precision=_intervals(run, "average_precision"),
    )


def _saved(
    run: RunFolder, name: str, figure: Figure, title: str, caption: str, data: pd.DataFrame
) -> Drawn:
    svg, *_ = save_figure(figure, run.layout.figures / name, data)
    return Drawn(title, caption, inlined(svg))


def inlined(svg: Path) -> str:
    """An SVG file as a `data:` address. Inside an image, whatever it holds cannot run."""
    return "data:image/svg+xml;base64," + b64encode(svg.read_bytes()).decode("ascii")


def _models(run: RunFolder) -> dict[str, Scores]:
    models = {MODEL: _scores(run.scored)}
    baseline = run.scored_baseline
    if baseline is not None and baseline["melanoma"].nunique() == 2:
        models[BASELINE] = _scores(baseline)
    return models


def _scores(table: pd.DataFrame) -> tuple[BoolArray, FloatArray]:
    return table["melanoma"].to_numpy(dtype=bool), table["probability"].to_numpy(np.float64)


def _intervals(run: RunFolder, metric: str) -> dict[str, Value]:
    found = {
        MODEL: as_value((run.evaluation.get("model") or {}).get(metric)),
        BASELINE: as_value((run.evaluation.get("baseline") or {}).get(metric)),
    }
    return {name: value for name, value in found.items() if value is not None}
