"""No word of a figure touches another or is cut off, whatever the table."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from matplotlib.figure import Figure

from lentigo.figures.cohort.drawn import Cohort, NotDrawnError
from lentigo.figures.lettering import stand_ins
from lentigo.figures.style import new_figure, style
from lentigo.reports.explore.page import KINDS
from tests.figures.overlaps import clashes
from tests.figures.tables import CHINESE, drawn_table, shapes


@cache
def tables() -> dict[str, pd.DataFrame]:
    named = shapes()
    lost = stand_ins(CHINESE)
    named["foreign"] = named["foreign"].replace({"site": lost, "diagnosis": lost})
    return named


SLOW = {"60 sites", "200 rows", "no site"}
"""Tables whose figures take longest, and are much like those of others: other tables have
long words, as few rows, or a column without a value."""


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in tables()
    ],
)
def test_no_word_touches_another_or_is_cut_off(shape: str) -> None:
    given = Cohort(tables()[shape], test=drawn_table(150, seed=9))
    kinds = [kind for kind in KINDS if kind.compares or shape != "three sets"]
    for kind in kinds:
        try:
            figure = kind.draw(given).figure
        except NotDrawnError:
            continue
        with style():
            assert clashes(figure) == [], kind.name


def test_the_check_itself_finds_what_touches_and_what_is_cut() -> None:
    figure = Figure(figsize=(2, 1), dpi=100)
    figure.subplots().set_axis_off()
    figure.axes[0].text(0.5, 0.5, "one")
    figure.axes[0].text(0.52, 0.5, "two")
    figure.axes[0].text(0.9, 0.1, "a long word that does not fit")
    found = clashes(figure)
    assert "'one' touches 'two'" in found
    assert "'a long word that does not fit' leaves the figure" in found


def test_a_figure_in_order_has_no_clash() -> None:
    with style():
        figure, [ax] = new_figure()
        ax.set(xlabel="Age", ylabel="Images", title="All is well")
        assert clashes(figure) == []
