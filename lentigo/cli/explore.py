"""`lentigo explore`: a table of images in figures, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.main import app
from lentigo.cli.word_options import reads_words


@app.command("explore")
@reads_words
def explore_command(
    tables: Annotated[
        list[Path],
        typer.Argument(help="Lesion table, any CSV, or archive; several are compared."),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="New folder for the figures and their page.")
    ],
    test: Annotated[
        Path | None, typer.Option("--test", help="Table of the images to be judged.")
    ] = None,
    features: Annotated[
        str, typer.Option("--features", help="What the decision tree may ask for.")
    ] = "sex,age,site",
    json: options.Json = False,
) -> None:
    """Draw who is in a TABLE, and what a model could exploit: SVG, PNG and the numbers.

    \b
    Example:
        lentigo explore train.csv --test test.csv --out cohort/
    """
    from lentigo.files import check_folder
    from lentigo.reports.explore import explore

    check_folder(out)  # before large tables are read
    asked = [name.strip() for name in features.split(",") if name.strip()]
    found = explore(tables, out, test=test, features=asked)
    if json:
        from lentigo.files import to_json

        typer.echo(to_json({**found.as_dict(), "folder": str(found.folder)}))
        return
    for picture in found.pictures:
        said = f"left out: {picture.reason}" if picture.reason else picture.title
        typer.echo(f"{picture.name:>22}  {said}")
    for note in found.notes:
        typer.echo(note)
    typer.echo(f"Page: {found.folder / 'index.html'}")
