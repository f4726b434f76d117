"""`lentigo combine`: several lesion tables become one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.show import show_table
from lentigo.cli.word_options import reads_tables


@reads_tables
def combine_command(
    tables: Annotated[list[Path], typer.Argument(help="Lesion tables (lentigo read).")],
    out: Annotated[Path, typer.Option("--out", help="Table to write (.parquet or .csv).")],
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="Keep a further column."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Make one table of several archives; images that they share stay on one side.

    \b
    Example:
        lentigo combine ham.parquet isic2019.parquet --out both.parquet
    """
    options.check_table_out(out, tables)
    from lentigo.datasets import combine
    from lentigo.datasets.any_table import read_lesions
    from lentigo.progress import log
    from lentigo.tables import without_others
    from lentigo.words import some

    _refuse_folders(tables)
    table = combine([read_lesions(path) for path in tables])
    table, others = without_others(table, keep=keep or ())
    if others:
        log.info("%s left out (--keep COLUMN keeps one).", some(others))
    options.write_out(table, out)
    show_table(table, out, as_json=json)


def _refuse_folders(tables: list[Path]) -> None:
    from lentigo.errors import DatasetError
    from lentigo.words import some

    if folders := [str(path) for path in tables if path.is_dir()]:
        raise DatasetError(
            f"{some(folders)}: 'lentigo combine' joins tables. Read the archive first: "
            "lentigo read FORMAT FOLDER --out TABLE.parquet."
        )
