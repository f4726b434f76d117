"""What a training prepares from a table: groups stay whole, whoever named them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.errors import RunError
from lentigo.run_layout import RunLayout
from lentigo.tables import NotedTable, read_table_file
from lentigo.training.prepare import (
    Prepared,
    _check_same_files,
    _source_digest,
    held_out_folds,
    prepare,
)
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


def small() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c"], "melanoma": [True, False, None],
            "patient_id": ["p", "q", "q"], "lesion_id": None, "group_id": ["p", "q", "q"],
            "diagnosis": ["melanoma", "nevus", None], "malignant": [True, False, None],
            "age": [50.0, 60.0, 70.0], "sex": ["male", None, None], "site": "torso",
            "fold": pd.array([0, 1, 2], dtype="Int64"), "sha256": ["1", "2", None],
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "settings", "counts"),
    [
        ("melanoma", True, {}, True),
        ("patient_id", "z", {}, True),
        ("lesion_id", "z", {}, True),
        ("group_id", "z", {}, True),
        ("diagnosis", "z", {}, False),
        ("diagnosis", "z", {"training__target": "diagnosis"}, True),
        ("malignant", True, {"training__target": "diagnosis"}, True),
        ("age", 1.0, {}, False),
        ("age", 1.0, {"model__metadata": "late"}, True),
        ("site", "x", {"model__metadata": "late"}, True),
        ("fold", 7, {"model__metadata": "late"}, False),
    ],
)
def test_a_source_is_what_the_training_reads(
    column: str, value: object, settings: dict[str, object], counts: bool
) -> None:
    table, config = small(), tiny_config(**settings)
    changed = table.assign(**{column: [value, *table[column][1:]]})
    if column in {"melanoma", "malignant"}:
        changed = table.assign(**{column: [False, *table[column][1:]]})
    before = _source_digest(table, None, config)
    assert (_source_digest(changed, None, config) != before) == counts
    assert _source_digest(table.iloc[::-1], None, config) == before


def test_a_manifest_is_part_of_the_source_and_groups_may_be_left_out(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "split.csv"
    manifest.write_text("image_id,fold\n")
    plain = _source_digest(small(), None, CONFIG)
    assert _source_digest(small(), manifest, CONFIG) != plain
    other = small().assign(group_id=["x", "y", "z"])
    assert _source_digest(other, None, CONFIG, groups=False) == _source_digest(
        small(), None, CONFIG, groups=False
    )


class Store:
    """As much of a pixel store as is compared with a table."""

    folder = Path("pixels")

    def __init__(self, sha256: list[str | None], error: list[str | None]) -> None:
        self.index = pd.DataFrame({"sha256": sha256, "error": error})


@pytest.mark.parametrize(
    ("sha256", "error", "named"),
    [
        (["1", "2", "3"], [None] * 3, ""),  # the digest of c is in the store alone
        (["1", None, None], [None] * 3, ""),
        (["1", "9", None], [None] * 3, "1 image than this training began with: b"),
        (
            ["1", "2", None],
            ["broken", None, None],
            "1 image than this training began with: a",
        ),
    ],
)
def test_pixels_of_other_files_than_those_of_the_table_are_refused(
    sha256: list[str | None], error: list[str | None], named: str
) -> None:
    store: Any = Store(sha256, error)
    if not named:
        _check_same_files(small(), store)
        return
    with pytest.raises(RunError, match=named):
        _check_same_files(small(), store)


def test_another_repeat_has_its_own_folds_and_two_folds_may_be_held_out(
    tmp_path: Path,
) -> None:
    repeats = pd.DataFrame({"image_id": list("abcabc"), "repeat": [1] * 3 + [2] * 3,
                            "fold": [2, 0, 1, 1, 1, 0]})  # fmt: skip
    store: Any = None
    work = Prepared(tmp_path, small(), store, pd.DataFrame(), repeats)
    assert work.of_repeat(0) is work
    assert work.of_repeat(2).table["fold"].tolist() == [1, 1, 0]
    assert work.of_repeat(2).repeat == 2
    both = work.without_too(0, 2)
    assert both.table["fold"].tolist() == [0, 1, 0]
    assert work.layout(1).folder == RunLayout(tmp_path).fold(1, 0).folder
    assert both.layout(0).folder == RunLayout(tmp_path).without_pair(0, 2, 0).folder
    assert work.of_repeat(1).layout(1).folder == RunLayout(tmp_path).fold(1, 1).folder


def test_by_source_every_data_set_is_held_out() -> None:
    by_source = tiny_config(split__scheme="leave-one-source-out")
    assert held_out_folds(small(), by_source, 1) == 3
    assert held_out_folds(small(), CONFIG, 2) == 2
