"""`lentigo split`: divide a table into parts, or check an existing split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from lentigo.cli import options, split_options, split_said
from lentigo.cli.word_options import reads_tables


@reads_tables
def split_command(
    context: typer.Context,
    tables: split_options.Tables,
    out: split_options.Out = None,
    scheme: split_options.Scheme = "grouped",
    folds: split_options.Folds = "",
    seed: split_options.Seed = 0,
    duplicates: split_options.Duplicates = None,
    balance: split_options.Balance = "melanoma,dataset,site,age,sex",
    time: split_options.Time = "",
    before: split_options.Before = "0.8",
    drop_leaks: split_options.DropLeaks = False,
    check: split_options.Check = False,
    table: split_options.Table = None,
    column: options.Columns = None,
    json: options.Json = False,
) -> None:
    """Divide a TABLE so that no patient is on two sides.

    A lesion and its near-duplicates are not either. --check examines a split of others.

    \b
    Example:
        lentigo split ham.parquet --out split.csv --folds 5
        lentigo split isic2017/ --out split.csv --scheme published --duplicates find
        lentigo split --check their_folds.csv --table siim.parquet
    """
    split_options.check_out(out, check=check)
    split_options.refuse_strangers(context)
    names = options.named_columns(column)
    shared: dict[str, Any] = {"duplicates": duplicates, "columns": names}
    if check:
        _check(tables, out, as_json=json, table=table, **shared)
        return
    source, target = split_options.one_table(tables, out)
    plan = split_options.plan(
        scheme=scheme, folds=folds, seed=seed, balance=balance, time=time, before=before,
        drop_leaks=drop_leaks,
    )  # fmt: skip
    from lentigo.curation.splits.make import divide

    split_said.division(divide(source, plan, target, **shared), as_json=json)


def _check(tables: list[Path], out: Path | None, *, as_json: bool, **shared: Any) -> None:
    from lentigo.curation.splits.check import check_split_files
    from lentigo.tables import write_table

    found = check_split_files(tables, **shared)
    if out is not None:
        write_table(found.crossing, out, new=True)
    split_said.check(found, out, as_json=as_json)
