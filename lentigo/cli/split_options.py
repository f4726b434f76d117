"""The options of `lentigo split`, and the check of which belong together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.output import SPLIT, TABLE, check_file

if TYPE_CHECKING:
    from lentigo.config import SplitPlan

Tables = Annotated[
    list[Path],
    typer.Argument(help="Lesion table, CSV or archive; of --check, the split's CSVs."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="New CSV to write: the split, or what crosses."),
]
Scheme = Annotated[
    str, typer.Option("--scheme", help="How to divide (lentigo list splits).")
]
Folds = Annotated[
    str,
    typer.Option(
        "--folds", metavar="K", help="How many; of holdout the shares: 0.7,0.15,0.15."
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Which of the many even splits.")]
Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="PAIRS",
        help="CSV of pairs, audit.json or pixel store; 'find' looks in the images.",
    ),
]
Balance = Annotated[
    str, typer.Option("--balance", help="Columns that the parts get alike.")
]
Time = Annotated[
    str, typer.Option("--time", metavar="COLUMN", help="Scheme time: column of dates.")
]
Before = Annotated[
    str, typer.Option("--before", help="Train on what is earlier: a date or a share.")
]
DropLeaks = Annotated[
    bool, typer.Option("--drop-leaks", help="Scheme published: mend it, do not refuse.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Check a split that is there; exit 1 on a leak.")
]
Table = Annotated[
    Path | None,
    typer.Option("--table", help="For --check: a table that knows the patients."),
]

_FIELDS = {
    "folds": {"folds", "shares"},
    "seed": {"seed"},
    "balance": {"balance"},
    "time": {"time"},
    "before": {"before"},
    "drop_leaks": {"drop_leaks"},
}
"""Options that only some schemes use, and the fields of the plan that they fill."""


def check_out(out: Path | None, *, check: bool) -> None:
    """Raise an error if `out` exists or cannot be written; imports nothing heavy."""
    if out is not None:
        check_file(out, TABLE if check else SPLIT, new=True)


def refuse_strangers(context: typer.Context) -> None:
    """Raise `ConfigError` for a given option that the scheme does not use."""
    from lentigo.config import SCHEME_SETTINGS
    from lentigo.errors import ConfigError, unknown_name

    typed = _typed(context)
    if context.params["check"]:
        for name in ("scheme", "patients", *_FIELDS):
            if name in typed:
                raise ConfigError(
                    f"{_flag(name)} is for dividing a table, but --check looks at a split "
                    f"that is there. Leave {_flag(name)} or --check out."
                )
        return
    if "table" in typed:
        raise ConfigError(
            "--table belongs to --check; the table to divide is named without it."
        )
    if (scheme := context.params["scheme"]) not in SCHEME_SETTINGS:
        raise unknown_name("scheme", scheme, SCHEME_SETTINGS)
    for name, fields in _FIELDS.items():
        if name in typed and not fields & set(SCHEME_SETTINGS[scheme]):
            where = [each for each, known in SCHEME_SETTINGS.items() if fields & set(known)]
            raise ConfigError(
                f"{_flag(name)} belongs to --scheme {' or '.join(where)}, but the scheme "
                f"is {scheme}. Leave it out, or choose that scheme."
            )


def _typed(context: typer.Context) -> set[str]:
    """Return the parameters given on the command line, even if with default values."""
    return {
        name
        for name in context.params
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def plan(*, folds: str, balance: str, **settings: Any) -> SplitPlan:
    """Return the plan that the options give; `settings` are fields of it by name.

    Raises `ConfigError` for `folds` that cannot be read.
    """
    from lentigo.config import SplitPlan
    from lentigo.errors import ConfigError

    if folds:
        try:
            if settings["scheme"] == "holdout":
                settings["shares"] = tuple(float(word) for word in _words(folds))
            else:
                settings["folds"] = int(folds)
        except ValueError:
            raise ConfigError(
                f"--folds is {folds!r}; give a whole number such as 5, or for holdout "
                "shares such as 0.7,0.15,0.15."
            ) from None
    return SplitPlan(balance=tuple(filter(None, _words(balance))), **settings)


def _words(text: str) -> Iterable[str]:
    return (word.strip() for word in text.split(","))


def one_table(tables: list[Path], out: Path | None) -> tuple[Path, Path]:
    """Return the table to divide and the output file.

    Raises `ConfigError` where there are several tables, or no output file.
    """
    from lentigo.errors import ConfigError

    if len(tables) != 1:
        raise ConfigError(
            f"One table is divided at a time, but {len(tables)} are given. Make them "
            "one first with 'lentigo combine'. To look for what crosses files that are a "
            "split already, one a part, add --check."
        )
    if out is None:
        raise ConfigError("Say where the split is to be written: --out split.csv.")
    return tables[0], out
