"""`lentigo runs`: list run folders side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json, say_lines
from lentigo.notice import RESEARCH_ONLY

_Folders = Annotated[
    list[Path] | None,
    typer.Argument(help="Run folders, or folders in which they lie; by default this one."),
]
_Csv = Annotated[
    Path | None, typer.Option("--csv", help="Also write them into this new table.")
]


def runs_command(
    folders: _Folders = None, csv: _Csv = None, json: options.Json = False
) -> None:
    """List run folders: progress, results, settings that differ.

    \b
    Example:
        lentigo runs runs
        lentigo runs runs/quick runs/quick-224 --csv both.csv
    """
    from lentigo.output import check_file
    from lentigo.runs import (
        differences,
        find_runs,
        runs_table,
        runs_text,
        spread_of_seeds,
    )
    from lentigo.tables import write_table

    if csv is not None:
        check_file(csv, new=True)
    found = find_runs(folders or [Path()])
    if csv is not None:
        write_table(runs_table(found), csv, new=True)
    if json:
        rows = runs_table(found).to_dict("records")
        seeds = [each.as_dict() for each in spread_of_seeds(found)]
        say_json({"runs": rows, "differ_in": differences(found), "seeds": seeds})
        return
    say_lines(runs_text(found))
    if csv is not None:
        say(f"Table: {csv}")
    say(RESEARCH_ONLY)
