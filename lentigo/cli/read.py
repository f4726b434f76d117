"""`lentigo read`: turn an archive on disk into a lesion table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.show import show_table
from lentigo.cli.word_options import reads_tables


@reads_tables
def read_command(
    format: Annotated[str, typer.Argument(help="Kind of archive (lentigo list formats).")],
    root: Annotated[Path, typer.Argument(help="Folder (or CSV) of the archive.")],
    out: Annotated[Path, typer.Option("--out", help="Table to write (.parquet or .csv).")],
    images: options.Images = None,
    column: options.Columns = None,
    part: options.Part = None,
    melanoma: options.Melanoma = None,
    modality: options.Modality = None,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill", help="Add filled copies of age, sex and site, and what was missing."
        ),
    ] = False,
    encode: Annotated[
        bool, typer.Option("--encode", help="Add numbers for sex, site and diagnosis.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Read an archive into a lesion table.

    It has one row an image, and one vocabulary for all archives.

    \b
    Example:
        lentigo read ham10000 HAM10000/ --out ham.parquet
    """
    options.check_table_out(out, [root])
    from lentigo.curation import cleaning
    from lentigo.datasets.any_table import read_format

    asked = options.reader_options(images, column, part, melanoma, modality)
    read = read_format(format, root, **asked)
    if fill:
        read = read.then(cleaning.clean)
    if encode:
        read = read.then(cleaning.encode)
    options.write_out(read, out)
    show_table(read, out, as_json=json, parts="Parts of the archive (--part)")
