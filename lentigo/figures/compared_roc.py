"""ROC curves of several models on the same images."""

from __future__ import annotations

from lentigo.evaluation.contest_result import Contest
from lentigo.figures.differences import size_of
from lentigo.figures.lettering import fitted
from lentigo.figures.roc import plot_roc, roc_data
from lentigo.figures.scores import Drawing
from lentigo.figures.style import SERIES, new_figure, titled

MOST = len(SERIES)
"""Largest number of curves in the figure; of more models those of highest AUC are drawn."""
_LETTERS = 20
"""Width in letters of a model's name in the legend, before the AUC and its interval."""


def draw_curves(contest: Contest) -> Drawing:
    """Draw the figure of the ROC curves; its data are the points of the curves."""
    best = contest.entrants[:MOST]
    scores = {e.name: contest.sample[e.name] for e in best}
    models = {name: (each.truth, each.score) for name, each in scores.items()}
    figure, [ax] = new_figure()
    short = _shortened(list(models))
    plot_roc(
        ax,
        {short[name]: each for name, each in models.items()},
        intervals={short[each.name]: each.auc for each in best},
    )
    titled(ax, title := "ROC curves", size_of(contest))
    caption = "Melanomas found against false alarms, at every threshold."
    if len(contest.entrants) > MOST:
        caption += f" Drawn are the {MOST} models with the highest AUC."
    return Drawing("curves", title, caption, figure, roc_data(models))


def _shortened(names: list[str]) -> dict[str, str]:
    """Return name → shortened name for the legend; shortened names are all different."""
    short: dict[str, str] = {}
    for place, name in enumerate(names, start=1):
        cut = fitted(name, width=_LETTERS, lines=1)
        short[name] = f"{place}: {cut}" if cut in short.values() else cut
    return short
