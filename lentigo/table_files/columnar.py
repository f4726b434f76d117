"""Parquet files: read with limits on their size, and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.errors import DatasetError
from lentigo.extras import require
from lentigo.table_files.delimited import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, check_memory
from lentigo.table_files.noted import NotedTable
from lentigo.table_files.opened import LARGEST, check_ratio, reason

_HEADER = b"PAR1"
_SAID = b"PANDAS_ATTRS"
"""Name, in the metadata of a Parquet file, under which pandas stores the attributes of a
frame."""
_BROKEN = (
    OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError, RecursionError,
    AttributeError, NotImplementedError, IndexError,
)  # fmt: skip
"""Exceptions that `pyarrow` raises for broken files, in addition to its own."""
_MARGIN = 2**30


def is_parquet(data: bytes) -> bool:
    """Tell whether the bytes start with the signature of a Parquet file."""
    return data.startswith(_HEADER)


def read_parquet(data: bytes, path: Path | str) -> tuple[NotedTable, list[str]]:
    """Return the table in a Parquet file with its notes, and the names of omitted columns.

    Columns of lists, structures or bytes (such as packed images) are omitted. An index that
    has a name, or holds text, becomes a column. Dictionary-encoded text is measured before
    it is expanded.

    Raises `DatasetError` where the file is broken or larger than allowed, and
    `NotInstalledError` without pyarrow.
    """
    require("pyarrow", what=f"Reading {path}")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with _memory_for(len(data)):
            file = pq.ParquetFile(pa.BufferReader(data))
            _check_claims(file.metadata, len(data), path)
            schema = file.schema_arrow
            kept = [name for name in schema.names if _is_plain(schema.field(name).type)]
            texts = [name for name in kept if pa.types.is_large_string(_inner(schema, name))
                     or pa.types.is_string(_inner(schema, name))]  # fmt: skip
            file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
            packed = file.read(columns=kept, use_threads=False)
            _check_written_out(packed, path)
            said = _said(packed.schema.metadata or {})
            table = replace(said, table=_as_frame(packed))
    except DatasetError:
        raise
    except (pa.ArrowException, *_BROKEN) as error:
        raise DatasetError(f"{path} cannot be read as a table: {reason(error)}.") from error
    return table, [str(name) for name in schema.names if name not in kept]


def _inner(schema: Any, name: str) -> Any:
    import pyarrow as pa

    kind = schema.field(name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    binary = pa.types.is_binary(inner) or pa.types.is_large_binary(inner)
    fixed = pa.types.is_fixed_size_binary(inner)
    return not (pa.types.is_nested(inner) or binary or fixed)


def _check_claims(claims: Any, size: int, path: Path | str) -> None:
    groups = [claims.row_group(number) for number in range(claims.num_row_groups)]
    parts = [group.column(n) for group in groups for n in range(group.num_columns)]
    unpacked = sum(max(0, part.total_uncompressed_size) for part in parts)
    cells = claims.num_rows * claims.num_columns
    for there, most, what in (
        (claims.num_rows, MOST_ROWS, "rows"),
        (claims.num_columns, MOST_COLUMNS, "columns"),
        (cells, MOST_CELLS, "cells"),
        (unpacked, LARGEST, "bytes"),
    ):
        if there > most:
            raise DatasetError(
                f"{path} has {there:,} {what}; a table may have {most:,}. Keep the columns "
                "that are needed, or read it in parts."
            )
    check_ratio(path, unpacked, size)
    check_memory(2 * unpacked + 16 * cells, path)


def _check_written_out(table: Any, path: Path | str) -> None:
    """Raise `DatasetError` if dictionary-encoded text is too large once it is expanded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            if pa.types.is_string(chunk.type.value_type) or pa.types.is_large_string(
                chunk.type.value_type
            ):
                lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
                total += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
    if total > LARGEST:
        raise DatasetError(
            f"{path} unpacks to {total:,} bytes of text; a table may have {LARGEST:,}."
        )
    check_memory(3 * total, path)


def _as_frame(packed: Any) -> pd.DataFrame:
    import pyarrow as pa

    was_category = _categories(packed)
    for number, column in enumerate(packed.columns):
        name = packed.schema.names[number]
        if pa.types.is_dictionary(column.type) and name not in was_category:
            packed = packed.set_column(number, name, column.cast(column.type.value_type))
    # A new frame drops the attributes set by pyarrow; `_said` reads them.
    table = pd.DataFrame(packed.to_pandas())
    index = table.index
    if not isinstance(index, pd.RangeIndex):
        names = [name for name in index.names if name is not None]
        unknown = not names and not pd.api.types.is_numeric_dtype(index.dtype)
        there = bool(set(map(str, names)) & set(map(str, table)))
        table = table.reset_index(drop=there or not (names or unknown))
    table.columns = pd.Index([str(name) for name in table.columns])
    return table


def _categories(packed: Any) -> set[str]:
    """Return the names of the columns that were pandas categories when written."""
    about = json.loads((packed.schema.metadata or {}).get(b"pandas", b"{}"))
    columns = about.get("columns", []) if isinstance(about, dict) else []
    return {
        str(each.get("name"))
        for each in columns
        if isinstance(each, dict) and each.get("pandas_type") == "categorical"
    }


def _said(metadata: Mapping[bytes, bytes]) -> NotedTable:
    """Return the valid notes and sources in the metadata, with an empty table."""
    try:
        found = json.loads(metadata.get(_SAID, b"{}"))
    except (ValueError, RecursionError):
        found = {}
    said = {
        key: tuple(value)
        for key, form in (("notes", str), ("sources", dict))
        if isinstance(value := found.get(key) if isinstance(found, dict) else None, list)
        and all(isinstance(each, form) for each in value)
    }
    return NotedTable(pd.DataFrame(), **said)


def write_parquet(noted: NotedTable, path: Path) -> None:
    """Write a table with its notes and sources, which pandas shows as `attrs`.

    Raises `NotInstalledError` without pyarrow.
    """
    require("pyarrow", what=f"Writing {path}")
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = pa.Table.from_pandas(noted.table, preserve_index=False)
    said = {"notes": list(noted.notes), "sources": list(map(dict, noted.sources))}
    if kept := {key: value for key, value in said.items() if value}:
        known = packed.schema.metadata or {}
        packed = packed.replace_schema_metadata({**known, _SAID: json.dumps(kept)})
    pq.write_table(packed, path, compression="snappy")


@contextmanager
def _memory_for(size: int) -> Iterator[None]:
    """Limit this process's memory in the block to what a table of `LARGEST` bytes needs."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + 6 * LARGEST + 3 * size + _MARGIN
    bounded = before[0] == resource.RLIM_INFINITY or most < before[0]
    if bounded:
        resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        if bounded:
            resource.setrlimit(resource.RLIMIT_AS, before)
