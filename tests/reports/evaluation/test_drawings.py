"""The figures of an evaluation: one title, caption and table of numbers each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.figures.registry import FIGURES
from lentigo.reports.evaluation.drawings import DrawnScores, draw_judged

TRUTH = np.array([True, True, False, False, False, False])
SCORE = np.array([0.9, 0.4, 0.6, 0.3, 0.2, 0.1])
GROUPS = pd.Series(["a", "b", "c", "d", "e", "f"], dtype="string")


def judged(truth: np.ndarray = TRUTH, group: pd.Series | None = GROUPS) -> DrawnScores:
    return DrawnScores(models={"model": (truth, SCORE)}, group=group, threshold=0.5, seed=0)


def test_each_figure_says_what_it_is_and_of_how_many() -> None:
    drawn = draw_judged(judged())
    assert [each.name for each in drawn] == [
        "roc", "precision_recall", "confusion", "reliability", "decision_curve",
    ]  # fmt: skip
    for each in drawn:
        [ax] = each.figure.axes
        assert ax.get_title(loc="left") == each.title
        assert "6 images, 2 melanomas" in [text.get_text() for text in ax.texts]
        assert each.caption.endswith(".")
        assert len(each.data)


@pytest.mark.parametrize("only", [True, False])
def test_curves_may_be_left_out_where_there_is_one_class(only: bool) -> None:
    drawn = draw_judged(judged(np.zeros(6, dtype=bool)), both_classes_only=only)
    with_one = ["confusion", "reliability"]
    assert [name for name in (each.name for each in drawn) if name in with_one] == with_one
    assert len(drawn) == (2 if only else 5)


def test_whatever_the_registry_has_of_predictions_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = replace(FIGURES["confusion"], name="again")
    monkeypatch.setitem(FIGURES, "again", again)
    assert len(draw_judged(judged())) == 6
    monkeypatch.setitem(FIGURES, "roc", replace(FIGURES["roc"], place="images"))
    first, *_ = draw_judged(judged())
    assert first.name == "precision_recall"


def test_there_is_no_band_where_an_image_has_no_group() -> None:
    roc, *_ = draw_judged(judged(group=None))
    assert "band" not in roc.caption
    assert "band" in draw_judged(judged())[0].caption


def test_a_figure_is_saved_as_picture_and_as_numbers(tmp_path: Path) -> None:
    roc = draw_judged(judged())[0]
    assert [path.name for path in roc.save(tmp_path)] == ["roc.svg", "roc.png", "roc.csv"]
    assert len(pd.read_csv(tmp_path / "roc.csv")) == len(roc.data)
