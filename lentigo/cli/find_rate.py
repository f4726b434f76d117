"""`lentigo find-rate`: advise a learning rate for a training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, show
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY

_Out = Annotated[Path, typer.Option("--out", help="New folder for figure and numbers.")]


@reads_tables
def find_rate_command(
    table: Annotated[Path, typer.Argument(help="Lesion table of 'lentigo read'.")],
    out: _Out,
    recipe: options.Recipe = "quick",
    weights: options.Weights = None,
    steps: Annotated[int, typer.Option("--steps", help="Rates to try, a step each.")] = 100,
    lowest: Annotated[float, typer.Option("--lowest", help="First rate.")] = 1e-6,
    highest: Annotated[float, typer.Option("--highest", help="Last rate.")] = 1.0,
    set: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Find a learning rate that is fast and safe.

    One step is trained at each of many rising rates.

    \b
    Example:
        lentigo find-rate ham.parquet --recipe quick --out rates
    """
    from lentigo.config import RatesConfig
    from lentigo.output import check_new_folder

    check_new_folder(out, besides=("pixels",))
    rates = RatesConfig(steps=steps, lowest=lowest, highest=highest)
    asked = options.ask(recipe, weights, set)
    options.check_there(table, "table")
    options.check_metadata(asked.config, [table])
    from lentigo.rate_finder import find_rate

    settings = asked.settled()  # first: it may refuse them before a table is read
    found = find_rate(options.read_lesions(table), settings, rates, out=out)
    show(found, as_json=json)
    if not json:
        say(f"Table and figure: {out}")
        say(RESEARCH_ONLY)
