"""All figures (diagrams) of lentigo, one row each. Light to import: strings only."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from lentigo.figures.cohort.registered import EXPLORED
from lentigo.figures.figure import Figure, Place
from lentigo.run_layout import METRICS

FIGURES: dict[str, Figure] = {
    row.name: row
    for row in (
        *EXPLORED,
        Figure(
            name="roc",
            shows="what finding melanomas costs in false alarms, at every threshold",
            needs="labels of both classes, probabilities",
            place="evaluate",
            plots=("roc:plot_roc",),
            draw="roc:draw_roc",
            both_classes=True,
        ),
        Figure(
            name="precision_recall",
            shows="how many of the calls are right, at every threshold",
            needs="labels of both classes, probabilities",
            place="evaluate",
            plots=("precision_recall:plot_precision_recall",),
            draw="precision_recall:draw_precision_recall",
            both_classes=True,
        ),
        Figure(
            name="confusion",
            shows="what was there, and what it was called at the threshold",
            needs="labels, probabilities, a threshold",
            place="evaluate",
            plots=("confusion:plot_confusion",),
            draw="confusion:draw_confusion",
        ),
        Figure(
            name="reliability",
            shows="how often melanoma was there against how often it was promised",
            needs="labels, probabilities",
            place="evaluate",
            plots=("reliability:plot_reliability",),
            draw="reliability:draw_reliability",
        ),
        Figure(
            name="decision_curve",
            shows="what a model is worth beside excising all lesions, or none",
            needs="labels of both classes, probabilities",
            place="evaluate",
            plots=("decision_curve:plot_decision_curve",),
            draw="decision_curve:draw_decision_curve",
            both_classes=True,
        ),
        Figure(
            name="forest",
            shows="AUC, sensitivity and specificity of each subgroup",
            needs="columns to divide by",
            place="divided",
            plots=("forest:plot_forest",),
            draw="forest:draw_subgroups",
        ),
        Figure(
            name="difficulty",
            shows="the AUC of melanoma against each diagnosis alone",
            needs="diagnoses",
            place="divided",
            draw="forest:draw_difficulty",
        ),
        Figure(
            name="repeats",
            shows="the AUC of each fold in each repeat of a cross-validation",
            needs="predictions of several repeats, with repeat and fold",
            place="divided",
            plots=("repeats:plot_repeats",),
            draw="repeats:draw_repeats",
        ),
        Figure(
            name="risk_coverage",
            shows="the risk of answering only the least strange images, by their share",
            needs="predictions with abstain and strangeness, none without a probability",
            place="divided",
            plots=("risk_coverage:plot_risk_coverage",),
            draw="risk_coverage:draw_risk_coverage",
        ),
        Figure(
            name="differences",
            shows="by how much models differ in AUC on the same images",
            needs="predictions of several models",
            place="compare",
            plots=("differences:plot_differences",),
            draw="differences:draw_differences",
        ),
        Figure(
            name="curves",
            shows="the ROC curves of several models on the same images",
            needs="predictions of several models",
            place="compare",
            draw="compared_roc:draw_curves",
        ),
        Figure(
            name="archives",
            shows="the AUC of each model on each archive",
            needs="predictions of several models for several archives",
            place="compare",
            plots=("matrix:plot_matrix",),
            draw="matrix:draw_matrix",
        ),
        Figure(
            name="readers",
            shows="sensitivity and specificity of readers on the ROC curve of a model",
            needs="calls of readers",
            place="readers",
            plots=("readers:plot_readers",),
            draw="readers:draw_readers",
        ),
        Figure(
            name="ablation",
            shows="what each switch of a recipe adds to its AUC",
            needs="trainings with and without it",
            place="ablation",
            plots=("ablation:plot_effects",),
            draw="ablation:draw_ablation",
        ),
        Figure(
            name="learning_rates",
            shows="the loss while the learning rate rises with each step",
            needs="a range test of learning rates",
            place="rates",
            plots=("rates:plot_rates",),
            draw="rates:draw_rates",
        ),
        Figure(
            name="tuning",
            shows="how good each trial of a search for settings was, by each setting",
            needs="trials of a search",
            place="tuning",
            plots=("tuning:plot_trials",),
            draw="tuning:draw_tuning",
        ),
        Figure(
            name="drift",
            shows="how far answers and patients of a period are from the held-out images",
            needs="predictions of a period, and those a model was judged on",
            place="drift",
            plots=("drift:plot_drift",),
            draw="drift:draw_drift",
        ),
        Figure(
            name="stress_group",
            shows="AUC and flipped calls by the strength of disturbances of one group",
            needs="a stress test",
            place="stress",
            plots=("stress:plot_strengths", "stress:plot_hidden"),
            draw="stress:draw_stress",
        ),
        Figure(
            name="history",
            shows="loss or AUC of training and validation over the epochs",
            needs=f"{METRICS} of a trained fold",
            place="report",
            plots=("history:plot_history",),
            draw="history:draw_history",
        ),
        Figure(
            name="images",
            shows="a grid of images, each with its caption",
            needs="images",
            place="images",
            plots=("images:plot_images",),
        ),
        Figure(
            name="grid",
            shows="a page of captioned images in blocks that stand beside each other",
            needs="images",
            place="images",
            plots=("grid:plot_grid",),
        ),
        Figure(
            name="mistakes",
            shows="the melanomas missed and the false alarms of which a model was surest",
            needs="images, labels, probabilities",
            place="images",
        ),
        Figure(
            name="sheet",
            shows="one lesion in many views, side by side",
            needs="an image",
            place="images",
            plots=("contact_sheet:plot_views",),
        ),
    )
}
"""Every figure by its name, in the order in which pages show them."""

PLOTS: dict[str, str] = {
    function: module
    for row in FIGURES.values()
    for module, _, function in (plot.partition(":") for plot in row.plots)
}
"""Name of each function that draws on Axes → its module in `lentigo.figures`."""


def shown_by(place: Place) -> list[Figure]:
    """Return the figures whose `place` is `place`, in the order of `FIGURES`."""
    return [row for row in FIGURES.values() if row.place == place]


def drawing_of(row: Figure) -> Callable[..., Any]:
    """Import and return the function `row.draw`, which makes the whole figure."""
    module, _, function = row.draw.partition(":")
    found: Callable[..., Any] = getattr(
        import_module(f"lentigo.figures.{module}"), function
    )
    return found
