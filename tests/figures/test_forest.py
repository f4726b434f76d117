"""The forest of subgroups shows every one, those of too few images, too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lentigo.evaluation import Evaluation, evaluate
from lentigo.evaluation.prevalence import Asked
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


def rows_of(values: list[float], *, name: str = "clinic") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "column": "clinic", "name": [f"{name}{n}" for n, _ in enumerate(values)],
            "images": 9, "melanomas": 1, "value": values, "low": values, "high": values,
            "rough": True, "few": np.isnan(values), "heading": False,
        }
    )  # fmt: skip


def test_dots_at_either_end_are_whole_and_no_tick_is_above_one() -> None:
    _, [ax] = new_figure()
    plot_forest(ax, rows_of([0.0, 1.0]), whole=0.5)
    left, right = ax.get_xlim()
    width = ax.get_window_extent().width
    assert all(room * width / (right - left) > 4 for room in (0 - left, right - 1))  # px
    assert {0.0, 1.0} <= set(ax.get_xticks())
    assert all(0 <= tick <= 1 for tick in ax.get_xticks())


def test_a_panel_without_a_number_still_shows_the_value_of_all() -> None:
    _, [ax] = new_figure()
    plot_forest(ax, rows_of([np.nan, np.nan]), whole=0.62)
    left, right = ax.get_xlim()
    assert left < 0.62 < right
    assert all(text.get_bbox_patch() is not None for text in ax.texts)  # on the line


def test_clinics_that_differ_in_their_last_letter_are_told_apart() -> None:
    names = "Klinik für Dermatologie und Allergologie, Haus "
    predictions = pd.DataFrame(
        {"image_id": [f"i{n:02}" for n in range(40)], "probability": [0.2, 0.7] * 20}
    )
    truth = predictions[["image_id"]].assign(
        melanoma=[0, 1] * 20, clinic=[f"{names}{n % 4 // 2}" for n in range(40)]
    )
    judged = evaluate(predictions, truth, by="clinic", repeats=10)
    with style():
        drawn = draw_subgroups(judged)
    labels = [text.get_text() for text in drawn.figure.axes[0].get_yticklabels()]
    assert len({label.split("  ")[0] for label in labels[1:]}) == 2


def test_the_caption_names_the_threshold_of_another_share(found: Evaluation) -> None:
    moved = replace(
        found, prevalence=Asked(asked_for=0.02, meant_for=0.3, judged=0.3, said=False)
    )
    with style():
        assert "(0.5 at 2 % melanomas) upwards" in draw_subgroups(moved).caption
