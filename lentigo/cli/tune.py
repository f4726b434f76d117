"""`lentigo tune`: search for better settings of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, show
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY
from lentigo.run_layout import BEST_SETTINGS as BEST

_Tables = Annotated[
    list[Path], typer.Argument(help="Lesion table without your test part, or several.")
]
_Search = Annotated[
    list[str] | None,
    typer.Option(
        "--search",
        metavar="A.B=RANGE",
        help="Setting to search: 0..0.5, log:1e-4..1e-2 or choice:a,b; may be repeated.",
    ),
]
_Trials = Annotated[
    int, typer.Option("--trials", help="Trials, with those before a --resume.")
]
_Hours = Annotated[
    float | None, typer.Option("--hours", help="Begin no trial after so many hours.")
]
_Pruner = Annotated[
    str, typer.Option("--pruner", help="Stop poor trials: median, hyperband or none.")
]


@reads_tables
def tune_command(
    tables: _Tables,
    out: options.Out,
    search: _Search = None,
    recipe: options.Recipe = "quick",
    weights: options.Weights = None,
    trials: _Trials = 30,
    hours: _Hours = None,
    pruner: _Pruner = "median",
    resume: options.Resume = False,
    set: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Search for better settings on validation images.

    Held-out images are not used.

    \b
    Example:
        lentigo tune ham.parquet --recipe quick --trials 20 --out tuned
        lentigo tune ham.parquet --search model.dropout=0..0.5 --hours 8 --out tuned
    """
    asked = options.ask(recipe, weights, set)
    for table in tables:
        options.check_there(table, "table")
    options.check_metadata(asked.config, tables)
    from lentigo.tuning.space import check_asked

    check_asked(
        asked.config, search or (), out,
        trials=trials, hours=hours, pruner=pruner, resume=resume,
    )  # fmt: skip
    from lentigo.tuning.search import tune

    settings = asked.settled()  # first: it may refuse them before a table is read
    lesions = [options.read_lesions(table) for table in tables]
    if len(lesions) > 1:
        from lentigo.datasets.combined import combine

        lesions = [combine(lesions)]
    found = tune(
        lesions[0], settings, search=search or (), out=out,
        trials=trials, hours=hours, pruner=pruner, resume=resume,
    )  # fmt: skip
    show(found, as_json=json)
    if not json:
        say(f"Trials and figure: {out}")
        say(f"Judge it on images that chose nothing: lentigo run … --config {out / BEST}")
        say(RESEARCH_ONLY)
