"""`lentigo run`: read an archive, train, evaluate and report, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.show import show_result
from lentigo.cli.word_options import reads_tables

_Roots = Annotated[
    list[Path], typer.Argument(help="Folder (or CSV) of the archive, or of several.")
]
_Format = Annotated[
    str | None,
    typer.Option("--format", help="Kind of archive (lentigo list formats); else guessed."),
]


@reads_tables
def run_command(
    roots: _Roots,
    out: options.Out,
    format: _Format = None,
    recipe: options.Recipe = "quick",
    config: options.ConfigFile = None,
    weights: options.Weights = None,
    folds: options.Folds = 1,
    repeats: options.Repeats = None,
    nested: options.Nested = False,
    scheme: options.Scheme = None,
    refit: options.Refit = False,
    resume: options.Resume = False,
    watch: options.Watch = None,
    on: options.On = "here",
    ray_address: options.RayAddress = None,
    cost_miss: options.CostMiss = None,
    cost_excision: options.CostExcision = None,
    set: options.Settings = None,
    images: options.Images = None,
    column: options.Columns = None,
    part: options.Part = None,
    melanoma: options.Melanoma = None,
    modality: options.Modality = None,
    json: options.Json = False,
) -> None:
    """Read archives, train, judge on held-out patients, report.

    \b
    Example:
        lentigo run HAM10000/ --recipe quick --out runs/ham
        lentigo run HAM10000/ ISIC2017/ --out runs/both
        lentigo run HAM10000/ ISIC2017/ --scheme source --out runs/abroad
    """
    changed = options.with_asked(set, refit=refit, repeats=repeats, nested=nested)
    costs = (cost_miss, cost_excision)
    asked = options.ask(
        recipe, weights, changed, scheme, costs=costs, config_file=config, watch=watch
    )
    options.check_run_folder(out, resume=resume)
    for root in roots:
        options.check_there(root, "folder or table")
    if format in {None, "csv"}:
        options.check_metadata(asked.config, roots, column)
    from lentigo.cluster import check_place

    check_place(on, ray_address)
    from lentigo.pipeline import run

    result = run(
        roots,
        asked.settled(),
        out=out,
        format=format,
        folds=folds,
        resume=resume,
        options=options.reader_options(images, column, part, melanoma, modality),
        on=on,
        ray_address=ray_address,
    )
    show_result(result, as_json=json)
