"""ROC curves of several models on the same images."""

from __future__ import annotations

from lentigo.evaluation.contest_result import Contest
from lentigo.figures.differences import size_of
from lentigo.figures.roc import plot_roc, roc_data
from lentigo.figures.scores import Drawing
from lentigo.figures.style import SERIES, new_figure, titled

MOST = len(SERIES)
"""Curves that can be told apart; of more models the best are drawn."""


def draw_curves(contest: Contest) -> Drawing:
    """The whole figure, with its numbers."""
    best = contest.entrants[:MOST]
    scores = {e.name: contest.sample[e.name] for e in best}
    models = {name: (each.truth, each.score) for name, each in scores.items()}
    figure, [ax] = new_figure()
    plot_roc(ax, models, intervals={each.name: each.auc for each in best})
    titled(ax, title := "ROC curves", size_of(contest))
    caption = "Melanomas found against false alarms, at every threshold."
    if len(contest.entrants) > MOST:
        caption += f" Drawn are the {MOST} models with the highest AUC."
    return Drawing("curves", title, caption, figure, roc_data(models))
