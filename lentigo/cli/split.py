"""`lentigo split`: a table is divided, or a split that somebody made is checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli import options
from lentigo.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lentigo.curation.schemes import SplitPlan
    from lentigo.curation.split_check import SplitCheck


@app.command("split")
def split_command(
    tables: Annotated[
        list[Path],
        typer.Argument(help="Lesion table, CSV or archive; of --check, the split's CSVs."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write: the split, or what crosses.")
    ] = None,
    scheme: Annotated[
        str, typer.Option("--scheme", help="How to divide (lentigo list splits).")
    ] = "grouped",
    folds: Annotated[
        str,
        typer.Option(
            "--folds", metavar="K", help="How many; of holdout the shares: 0.7,0.15,0.15."
        ),
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Which of the many even splits.")] = 0,
    duplicates: Annotated[
        str | None,
        typer.Option(
            "--duplicates",
            metavar="PAIRS",
            help="CSV of pairs, audit.json or pixel store; 'find' looks in the images.",
        ),
    ] = None,
    balance: Annotated[
        str, typer.Option("--balance", help="Columns that the parts get alike.")
    ] = "melanoma,dataset,site,age,sex",
    time: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="Scheme time: column of dates.")
    ] = "",
    before: Annotated[
        str, typer.Option("--before", help="Train on what is earlier: a date or a share.")
    ] = "0.8",
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Scheme published: mend it, do not refuse.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check a split that is there; exit 1 on a leak.")
    ] = False,
    table: Annotated[
        Path | None,
        typer.Option("--table", help="For --check: a table that knows the patients."),
    ] = None,
    column: options.Columns = None,
    json: options.Json = False,
) -> None:
    """Divide a TABLE so that no patient, lesion or duplicate is on two sides, or check it.

    \b
    Example:
        lentigo split ham.parquet --out split.csv --folds 5
        lentigo split isic2017/ --out split.csv --scheme published --duplicates find
        lentigo split --check their_folds.csv --table siim.parquet
    """
    columns = options.named_columns(column)
    if check:
        from lentigo.curation.split_check import check_split_files
        from lentigo.curation.split_file import read_to_split

        more = None if table is None else read_to_split(table)
        found = check_split_files(
            tables, table=more, duplicates=duplicates, columns=columns
        )
        _show_check(found, out, as_json=json)
        return
    plan = _plan(
        scheme=scheme, folds=folds, seed=seed, balance=balance, time=time, before=before,
        drop_leaks=drop_leaks,
    )  # fmt: skip
    _divide(tables, plan, out, duplicates=duplicates, columns=columns, as_json=json)


def _plan(*, folds: str, balance: str, **settings: Any) -> SplitPlan:
    from lentigo.curation.schemes import SplitPlan
    from lentigo.errors import ConfigError

    if folds:
        numbers = [word.strip() for word in folds.split(",")]
        try:
            if settings["scheme"] == "holdout":
                settings["shares"] = tuple(float(word) for word in numbers)
            else:
                settings["folds"] = int(folds)
        except ValueError:
            raise ConfigError(
                f"--folds is {folds!r}; give a whole number such as 5, or for holdout "
                "shares such as 0.7,0.15,0.15."
            ) from None
    names = tuple(name.strip() for name in balance.split(",") if name.strip())
    return SplitPlan(balance=names, **settings)


def _divide(
    tables: list[Path],
    plan: SplitPlan,
    out: Path | None,
    *,
    duplicates: str | None,
    columns: Mapping[str, str],
    as_json: bool,
) -> None:
    from lentigo.curation.split_run import divide
    from lentigo.errors import ConfigError

    if len(tables) != 1:
        raise ConfigError(
            "Several tables are first made one with 'lentigo combine'; or did you mean "
            "--check?"
        )
    if out is None:
        raise ConfigError("Say where the split is to be written: --out split.csv.")
    divided = divide(tables[0], plan, out, duplicates=duplicates, columns=columns)
    if as_json:
        from lentigo.files import to_json

        typer.echo(to_json(divided.as_dict()))
        return
    for note in divided.notes:
        typer.echo(note)
    typer.echo(f"\n{_as_text(divided.parts)}\n")
    uneven = ", ".join(
        f"{name} {100 * value:.2f}" for name, value in divided.unevenness.items()
    )
    typer.echo(f"A part's share is off by at most (percentage points): {uneven}.")
    typer.echo(f"Split:  {out} (and {out.with_suffix('.json').name})")
    typer.echo(f"Digest: {divided.digest}")


def _as_text(parts: pd.DataFrame) -> str:
    """The parts as aligned columns, with a dash for what nobody knows."""
    heads = ["part", "images", "groups", "patients", "melanomas", "share", "age", "site ±"]
    rows = [
        [
            str(row["part"]),
            f"{row['images']:,}",
            f"{row['groups']:,}",
            f"{row['patients']:,}" if row["patients"] else "–",
            f"{row['melanomas']:,}",
            _number(100 * row["share"], "{:.2f} %"),
            _number(row["age"], "{:g}"),
            _number(100 * row["site_off"], "{:.2f} %"),
        ]
        for row in parts.to_dict("records")
    ]
    widths = [max(len(line[place]) for line in [heads, *rows]) for place in range(8)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  "
        + "  ".join(f"{line[place]:>{widths[place]}}" for place in range(1, 8))
        for line in [heads, *rows]
    )


def _number(value: float, form: str) -> str:
    return "–" if value != value else form.format(value)


def _show_check(found: SplitCheck, out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        from lentigo.tables import write_table

        write_table(found.crossing, out)
    if as_json:
        from lentigo.files import to_json

        typer.echo(to_json(found.as_dict()))
        if found.leaks:
            raise typer.Exit(1)
        return
    for note in found.notes:
        typer.echo(note)
    parts = ", ".join(f"{name} {count:,}" for name, count in found.parts.items())
    typer.echo(f"Parts:       {parts}")
    typer.echo(f"Checked:     {'; '.join(found.checked) or 'nothing'}")
    if found.unchecked:
        typer.echo(f"Not checked: {'; '.join(found.unchecked)}")
    found.refuse(
        advice=f"All of them: {out}." if out else "All of them: --out leaks.csv, or --json."
    )
    typer.echo(
        "No leak was found."
        + (" What was not checked may still leak." if found.unchecked else "")
    )
