"""The figures of the report: drawn into the run's `figures/`, and into the page itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lentigo.evaluation.abstention import RiskCoverage
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.figures.history import Histories
from lentigo.figures.matrix import draw_learnt_and_judged
from lentigo.figures.registry import drawing_of, shown_by
from lentigo.figures.repeats import draw_rows
from lentigo.figures.risk_coverage import draw_curve
from lentigo.figures.scores import Drawing, DrawnScores, Scores
from lentigo.figures.style import style
from lentigo.reports.drawable import inlined
from lentigo.reports.evaluation.drawings import draw_judged
from lentigo.reports.numbers import Value, as_value
from lentigo.reports.run.run_folder import RunFolder, threshold

MODEL, BASELINE = "model", "metadata only"
UNKNOWN = Value(float("nan"))


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its title, its caption, and its image as a `data:` address."""

    title: str
    caption: str
    source: str


def draw_curves(run: RunFolder) -> list[Drawn]:
    """Draw the training figures of the figure registry: loss and AUC over the epochs.

    A network with one epoch has no curve; its values are in the table above the figures.
    """
    given = Histories(run.histories)
    with style():
        drawings = [each for row in shown_by("report") for each in drawing_of(row)(given)]
    return [_shown(drawing, run) for drawing in drawings]


def draw_results(run: RunFolder) -> list[Drawn]:
    """Draw the figures of the predictions on held-out images; none without predictions.

    Curves need images of both classes; if one class is absent, they are left out.
    """
    if run.scored.empty:
        return []
    drawings = draw_judged(_judged(run), both_classes_only=True)
    own = [*_archives(run), *_repeats(run)]
    return [*own, *(_shown(drawing, run) for drawing in drawings)]


def _archives(run: RunFolder) -> list[Drawn]:
    """Draw the AUC of each model on each archive, if each archive was held out in turn."""
    found = {
        model: {name: as_value(auc) or UNKNOWN for name, auc in judged.items()}
        for model, judged in (run.evaluation.get("archives") or {}).items()
    }
    if not found:
        return []
    with style():
        return [_shown(draw_learnt_and_judged(found), run)]


def _repeats(run: RunFolder) -> list[Drawn]:
    """Draw the AUC of each fold and repeat, if cross-validation was repeated."""
    found = (run.evaluation.get("model") or {}).get("by_repeat")
    if not found:
        return []
    rows = [
        (number, part["name"], (as_value(part["auc"]) or UNKNOWN).value)
        for number, each in enumerate(found["repeats"])
        for part in (*each["folds"], each["pooled"])
    ]
    mean = as_value(found["mean_interval"]) or UNKNOWN
    with style():
        return [_shown(draw_rows(rows, mean, found["sentence"]), run)]


def draw_refusals(run: RunFolder) -> list[Drawn]:
    """Draw the risk-coverage curve, if the models of the run can abstain."""
    found = (run.evaluation.get("model") or {}).get("refusals") or {}
    if not found.get("curve"):
        return []
    arrays = {n: np.array(found["curve"][n], float) for n in _CURVE}
    value, low, high = found["curve"]["area"]
    curve = RiskCoverage(**arrays, area=(value, low, high))
    whole = found["rows"][0]
    counts = {"images": whole["n_images"], "refused": whole["n_refused"]}
    with style():
        return [_shown(draw_curve(curve, **counts), run)]


_CURVE = ("coverage", "risk", "low", "high")


def _shown(drawing: Drawing, run: RunFolder) -> Drawn:
    """Save a figure in the folder of the run, and put it into the page."""
    svg, *_ = drawing.save(run.layout.figures)
    return Drawn(drawing.title, drawing.caption, inlined(svg))


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
