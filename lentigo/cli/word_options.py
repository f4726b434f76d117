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
    return _with_options(command, {**further, **where, "patients": _Patients, **_WORDS})


def _read_as(stack: ExitStack, column: list[str] | None, images: Path | None) -> None:
    if column or images:
        from lentigo.datasets.any_table import read_as

        stack.enter_context(read_as(options.named_columns(column), images))


def _rows_where(stack: ExitStack, condition: str | None) -> None:
    if condition is not None:
        from lentigo.datasets.reading.chosen import rows_where

        stack.enter_context(rows_where(condition))


def _with_options(
    command: Callable[..., None], added_options: Mapping[str, Any]
) -> Callable[..., None]:

    @functools.wraps(command)
    def with_words(
        *args: Any,
        patients: Path | None = None,
        map: list[str] | None = None,
        unknown: str | None = None,
        write_map: Path | None = None,
        **kwargs: Any,
    ) -> None:
        with ExitStack() as stack:
            if "column" in added_options:
                given = kwargs.pop("column", None), kwargs.pop("images", None)
                _read_as(stack, *given)
            if "where" in added_options:
                _rows_where(stack, kwargs.pop("where", None))
            if map or unknown or write_map:
                from lentigo.datasets.reading.word_map import understood

                stack.enter_context(understood(map, unknown=unknown, write_map=write_map))
            if patients is not None:
                from lentigo.datasets.reading.patient_table import joined_with

                tables = kwargs.get("tables") or kwargs.get("roots") or ("one",)
                many = len(tables) + bool(kwargs.get("test"))
                stack.enter_context(joined_with(patients, tables=many))
            command(*args, **kwargs)

    signature = _signature(command, added_options)
    with_words.__signature__ = signature  # type: ignore[attr-defined]
    with_words.__annotations__ = {
        name: each.annotation for name, each in signature.parameters.items()
    }
    return with_words


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
