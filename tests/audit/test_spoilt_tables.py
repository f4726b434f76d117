"""Tables that once made an audit fall over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.reports.audit.write import audit
from lentigo.tables import check_table


def table(**columns: object) -> pd.DataFrame:
    rows = {
        "image_id": [f"i{number}" for number in range(8)],
        "dataset": "here",
        "melanoma": [True, False] * 4,
        **columns,
    }
    return check_table(pd.DataFrame(rows), source="test")


@pytest.mark.parametrize(
    "columns",
    [
        {"date": "2020-01-01"},
        {"date": None, "age": 50.0, "patient_id": "P"},
        {"visit": "first", "age": 50.0, "patient_id": "P"},
        {"date": pd.Timestamp("2020-01-01"), "age": 50.0, "patient_id": "P"},
        {"melanoma": None},
        {"melanoma": True},
        {"part": ["overall", "a vs b"] * 4, "age": 50.0},
        {"part": "²", "age": 50.0},
        {"lesion_id": "L", "date": pd.Timestamp("2020-01-01")},
    ],
    ids=str,
)
def test_it_is_audited_to_the_end(columns: dict[str, object], tmp_path: Path) -> None:
    found = audit(table(**columns), tmp_path / "out")
    assert (tmp_path / "out" / "audit.json").is_file()
    assert len(found.table) == 8


def test_visits_that_are_counted_are_in_their_order(tmp_path: Path) -> None:
    columns = {
        "patient_id": ["P", "P", *"abcdef"],
        "visit": ["2", "10", *"111111"],
        "age": [60.0, 40.0, *[50.0] * 6],
    }
    found = audit(table(**columns), tmp_path / "out")
    assert "patient-age-backwards" in {each.check for each in found.findings}


def test_a_part_called_overall_is_not_added_to_the_whole(tmp_path: Path) -> None:
    found = audit(table(part=["overall", "other"] * 4), tmp_path / "out")
    lines = found.tables["table_one"].set_index("variable")
    assert lines.loc["images", "overall"] == "8"
