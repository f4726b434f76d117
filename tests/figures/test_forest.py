"""The forest of subgroups shows every one, those of too few images, too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import Evaluation, evaluate
from lentigo.figures import new_figure, plot_forest
from lentigo.figures.forest import draw_difficulty, draw_subgroups, subgroup_rows
from lentigo.figures.style import style


@pytest.fixture(scope="module")
def found() -> Evaluation:
    rng = np.random.default_rng(0)
    names = [f"i{number:03}" for number in range(240)]
    dx = rng.choice(["mel", "nv", "bkl", "vasc"], p=[0.3, 0.5, 0.15, 0.05], size=240)
    score = (rng.random(240) + 0.5 * (dx == "mel")) / 1.5
    truth = pd.DataFrame({"image_id": names, "dx": dx, "site": ["back", "face"] * 120})
    truth.loc[:3, "site"] = "foot"
    predictions = pd.DataFrame({"image_id": names, "probability": score})
    return evaluate(predictions, truth, by="site", repeats=20)


def test_there_is_a_heading_and_a_row_a_subgroup_in_the_order_worst_first(
    found: Evaluation,
) -> None:
    rows = subgroup_rows(found, "auc")
    assert rows["heading"].tolist() == [True, False, False, False]
    worst = [group.name for group in found.subgroups[0].worst_first]
    assert rows["name"].tolist()[1:] == worst
    assert rows["few"].tolist()[1:] == [False, False, True]


def test_too_few_is_written_where_nothing_can_be_said(found: Evaluation) -> None:
    _, [ax] = new_figure()
    plot_forest(ax, subgroup_rows(found, "auc"), whole=0.8)
    assert [text.get_text().strip() for text in ax.texts] == ["too few"]


def test_the_whole_figures_have_their_numbers(found: Evaluation) -> None:
    with style():
        drawn, difficulty = draw_subgroups(found), draw_difficulty(found)
    assert len(drawn.data) == 3 * 3
    assert set(drawn.data["metric"]) == {"auc", "sensitivity", "specificity"}
    labels = [text.get_text() for text in drawn.figure.axes[0].get_yticklabels()]
    assert labels[0] == "site:"
    assert any(label.startswith("lower extremity  4 / ") for label in labels)
    assert found.difficulty is not None
    assert len(difficulty.data) == len(found.difficulty.kinds) + len(
        [each for each in found.difficulty.diagnoses if not each.too_few]
    )
