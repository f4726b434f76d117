"""`lentigo explore`: describe a table of images with figures, before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import reads_tables
from lentigo.output import check_new_folder


@reads_tables
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
    """Draw figures of the patients in a TABLE.

    They also show what a model could exploit. The figures are written as SVG and PNG, each
    with a table of its numbers.

    \b
    Example:
        lentigo explore train.csv --test test.csv --out cohort/
    """
    check_new_folder(out)  # before anything heavy is imported
    from lentigo.reports.explore.page import explore

    asked = [name.strip() for name in features.split(",") if name.strip()]
    found = explore(tables, out, test=test, features=asked)
    if json:
        say_json({**found.as_dict(), "folder": str(found.folder)})
        return
    for picture in found.pictures:
        said = f"left out: {picture.reason}" if picture.reason else picture.title
        say(f"{picture.name:>22}  {said}")
    for note in found.notes:
        say(note)
    say(f"Page: {found.folder / 'index.html'}")
