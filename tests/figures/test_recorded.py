"""What every figure draws, to the last tick, is what somebody looked at and recorded.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from lentigo.evaluation.intervals import Interval
from lentigo.figures import plot_images
from lentigo.figures.cohort.drawn import CohortFigure, NotDrawnError
from lentigo.figures.contact_sheet import plot_views
from lentigo.figures.grid import plot_grid
from lentigo.figures.history import Histories
from lentigo.figures.matrix import draw_learnt_and_judged
from lentigo.figures.registry import FIGURES, drawing_of, shown_by
from lentigo.figures.scores import Drawing
from lentigo.figures.style import MELANOMA, OTHER_LESION, style
from tests.figures import given
from tests.figures.contents import contents, table
from tests.record import check_recorded


def drawn(name: str, found: Drawing | CohortFigure | Figure) -> None:
    """Compare a figure, its title, its words and its data with what was recorded."""
    said = ""
    if isinstance(found, Drawing):
        said = f"{found.name}\n{found.title}\n{found.caption}\n{table(found.data)}"
    elif isinstance(found, CohortFigure):
        said = f"{found.title}\n{found.sentence}\n{table(found.data)}"
    figure = found if isinstance(found, Figure) else found.figure
    with style():
        check_recorded(f"figures/{name}", said + contents(figure))


@pytest.mark.parametrize(
    ("name", "cohort"),
    [
        (row.name, cohort)
        for row in shown_by("explore")
        for cohort in ("large", "small", *(["sets"] if row.compares else []))
    ],
)
def test_figures_of_a_cohort(name: str, cohort: str, tmp_path: Path) -> None:
    given.pictures(tmp_path)
    try:
        found: CohortFigure = drawing_of(FIGURES[name])(given.cohorts(tmp_path)[cohort])
    except NotDrawnError as error:
        check_recorded(f"figures/{name}-{cohort}", f"{error}\n")
    else:
        drawn(f"{name}-{cohort}", found)


JUDGED: dict[str, Callable[[], Any]] = {
    **{row.name: given.scores for row in shown_by("evaluate")},
    **dict.fromkeys(("forest", "difficulty", "risk_coverage"), given.judged),
    "repeats": given.repeated,
    **{row.name: given.contest for row in shown_by("compare")},
    "readers": lambda: given.study(1),
    "drift": given.moved,
}


@pytest.mark.parametrize("name", JUDGED)
def test_figures_of_a_result(name: str) -> None:
    with style():
        drawn(name, drawing_of(FIGURES[name])(JUDGED[name]()))


def test_figures_of_readers_under_two_conditions() -> None:
    with style():
        drawn("readers-two", drawing_of(FIGURES["readers"])(given.study(2)))


def test_figures_of_a_stress_test() -> None:
    with style():
        for found in drawing_of(FIGURES["stress_group"])(given.stressed()):
            drawn(found.name, found)


def test_figures_of_a_training() -> None:
    with style():
        found = list(drawing_of(FIGURES["history"])(Histories(given.histories())))
        assert len(found) == 2 * 5  # of six models
        for each in found[:2]:
            drawn(f"history-{each.name}", each)
        one = Histories({"fold-0": given.histories()["fold-0 member-0"]})
        assert next(drawing_of(FIGURES["history"])(one)).title == "Loss over the epochs"


def test_figures_of_trials() -> None:
    with style():
        draw = {name: drawing_of(FIGURES[name]) for name in ("ablation", "tuning")}
        drawn("ablation", draw["ablation"](given.ablated(), "fast"))
        searched = {"learning_rate": True, "balance": False, "dropout": False}
        found = draw["tuning"](given.trials(), recipe="fast", base=0.8, searched=searched)
        drawn("tuning", found)
        draw_rates = drawing_of(FIGURES["learning_rates"])
        drawn("rates", draw_rates(given.rates(), name="fold-0", rate=1e-3, given=4e-4))


def test_figures_of_archives_held_out_in_turn() -> None:
    cells = {
        f"all but {one}": {
            two: Interval(0.95 - 0.1 * abs(a - b), 0.6, 0.97)
            if a != b
            else Interval(np.nan)
            for b, two in enumerate(("HAM10000", "ISIC 2017", "PH2"))
        }
        for a, one in enumerate(("HAM10000", "ISIC 2017", "PH2"))
    }
    with style():
        drawn("learnt_and_judged", draw_learnt_and_judged(cells))


def test_figures_of_images(tmp_path: Path) -> None:
    images = given.pictures(tmp_path)
    with style():
        colors = [MELANOMA, OTHER_LESION, OTHER_LESION, MELANOMA]
        captions = [
            "one",
            "two\nlines",
            "a caption that is too long for its image " * 2,
            "",
        ]
        drawn("images", plot_images(images, captions, per_row=3, colors=colors))
        drawn("grid", plot_grid(given.blocks(images), per_row=4, note="A note."))
        views = {"rgb": images[0], "lab": images[0], "red": images[0][..., 0]}
        drawn("sheet", plot_views(views, title="image_1", notice="No medical device."))
