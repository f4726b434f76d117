"""The figures of the report: drawn into the run's `figures/`, and into the page itself."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray
from lentigo.evaluation.operating_points import confusion
from lentigo.evaluation.sums import Sample
from lentigo.figures.confusion import confusion_data, plot_confusion
from lentigo.figures.history import plot_history, points
from lentigo.figures.precision_recall import plot_precision_recall, precision_recall_data
from lentigo.figures.reliability import plot_reliability, reliability_data
from lentigo.figures.roc import Scores, plot_roc, roc_data
from lentigo.figures.save import save_figure
from lentigo.figures.style import new_figure, style
from lentigo.reports.numbers import Value, as_value
from lentigo.reports.run.run_folder import RunFolder, threshold

MOST_FOLDS = 5
"""Models whose curves are drawn; the numbers of all are in each fold's metrics.csv."""

MODEL, BASELINE = "model", "metadata only"


@dataclass(frozen=True)
class Drawn:
    """A figure in the page: its title, its caption, and itself as a `data:` address."""

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
    scored = run.scored
    if scored.empty:
        return []
    drawn = []
    if scored["melanoma"].nunique() == 2:
        drawn += [_roc(run), _precision_recall(run)]
    return [*drawn, _confusion(run), _reliability(run)]


def _curve(
    run: RunFolder, fold: int, history: pd.DataFrame, measure: Literal["loss", "auc"]
) -> Drawn:
    with style():
        figure, [ax] = new_figure("column", height=2.6)
        plot_history(ax, history, measure=measure)
    which = f", fold {fold}" if len(run.histories) > 1 else ""
    name = {"loss": "Loss", "auc": "AUC"}[measure]
    better = {"loss": "Lower", "auc": "Higher"}[measure]
    title = f"{name} over the epochs{which}."
    return _saved(
        run,
        f"{run.layout.fold(fold).folder.name}-{measure}",
        figure,
        title,
        f"{better} is better.",
        history,
    )


def _roc(run: RunFolder) -> Drawn:
    models, intervals = _models(run), _intervals(run, "auc")
    with style():
        figure, [ax] = new_figure()
        plot_roc(
            ax, models, intervals=intervals, band=_band(run.scored, seed=run.config.seed)
        )
    caption = (
        "Melanomas found against false alarms, at every threshold. The band holds the "
        "model's curve in 95 % of the resamples of groups."
    )
    return _saved(run, "roc", figure, "ROC curve.", caption, roc_data(models))


def _band(
    scored: pd.DataFrame, *, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    if scored["group_id"].isna().any():
        return None
    group, names = pd.factorize(scored["group_id"])
    return roc_band(Sample(*_scores(scored), group.astype(np.intp), len(names)), seed=seed)


def _precision_recall(run: RunFolder) -> Drawn:
    models, intervals = _models(run), _intervals(run, "average_precision")
    with style():
        figure, [ax] = new_figure()
        plot_precision_recall(ax, models, intervals=intervals)
    caption = "The share of right calls against melanomas found, at every threshold."
    data = precision_recall_data(models)
    return _saved(run, "precision_recall", figure, "Precision–recall curve.", caption, data)


def _confusion(run: RunFolder) -> Drawn:
    truth, probability = _scores(run.scored)
    counts = confusion(truth, probability, threshold=threshold(run))
    with style():
        figure, [ax] = new_figure()
        plot_confusion(ax, counts, threshold=threshold(run))
    caption = "What was there, and what it was called."
    return _saved(
        run, "confusion", figure, "Confusion matrix.", caption, confusion_data(counts)
    )


def _reliability(run: RunFolder) -> Drawn:
    truth, probability = _scores(run.scored)
    group = _groups(run.scored)
    with style():
        figure, [ax] = new_figure()
        plot_reliability(ax, truth, probability, group=group)
    caption = "How often melanoma was there against how often it was promised."
    data = reliability_data(truth, probability, group=group)
    return _saved(run, "reliability", figure, "Reliability.", caption, data)


def _groups(scored: pd.DataFrame) -> IntArray | None:
    """The groups as numbers, None where some image has none."""
    if scored["group_id"].isna().any():
        return None
    return pd.factorize(scored["group_id"])[0].astype(np.intp)


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
