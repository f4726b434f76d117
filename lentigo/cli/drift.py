"""`lentigo drift`: detect changes since a model was evaluated (data drift)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder

_Periods = Annotated[
    list[Path],
    typer.Argument(help="Predictions of the model in use, a table for each period."),
]
_Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        help="Predictions of images that it was judged on; by default those of its run.",
    ),
]
_Table = Annotated[
    list[Path] | None,
    typer.Option("--table", help="What is known of the patients of the periods."),
]
_ReferenceTable = Annotated[
    Path | None,
    typer.Option("--reference-table", help="The same of the reference."),
]
_Images = Annotated[
    list[Path] | None,
    typer.Option("--images", help="Images of the periods, to compare features as well."),
]
_Repeats = Annotated[
    int,
    typer.Option(
        "--repeats", min=200, help="Deals of the patients by chance; more where needed."
    ),
]
_Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, help="Seed of the deals, and of the images that are drawn."
    ),
]


def drift_command(
    model: asked.Model,
    predictions: _Periods,
    out: options.Out,
    reference: _Reference = None,
    table: _Table = None,
    reference_table: _ReferenceTable = None,
    images: _Images = None,
    engine: asked.Engine = "auto",
    repeats: _Repeats = 1000,
    seed: _Seed = 0,
    json: options.Json = False,
) -> None:
    """Find what moved since a model was judged.

    It compares predictions, abstentions and patients of each period with those of held-out
    images.

    \b
    Example:
        lentigo drift runs/ham march.csv april.csv --table patients.csv --out drift/
    """
    check_new_folder(out)
    from lentigo.inference.drift import watch_drift
    from lentigo.reports.drift.write import sentence, write_drift
    from lentigo.words import counted

    found = watch_drift(
        model, predictions, reference=reference, tables=table or (),
        reference_table=reference_table, images=images or (), engine=engine,
        repeats=repeats, seed=seed,
    )  # fmt: skip
    page = write_drift(found, out, model=str(model))
    if json:
        say_json({**found.as_dict(), "page": str(page)})
        return
    for alarm in found.alarms:
        say(sentence(alarm))
    compared = counted(len(found.shifts), "column")
    if not found.all_untold:
        say(f"{counted(len(found.alarms), 'alarm')} in {compared} compared.")
    for each in found.untold:
        say(each)
    for note in found.notes:
        say(note)
    say(f"Page: {page}")
    say(RESEARCH_ONLY)
