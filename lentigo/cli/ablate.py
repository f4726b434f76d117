"""`lentigo ablate`: the gain of each setting of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, show
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY

_Switches = Annotated[
    list[str],
    typer.Option(
        "--switches",
        metavar="A.B=C",
        help="Setting to change, or several with spaces between; repeat for each switch.",
    ),
]


@reads_tables
def ablate_command(
    table: Annotated[Path, typer.Argument(help="Lesion table without your test part.")],
    out: options.Out,
    switches: _Switches,
    recipe: options.Recipe = "quick",
    weights: options.Weights = None,
    folds: options.Folds = 1,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Train each switch so many times.")
    ] = 3,
    resume: options.Resume = False,
    set: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Train a recipe with and without each switch, and compare them.

    All are trained on the same folds, and their differences have intervals.

    \b
    Example:
        lentigo ablate ham.parquet --switches training.balance=none --out runs/balance
    """
    asked = options.ask(recipe, weights, set)
    options.check_there(table, "table")
    options.check_metadata(asked.config, [table])
    from lentigo.ablation_switches import check_asked

    check_asked(asked.config, switches, out, seeds=seeds, folds=folds, resume=resume)
    from lentigo.ablation import ablate

    settings = asked.settled()  # first: it may refuse them before a table is read
    found = ablate(
        options.read_lesions(table), settings, switches=switches, out=out,
        seeds=seeds, folds=folds, resume=resume,
    )  # fmt: skip
    show(found, as_json=json)
    if not json:
        say(f"Table and figure: {out}")
        say(RESEARCH_ONLY)
