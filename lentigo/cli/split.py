"""`lentigo split`: a table is divided, or a split that somebody made is checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli import options
from lentigo.cli.main import app

if TYPE_CHECKING:
    from lentigo.curation.schemes import SplitPlan

_Tables = Annotated[
    list[Path],
    typer.Argument(help="Lesion table, CSV or archive; of --check, the split's CSVs."),
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="CSV to write: the split, or what crosses.")
]
_Scheme = Annotated[
    str, typer.Option("--scheme", help="How to divide (lentigo list splits).")
]
_Folds = Annotated[
    str,
    typer.Option(
        "--folds", metavar="K", help="How many; of holdout the shares: 0.7,0.15,0.15."
    ),
]
_Seed = Annotated[int, typer.Option("--seed", help="Which of the many even splits.")]
_Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="PAIRS",
        help="CSV of pairs, audit.json or pixel store; 'find' looks in the images.",
    ),
]
_Balance = Annotated[
    str, typer.Option("--balance", help="Columns that the parts get alike.")
]
_Time = Annotated[
    str, typer.Option("--time", metavar="COLUMN", help="Scheme time: column of dates.")
]
_Before = Annotated[
    str, typer.Option("--before", help="Train on what is earlier: a date or a share.")
]
_DropLeaks = Annotated[
    bool, typer.Option("--drop-leaks", help="Scheme published: mend it, do not refuse.")
]
_Check = Annotated[
    bool, typer.Option("--check", help="Check a split that is there; exit 1 on a leak.")
]
_Table = Annotated[
    Path | None,
    typer.Option("--table", help="For --check: a table that knows the patients."),
]


@app.command("split")
def split_command(
    tables: _Tables,
    out: _Out = None,
    scheme: _Scheme = "grouped",
    folds: _Folds = "",
    seed: _Seed = 0,
    duplicates: _Duplicates = None,
    balance: _Balance = "melanoma,dataset,site,age,sex",
    time: _Time = "",
    before: _Before = "0.8",
    drop_leaks: _DropLeaks = False,
    check: _Check = False,
    table: _Table = None,
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
    from lentigo.cli import split_said

    shared: dict[str, Any] = {
        "duplicates": duplicates,
        "columns": options.named_columns(column),
    }
    if check:
        from lentigo.curation.split_check import check_split_files

        found = check_split_files(tables, table=table, **shared)
        split_said.check(found, out, as_json=json)
        return
    plan = _plan(
        scheme=scheme, folds=folds, seed=seed, balance=balance, time=time, before=before,
        drop_leaks=drop_leaks,
    )  # fmt: skip
    from lentigo.curation.split_run import divide

    source, target = _one_table(tables, out)
    split_said.division(divide(source, plan, target, **shared), as_json=json)


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


def _one_table(tables: list[Path], out: Path | None) -> tuple[Path, Path]:
    from lentigo.errors import ConfigError

    if len(tables) != 1:
        raise ConfigError(
            "Several tables are first made one with 'lentigo combine'; or did you mean "
            "--check?"
        )
    if out is None:
        raise ConfigError("Say where the split is to be written: --out split.csv.")
    return tables[0], out
