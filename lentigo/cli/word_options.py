"""Options on how a table is read, for every command that reads one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from lentigo.cli import options

_Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN:WORD=OURS,...",
        help="What words of the table mean, or a CSV of words; may be repeated.",
    ),
]
_Unknown = Annotated[
    str | None,
    typer.Option(
        "--unknown",
        metavar="missing",
        help="Go on without labels in words that are not understood, and count them.",
    ),
]
_WriteMap = Annotated[
    Path | None,
    typer.Option(
        "--write-map",
        metavar="CSV",
        help="Write the words that are not understood, to be filled in for --map.",
    ),
]
_Patients = Annotated[
    Path | None,
    typer.Option(
        "--patients", help="Table of patients: fills age, sex and skin type by patient_id."
    ),
]
_TABLES = (
    "table", "tables", "root", "roots", "inputs", "images", "test", "truth", "predictions",
    "readers", "choose_on", "choose_truth", "against",
)  # fmt: skip
"""Arguments of commands that name tables."""
_COLUMNS = {"by": "--by", "keep": "--keep", "sort": "--sort"}
"""Arguments of commands, and the options behind them, that name columns."""
_WORDS = {"map": _Map, "unknown": _Unknown, "write_map": _WriteMap}


def chooses_rows(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --where."""
    return _with_options(command, {"where": options.Where})


def reads_words(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --where, --map, --unknown and --write-map."""
    return _with_options(command, {"where": options.Where, **_WORDS})


def reads_tables(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `reads_words`, and --patients.

    A command without --column gets --column and --images, for tables that lentigo did not
    write. A command with its own --where chooses the rows itself.
    """
    own = inspect.signature(command).parameters
    further = (
        {} if "column" in own else {"column": options.Columns, "images": options.Images}
    )
    where = {} if "where" in own else {"where": options.Where}
    added = {**further, **where, "patients": _Patients, **_WORDS}
    return _with_options(command, added, checked=_COLUMNS)


def _read_as(stack: ExitStack, column: list[str] | None, images: Path | None) -> None:
    if column or images:
        from lentigo.datasets.any_table import read_as

        stack.enter_context(read_as(options.named_columns(column), images))


def _rows_where(stack: ExitStack, condition: str | None) -> None:
    if condition is not None:
        from lentigo.datasets.reading.chosen import rows_where

        stack.enter_context(rows_where(condition))


def _check_names(given: Mapping[str, Any], *, checked: Mapping[str, str]) -> None:
    """Check by the headers of tables that the columns `given` on a command line exist.

    `checked` holds the arguments that name columns, and their options.
    """
    # A split that is checked may name further columns.
    columns = given.get("column") if checked and not given.get("check") else None
    named = {
        option: [each.removeprefix("-") for each in _as_list(given[name])]
        for name, option in checked.items()
        if given.get(name)
    }
    asked = columns, given.get("where"), given.get("map"), named
    of_another_format = bool(checked) and given.get("format") not in {None, "csv"}
    if of_another_format or not any(asked):
        return
    from lentigo.datasets import early

    known = early.headers(_tables(given))
    early.check_given_columns(known, options.named_columns(columns))
    early.check_options(known, named)
    early.check_condition(known, given.get("where"))
    patients = early.headers(_as_list(given.get("patients")))
    early.check_map([*known, *patients], _as_list(given.get("map")))


def _tables(given: Mapping[str, Any]) -> list[Path | str]:
    named = [given.get(name) for name in _TABLES if name != "images"]
    if isinstance(given.get("images"), list):  # else it is the folder of --images
        named.append(given["images"])
    found = [each for one in named for each in _as_list(one)]
    return [each for each in found if isinstance(each, Path | str)]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _with_options(
    command: Callable[..., None],
    added_options: Mapping[str, Any],
    *,
    checked: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """Give a command further options, and check early the columns that they name.

    `checked` holds those of the command's own arguments that name columns.
    """

    @functools.wraps(command)
    def with_words(*args: Any, **kwargs: Any) -> None:
        given = dict(kwargs)
        added = {name: kwargs.pop(name, None) for name in added_options}
        with ExitStack() as stack:
            if "column" in added:
                _read_as(stack, added["column"], added["images"])
            _rows_where(stack, added.get("where"))
            _in_words(stack, added)
            _check_names(given, checked=checked or {})
            _with_patients(stack, added.get("patients"), kwargs)
            command(*args, **kwargs)

    signature = _signature(command, added_options)
    with_words.__signature__ = signature  # type: ignore[attr-defined]
    with_words.__annotations__ = {
        name: each.annotation for name, each in signature.parameters.items()
    }
    return with_words


def _in_words(stack: ExitStack, added: Mapping[str, Any]) -> None:
    given = {name: added.get(name) for name in _WORDS}
    if any(given.values()):
        from lentigo.datasets.reading.word_map import understood

        stack.enter_context(understood(given.pop("map"), **given))


def _with_patients(
    stack: ExitStack, patients: Path | None, given: Mapping[str, Any]
) -> None:
    if patients is not None:
        from lentigo.datasets.reading.patient_table import joined_with

        tables = given.get("tables") or given.get("roots") or ("one",)
        many = len(tables) + bool(given.get("test"))
        stack.enter_context(joined_with(patients, tables=many))


def _signature(
    command: Callable[..., None], added_options: Mapping[str, Any]
) -> inspect.Signature:
    """Return the signature of a command with the added options, before its `--json`."""
    own = inspect.signature(command, eval_str=True)
    given = list(own.parameters.values())
    last = next((at for at, each in enumerate(given) if each.name == "json"), len(given))
    added = [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=kind
        )
        for name, kind in added_options.items()
    ]
    return own.replace(parameters=[*given[:last], *added, *given[last:]])
