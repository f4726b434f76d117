"""A table beside what is said of it, which a Parquet file keeps."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lentigo
from lentigo.tables import NotedTable, read_noted, write_table

PACKAGE = Path(lentigo.__file__).parent
TABLE = pd.DataFrame({"image_id": ["a"]})
READ = NotedTable(TABLE, ("said",), ({"dataset": "x", "citation": "y", "licence": "z"},))


def test_a_step_adds_what_it_says_to_what_was_said() -> None:
    done = READ.then(lambda table: NotedTable(table.assign(age=1), ("filled",)))
    assert list(done.table) == ["image_id", "age"]
    assert (done.notes, done.sources) == (("said", "filled"), READ.sources)
    assert READ.notes == ("said",)


def test_notes_and_sources_survive_a_parquet_file(tmp_path: Path) -> None:
    write_table(READ, tmp_path / "t.parquet")
    again = read_noted(tmp_path / "t.parquet")
    assert (again.notes, again.sources) == (READ.notes, READ.sources)
    assert pd.read_parquet(tmp_path / "t.parquet").attrs["notes"] == ["said"]


@pytest.mark.parametrize(
    "said", ["[1]", "{", '{"notes": 3}', '{"notes": [1]}', '{"sources": ["x"]}', "null"]
)
def test_notes_of_another_form_are_none(said: str, tmp_path: Path) -> None:
    packed = pa.Table.from_pandas(TABLE)
    packed = packed.replace_schema_metadata({"PANDAS_ATTRS": said})
    pq.write_table(packed, tmp_path / "t.parquet")
    again = read_noted(tmp_path / "t.parquet")
    assert (again.notes, again.sources) == ((), ())


def test_what_pandas_keeps_beside_a_frame_is_not_handed_on(tmp_path: Path) -> None:
    frame = TABLE.copy()
    frame.attrs["notes"] = ["of an earlier version"]
    frame.to_parquet(tmp_path / "t.parquet")
    again = read_noted(tmp_path / "t.parquet")
    assert again.notes == ("of an earlier version",)
    write_table(again.table, tmp_path / "u.parquet")
    metadata = pq.read_schema(tmp_path / "u.parquet").metadata
    assert (
        "attributes" not in json.loads(metadata[b"pandas"])
        or not json.loads(metadata[b"pandas"])["attributes"]
    )


def test_nothing_hangs_on_a_frame() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "attrs"
    ]
    assert not found, "put it into a result class, such as NotedTable"
