"""The numbers on a cell can be read whatever its colour, and no two models look alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lentigo.evaluation.intervals import Interval
from lentigo.figures import new_figure
from lentigo.figures.matrix import letters_on, plot_matrix
from lentigo.figures.style import INK, SEQUENTIAL, contrast


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast("white", "black") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)  # WebAIM
    assert contrast("#3E5C94", "#3E5C94") == 1


@pytest.mark.parametrize("auc", np.linspace(0.5, 1, 26))
def test_the_letters_on_a_cell_are_those_that_are_read_best(auc: float) -> None:
    cell = SEQUENTIAL((auc - 0.5) / 0.5)
    chosen = contrast(letters_on(auc), cell)
    assert chosen == max(contrast(each, cell) for each in ("white", INK))
    assert chosen > 3.9
    assert letters_on(math.nan) == INK


def test_models_whose_names_begin_alike_are_told_apart() -> None:
    start = "EfficientNet-B4 380 px, trained on HAM10000 and ISIC 2017, seed "
    cells = {f"{start}{seed}": {"a": Interval(0.8), "b": Interval(0.9)} for seed in (1, 2)}
    _, [ax] = new_figure()
    plot_matrix(ax, cells)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert [label[-6:] for label in labels] == ["seed 1", "seed 2"]
