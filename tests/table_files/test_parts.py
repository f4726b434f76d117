"""A table that is written in parts is the table that is written at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lentigo.output import PREDICTIONS
from lentigo.table_files import parts as module
from lentigo.table_files.parts import write_parts
from lentigo.tables import write_table

TABLE = pd.DataFrame(
    {
        "image_id": ["a", "b;=1", "-1+2", "ä,", "e"],
        "group_id": [None, None, "P1", None, None],
        "probability": [0.1, np.nan, 1 / 3, 1e-300, 1.0],
        "reason": ["", 'a "quoted" word', "two\nlines", "", ""],
    }
)


def in_parts(table: pd.DataFrame, rows: int) -> module.Parts:
    return lambda: (table.iloc[at : at + rows] for at in range(0, len(table), rows))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("late", ["", "a\rreturn"])
def test_a_text_file_has_the_same_bytes(tmp_path: Path, suffix: str, late: str) -> None:
    table = TABLE.assign(reason=[*TABLE["reason"][:4], late])
    write_table(table, tmp_path / f"whole{suffix}")
    write_parts(in_parts(table, 2), tmp_path / f"parts{suffix}")
    whole, parted = (tmp_path / f"{name}{suffix}" for name in ("whole", "parts"))
    assert parted.read_bytes() == whole.read_bytes()


def test_a_parquet_file_has_its_rows_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GROUP", 3)
    write_parts(in_parts(TABLE, 2), tmp_path / "parts.parquet")
    written = pq.ParquetFile(tmp_path / "parts.parquet").metadata
    assert [written.row_group(nth).num_rows for nth in range(2)] == [3, 2]
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "parts.parquet"), TABLE, check_dtype=False
    )


def test_every_kind_of_prediction_table_has_a_writer() -> None:
    assert set(module._WRITERS) == {*PREDICTIONS.endings, *PREDICTIONS.others}


def test_a_short_parquet_file_has_the_same_bytes(tmp_path: Path) -> None:
    table = TABLE.assign(group_id="P1")
    write_table(table, tmp_path / "whole.parquet")
    write_parts(in_parts(table, 2), tmp_path / "parts.parquet")
    parted = (tmp_path / "parts.parquet").read_bytes()
    assert parted == (tmp_path / "whole.parquet").read_bytes()


def test_a_failing_part_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[pd.DataFrame]:
        yield TABLE
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_parts(failing, tmp_path / "parts.csv")
    assert not list(tmp_path.iterdir())
