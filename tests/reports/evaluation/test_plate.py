"""The page of confident mistakes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.text import Text

from lentigo.evaluation import evaluate
from lentigo.reports.evaluation import plate
from lentigo.reports.evaluation.plate import draw_mistakes
from tests.cohorts import draw_cohort


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=16)


def predicted(table: pd.DataFrame, wrong: list[str]) -> pd.DataFrame:
    label = table["melanoma"].astype(bool) != table["image_id"].isin(wrong)
    score = 0.2 + 0.6 * label + 0.001 * pd.Series(range(len(table)))
    return pd.DataFrame({"image_id": table["image_id"], "probability": score})


def test_it_has_every_mistake_the_surest_first(table: pd.DataFrame) -> None:
    melanomas = table.loc[table["melanoma"].astype(bool), "image_id"].tolist()
    others = table.loc[~table["melanoma"].astype(bool), "image_id"].tolist()
    wrong = [*melanomas[:2], *others[:3]]
    found = draw_mistakes(evaluate(predicted(table, wrong), table, repeats=20))
    assert found is not None
    data = found.data
    assert data.loc[data["mistake"] == "missed", "image_id"].tolist() == melanomas[:2]
    alarms = data.loc[data["mistake"] == "false alarm", "image_id"].tolist()
    assert alarms == others[:3][::-1]  # highest probability first
    assert "2 melanomas missed and 3 false alarms" in found.caption


@pytest.mark.parametrize("most", [3, 2])
def test_a_title_says_how_many_are_shown_where_some_are_not(
    most: int, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plate, "SHOWN", most)
    wrong = table.loc[table["melanoma"].astype(bool), "image_id"].tolist()[:3]
    found = draw_mistakes(evaluate(predicted(table, wrong), table, repeats=20))
    assert found is not None
    written = " ".join(each.get_text() for each in found.figure.findobj(Text))
    assert ("(2 of 3)" in written) == (most < 3)
    assert "(3 of 3)" not in written


def test_without_mistakes_or_files_there_is_no_page(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    assert draw_mistakes(evaluate(predicted(table, []), table, repeats=20)) is None
    elsewhere = table.assign(path=str(tmp_path / "gone.png"))
    wrong = table["image_id"].tolist()[:2]
    assert draw_mistakes(evaluate(predicted(table, wrong), elsewhere, repeats=20)) is None
