"""What a training prepares from a table: groups stay whole, whoever named them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.errors import RunError
from lentigo.run_layout import RunLayout
from lentigo.tables import NotedTable, read_table_file
from lentigo.training.prepare import _source_digest, prepare
from lentigo.training.run_folder import claim
from tests.cohorts import draw_cohort, tiny_config

CONFIG = tiny_config()


def test_a_group_of_the_table_itself_is_in_one_fold_and_part_of_the_source(
    tmp_path: Path,
) -> None:
    table = draw_cohort(tmp_path / "discs")
    # The table knows no patients, only groups of four images.
    groups = pd.array([f"g{row // 4}" for row in range(len(table))], dtype="string")
    nobody = pd.array([pd.NA] * len(table), dtype="string")
    table = table.assign(patient_id=nobody, lesion_id=nobody, group_id=groups)
    run = tmp_path / "run"
    claim(run, config=CONFIG, folds=1, resume=False)
    prepare(NotedTable(table), CONFIG, run)
    found = read_table_file(RunLayout(run).table).set_index("image_id")
    named = table.set_index("image_id")["group_id"]
    assert found["fold"].groupby(named).nunique().max() == 1
    assert set(found["fold"]) == set(range(CONFIG.split.parts()))
    with pytest.raises(RunError, match="groups or the split have changed"):
        prepare(NotedTable(table.assign(group_id=table["image_id"])), CONFIG, run)


def test_a_run_begun_without_the_groups_of_the_table_is_resumed_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = draw_cohort(tmp_path / "discs")
    run = tmp_path / "run"
    claim(run, config=CONFIG, folds=1, resume=False)
    # Until training kept the groups, they were no part of the source.
    nobody = pd.array([pd.NA] * len(table), dtype="string")
    prepare(NotedTable(table.assign(group_id=nobody)), CONFIG, run)
    before = RunLayout(run).table.read_bytes()
    assert not caplog.messages
    prepare(NotedTable(table.assign(group_id=table["patient_id"])), CONFIG, run)
    assert "divided the images without the groups of the table" in caplog.text
    assert RunLayout(run).table.read_bytes() == before
    other = table.assign(group_id=table["patient_id"], melanoma=~table["melanoma"])
    with pytest.raises(RunError, match="started on another table"):
        prepare(NotedTable(other), CONFIG, run)


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ({"training__target": "diagnosis"}, "diagnosis"),
        ({"model__metadata": "late"}, "age"),
        ({"model__metadata": "late"}, "site"),
    ],
)
def test_what_a_training_learns_from_is_part_of_its_source(
    more: dict[str, str], column: str, tmp_path: Path
) -> None:
    """A run that learns diagnoses may not go on with others; one that does not, may."""
    table = draw_cohort(tmp_path / "discs")
    other = table.assign(**{column: table[column].shift(1)})
    assert not other[column].equals(table[column])
    config = tiny_config(**more)
    assert _source_digest(table, None, config) != _source_digest(other, None, config)
    plain = tiny_config()
    assert _source_digest(table, None, plain) == _source_digest(other, None, plain)
