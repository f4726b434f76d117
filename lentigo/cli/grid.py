"""`lentigo grid`: rows of a table as pictures with captions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.main import app


@app.command("grid")
def grid_command(
    table: Annotated[
        Path, typer.Argument(help="Lesion table, any CSV with images, or archive.")
    ],
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="Rows to choose from: 'melanoma and age >= 50', 'missing(site)'.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="A block for each value, side by side."
        ),
    ] = None,
    per_row: Annotated[
        int, typer.Option("--per-row", min=1, max=12, help="Images across the page.")
    ] = 4,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Images shown at most.")
    ] = 24,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Show the first by this column (-COLUMN: the last), not a random draw.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random draw.")] = 0,
    out: Annotated[
        Path, typer.Option("--out", help="New picture to write (.png, .svg or .pdf).")
    ] = Path("grid.png"),
    batch: Annotated[
        bool,
        typer.Option("--batch", help="Show a training batch as the network sees it."),
    ] = False,
    recipe: options.Recipe = "quick",
    set: options.Settings = None,
    images: options.Images = None,
    column: options.Columns = None,
    json: options.Json = False,
) -> None:
    """Show images of a TABLE with name, patient, site, sex, age and diagnosis.

    \b
    Example:
        lentigo grid ham.parquet --where 'age >= 60' --by melanoma --out grid.png
    """
    from lentigo.reports.grid import Choice, check_picture_path, draw_grid, read_images

    check_picture_path(out)
    choice = Choice(where=where, by=by, per_row=per_row, limit=limit, sort=sort, seed=seed)
    named = options.reader_options(None, column, None, None).get("columns")
    rows = read_images(table, images=images, columns=named)
    if batch:
        from lentigo.config import parse_settings, with_settings
        from lentigo.recipes import recipe as named_recipe
        from lentigo.training.preview import draw_batch

        config = with_settings(named_recipe(recipe), parse_settings(set or []))
        grid = draw_batch(rows, config, choice)
    else:
        grid = draw_grid(rows, choice)
    grid.save(out)
    if json:
        from lentigo.files import to_json

        typer.echo(to_json({**grid.as_dict(), "out": str(out)}))
        return
    for name, reason in grid.failed.items():
        typer.echo(f"No picture of {name}: {reason}", err=True)
    for note in grid.notes:
        typer.echo(note)
    typer.echo(f"Page: {out}")
