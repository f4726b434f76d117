"""Words and places in figures: of undefined numbers, few groups, and rare values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.readers.study_result import OneReader
from lentigo.figures.bars import percent
from lentigo.figures.curves import in_words, thinned
from lentigo.figures.forest import plot_forest
from lentigo.figures.history import plot_history
from lentigo.figures.rates import plot_rates
from lentigo.figures.readers import plot_readers
from lentigo.figures.style import new_figure
from lentigo.figures.tuning import _places, plot_trials


def x_of(line: Line2D) -> list[float]:
    return [float(each) for each in np.asarray(line.get_xdata())]


def y_of(line: Line2D) -> list[float]:
    return [float(each) for each in np.asarray(line.get_ydata())]


def test_the_legend_tells_what_is_not_known() -> None:
    assert in_words("AUC", None) == "AUC"
    assert in_words("AUC", Interval(math.nan)) == "AUC undefined"
    assert in_words("AUC", Interval(0.8734)) == "AUC 0.873"
    assert in_words("AUC", Interval(0.8734, 0.861, 0.885)) == "AUC 0.873 (0.861–0.885)"


def test_two_points_are_a_curve_and_straight_ones_need_no_more() -> None:
    assert thinned(np.zeros(2), np.ones(2)).tolist() == [0, 1]
    assert thinned(np.arange(5.0), np.arange(5.0)).tolist() == [0, 4]
    bent = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    assert thinned(np.arange(5.0), bent, points=3).tolist() == [0, 2, 4]


def test_choices_stand_at_places_of_their_own_and_numbers_at_themselves() -> None:
    places, names = _places(pd.Series([True, False, True]))
    assert (places.tolist(), names) == ([1, 0, 1], ["False", "True"])
    places, names = _places(pd.Series([0.5, 2.0]))
    assert (places.tolist(), names) == ([0.5, 2.0], [])


TRIALS = pd.DataFrame(
    {
        "trial": [0, 1, 2],
        "state": ["finished", "stopped", "finished"],
        "validation_auc": [0.7, 0.9, 0.8],
        "balance": ["none", "class", "class"],
    }
)


def test_the_best_trial_is_ringed_among_those_trained_to_their_end() -> None:
    _, [ax] = new_figure()
    plot_trials(ax, TRIALS, by="balance", base=0.75, log=False)
    ring = ax.lines[-1]
    assert (x_of(ring)[0], y_of(ring)[0]) == (0, 0.8)  # "class", not the 0.9
    assert [label.get_text() for label in ax.get_xticklabels()] == ["class", "none"]
    assert ax.get_xlim() == (-0.5, 1.5)
    crosses = next(line for line in ax.lines if line.get_marker() == "x")
    assert y_of(crosses) == [0.9]


ROW = {
    "value": 0.8,
    "low": 0.7,
    "high": 0.9,
    "few": False,
    "rough": False,
    "heading": False,
}


def test_a_subgroup_is_a_dot_with_its_ends_or_the_words_too_few() -> None:
    rows = pd.DataFrame(
        [
            {**ROW, "heading": True},
            ROW,
            {**ROW, "rough": True},
            {**ROW, "few": True},
            {**ROW, "value": math.nan},
            {**ROW, "low": math.nan},
        ]
    )
    _, [ax] = new_figure()
    plot_forest(ax, rows, whole=0.85)
    assert [(text.get_text(), text.get_position()[1]) for text in ax.texts] == [
        ("too few", 3),
        ("too few", 4),
    ]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [y_of(dot)[0] for dot in dots] == [1, 2, 5]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, True, False]
    bars = [line for line in ax.lines if x_of(line) == [0.7, 0.9]]
    assert [y_of(bar)[0] for bar in bars] == [1, 2]
    assert ax.get_ylim() == (5.5, -0.7)
    assert ax.get_xlim() == pytest.approx((0.7 - 0.3 * 0.04, 1 + 0.3 * 0.04))


def test_the_curves_of_a_training_are_told_apart_and_named() -> None:
    history = pd.DataFrame(
        {"epoch": [1, 2], "auc": [0.6, 0.7], "validation_auc": [0.5, 0.8]}
    )
    _, [ax] = new_figure()
    plot_history(ax, history, measure="auc")
    by_name = {line.get_label(): line for line in ax.lines}
    assert y_of(by_name["training"]) == [0.6, 0.7]
    assert y_of(by_name["validation"]) == [0.5, 0.8]
    assert by_name["training"].get_marker() != by_name["validation"].get_marker()
    assert ax.get_ylabel() == "AUC"


def test_a_loss_that_bursts_does_not_flatten_its_valley() -> None:
    rows = pd.DataFrame(
        {"learning_rate": [1e-4, 1e-3, 1e-2, 1e-1], "loss": [1.0, 0.5, 0.4, 99.0],
         "smoothed": [1.0, 0.6, 0.5, 90.0]}
    )  # fmt: skip
    _, [ax] = new_figure()
    plot_rates(ax, rows, rate=1e-3, given=2e-3)
    assert ax.get_ylim() == pytest.approx((0.5 - 0.15, 1.0 + 0.15))
    labels = [line.get_label() for line in ax.lines]
    assert "advised: 1.0e-03" in labels
    assert "settings: 2.0e-03" in labels
    _, [bare] = new_figure()
    plot_rates(bare, rows, rate=math.nan, given=2e-3)
    assert not any("advised" in str(line.get_label()) for line in bare.lines)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (math.nan, "–"), (0.0, "0 %"), (0.00049, "<0.1 %"), (0.0005, "0.1 %"),
        (0.5, "50.0 %"), (1.0, "100.0 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_to_none(share: float, said: str) -> None:
    assert percent(share) == said


def reader(sensitivity: float, specificity: float) -> OneReader:
    return OneReader(
        name="r", n_images=10, n_melanomas=5,
        sensitivity=Interval(sensitivity, sensitivity - 0.1, sensitivity + 0.1),
        specificity=Interval(specificity, specificity - 0.2, specificity + 0.2),
        auc=Interval(math.nan), difference=Interval(math.nan),
    )  # fmt: skip


def test_readers_are_dots_with_a_cross_and_one_entry_in_the_legend() -> None:
    _, [ax] = new_figure()
    two = [reader(0.8, 0.7), reader(math.nan, 0.5), reader(0.6, 0.5)]
    plot_readers(ax, two, label="doctors")
    dots = [line for line in ax.lines if line.get_linestyle() == "None"]
    at = [(x_of(dot)[0], y_of(dot)[0]) for dot in dots]
    assert at == [pytest.approx((0.3, 0.8)), pytest.approx((0.5, 0.6))]
    assert dots[0].get_label() == "doctors"
    assert sum(line.get_label() == "doctors" for line in ax.lines) == 1
    across, along = ax.lines[:2]
    assert x_of(across) == pytest.approx([0.1, 0.5])
    assert y_of(along) == pytest.approx([0.7, 0.9])


def test_the_majority_is_larger_than_one_reader() -> None:
    _, [ax] = new_figure()
    plot_readers(ax, [reader(0.8, 0.7)], majority=reader(0.9, 0.6), label="doctors")
    one, majority = (line for line in ax.lines if line.get_linestyle() == "None")
    assert majority.get_label() == "their majority"
    assert majority.get_markersize() > one.get_markersize()
