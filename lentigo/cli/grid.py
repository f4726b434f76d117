"""`lentigo grid`: show rows of a table as images with captions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import reads_tables
from lentigo.output import PAGE, check_file

if TYPE_CHECKING:
    from lentigo.reports.images.grid import Grid

_Table = Annotated[
    Path, typer.Argument(help="Lesion table, any CSV with images, or archive.")
]
_By = Annotated[
    str | None,
    typer.Option("--by", metavar="COLUMN", help="A block for each value, side by side."),
]
_PerRow = Annotated[
    int, typer.Option("--per-row", min=1, max=12, help="Images across the page.")
]
_Limit = Annotated[int, typer.Option("--limit", min=1, help="Images shown at most.")]
_Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="COLUMN",
        help="Show the first by this column (-COLUMN: the last), not a random draw.",
    ),
]
_Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the random draw.")]
_Out = Annotated[
    Path, typer.Option("--out", help="New picture to write (.png, .svg or .pdf).")
]
_Batch = Annotated[
    bool, typer.Option("--batch", help="Show a training batch as the network sees it.")
]


@reads_tables
def grid_command(
    table: _Table,
    where: options.Where = None,
    by: _By = None,
    per_row: _PerRow = 4,
    limit: _Limit = 24,
    sort: _Sort = None,
    seed: _Seed = 0,
    out: _Out = Path("grid.png"),
    batch: _Batch = False,
    recipe: options.Recipe = "quick",
    set: options.Settings = None,
    images: options.Images = None,
    column: options.Columns = None,
    json: options.Json = False,
) -> None:
    """Show images of a TABLE with patient, site, age and diagnosis.

    \b
    Example:
        lentigo grid ham.parquet --where 'age >= 60' --by melanoma --out grid.png
    """
    check_file(out, PAGE, new=True)  # before anything heavy is imported
    asked = options.ask(recipe, None, set) if batch else None
    from lentigo.config import GridConfig
    from lentigo.reports.images.grid import write_grid

    choice = GridConfig(
        where=where, by=by, per_row=per_row, limit=limit, sort=sort, seed=seed
    )
    named = options.named_columns(column) or None
    if asked is not None:
        from lentigo.reports.images.batch import write_batch

        config = asked.settled()
        grid = write_batch(
            table, out, config=config, choice=choice, images=images, columns=named
        )
    else:
        grid = write_grid(table, out, choice=choice, images=images, columns=named)
    _show(grid, out, as_json=json)


def _show(grid: Grid, out: Path, *, as_json: bool) -> None:
    if as_json:
        say_json({**grid.as_dict(), "out": str(out)})
        return
    for name, reason in grid.failed.items():
        say(f"No picture of {name}: {reason}", err=True)
    for note in grid.notes:
        say(note)
    say(f"Page: {out}")
