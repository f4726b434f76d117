"""`lentigo train`: train a model on a lesion table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.word_options import reads_tables
from lentigo.run_layout import SPLIT

_Table = Annotated[Path, typer.Argument(help="Lesion table of 'lentigo read'.")]
_Split = Annotated[
    Path | None, typer.Option("--split", help=f"Take the folds over from this {SPLIT}.")
]


@reads_tables
def train_command(
    table: _Table,
    out: options.Out,
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
    split: _Split = None,
    devices: options.Devices = None,
    nodes: options.Nodes = None,
    on: options.On = "here",
    ray_address: options.RayAddress = None,
    cost_miss: options.CostMiss = None,
    cost_excision: options.CostExcision = None,
    set: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Train a network on a lesion table.

    Patients never stand on both sides of a split.

    \b
    Example:
        lentigo train ham.parquet --recipe quick --folds 5 --out runs/ham
    """
    costs = (cost_miss, cost_excision)
    changed = options.with_asked(set, refit=refit, repeats=repeats, nested=nested)
    asked = options.ask(
        recipe, weights, changed, scheme, costs=costs, config_file=config,
        devices=devices, nodes=nodes, watch=watch,
    )  # fmt: skip
    options.check_run_folder(out, resume=resume)
    options.check_there(table, "table")
    options.check_metadata(asked.config, [table])
    if split is not None:
        options.check_there(split, "split")
    from lentigo.cluster import check_place

    check_place(on, ray_address)
    from lentigo.machine import is_first_process
    from lentigo.pipeline import finish
    from lentigo.training.run import train as train_table

    settings = asked.settled()  # first: it may refuse them before a table is read
    lesions = options.read_lesions(table)
    run = train_table(
        lesions, settings, out=out, folds=folds, resume=resume, split=split, on=on,
        ray_address=ray_address,
    )  # fmt: skip
    if is_first_process():
        from lentigo.cli.show import show_result

        show_result(finish(run), as_json=json)
