"""Write a long table part by part, so that it is never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.extras import require
from lentigo.files import csv_text, has_returns, written_beside

Parts = Callable[[], Iterable[pd.DataFrame]]
"""A function that gives the parts of a table in order, each time anew. All parts have the
same columns, and there is at least one part."""

GROUP = 2**14
"""Rows of a row group of a Parquet file. A shorter table has one group."""


def write_parts(parts: Parts, path: Path, *, new: bool = False, same: bool = False) -> None:
    """Write a table to `path` (`.csv`, `.parquet`, `.jsonl`) as `write_table` does.

    CSV and JSON Lines have the same bytes, whatever the parts, and so has a Parquet file of
    up to `GROUP` rows.

    `new` and `same` are as for `files.written_beside`. Raises `RunError` where `path`
    cannot be written or is there, and `NotInstalledError` for Parquet without pyarrow.
    """
    with written_beside(path, new=new, same=same) as temporary:
        _WRITERS[path.suffix.lower()](parts, temporary)


def _write_csv(parts: Parts, path: Path) -> None:
    if not _csv_written(parts, path, quoted=False):
        _csv_written(parts, path, quoted=True)


def _csv_written(parts: Parts, path: Path, *, quoted: bool) -> bool:
    """Write the CSV; stop and return False where texts turn out to need quotes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts()):
            if not quoted and has_returns(part):
                return False
            file.write(csv_text(part, quoted=quoted, header=number == 0))
    return True


def _write_lines(parts: Parts, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for part in parts():
            file.write(part.to_json(orient="records", lines=True, double_precision=15))


def _write_parquet(parts: Parts, path: Path) -> None:
    require("pyarrow", what=f"Writing {path}")
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[pa.Table] = []
    writer = None
    try:
        for part in parts():
            packed = pa.Table.from_pandas(part, preserve_index=False)
            writer = writer or pq.ParquetWriter(path, _schema(packed), compression="snappy")
            waiting.append(packed.cast(writer.schema))
            while sum(each.num_rows for each in waiting) >= GROUP:
                whole = pa.concat_tables(waiting)
                writer.write_table(whole.slice(0, GROUP))
                waiting = [whole.slice(GROUP)]
        if writer is not None and any(each.num_rows for each in waiting):
            writer.write_table(pa.concat_tables(waiting))
    finally:
        if writer is not None:
            writer.close()


def _schema(packed: Any) -> Any:
    """Return the types of the first part, where a column without a value is of texts."""
    import pyarrow as pa

    schema = packed.schema
    for number, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(number, field.with_type(pa.string()))
    return schema


_WRITERS = {
    ".csv": _write_csv,
    ".jsonl": _write_lines,
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
}
