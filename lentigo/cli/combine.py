"""`lentigo combine`: join several lesion tables into one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.show import show_table
from lentigo.cli.word_options import reads_tables


@reads_tables
def combine_command(
    tables: Annotated[
        list[Path], typer.Argument(help="Lesion tables, other tables, or archives.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Table to write (.parquet or .csv).")],
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="Keep a further column."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Join archives into one table.

    Images that the archives share stay on one side of a split.

    \b
    Example:
        lentigo combine ham.parquet isic2019.parquet --out both.parquet
        lentigo combine ham10000/ isic2017.zip --out both.parquet
    """
    options.check_table_out(out, tables)
    from lentigo.datasets.any_table import read_any
    from lentigo.datasets.combined import combine
    from lentigo.progress import log
    from lentigo.tables import without_others
    from lentigo.words import some

    whole = combine([read_any(path) for path in tables])
    table, others = without_others(whole.table, keep=keep or ())
    if others:
        log.info("%s left out (--keep COLUMN keeps one).", some(others))
    # A note that begins with the name of a column, or has it behind the name of the data
    # set, tells of that column alone.
    left_out = set(others)
    notes = tuple(n for n in whole.notes if left_out.isdisjoint(n.split(": ")[:2]))
    kept = replace(whole, table=table, notes=notes)
    options.write_out(kept, out)
    show_table(kept, out, as_json=json)
