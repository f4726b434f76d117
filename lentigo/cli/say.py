"""Output to the terminal: everything that is printed goes through this module."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any, Protocol

import typer

from lentigo.visible import printable, visible


def say(line: object = "", *, err: bool = False) -> None:
    r"""Print one line to standard output, or to standard error with `err`.

    Characters that could control the terminal are printed as escapes, such as \x1b.
    """
    typer.echo(printable(str(line)), err=err)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print a text of several lines; each is escaped as in `say`."""
    for line in text.split("\n"):
        say(line, err=err)


def say_json(value: Any) -> None:
    """Print one JSON object; characters that control a terminal become JSON escapes."""
    from lentigo.json_files import to_json

    typer.echo(_escaped(to_json(value)))


class Shown(Protocol):
    """A result that can be printed as JSON and as lines of text."""

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain values, ready for JSON."""
        ...

    def as_text(self) -> str:
        """Return the result as lines for a terminal."""
        ...


def show(found: Shown, *, as_json: bool) -> None:
    """Print a result: as one JSON object with `as_json`, otherwise as lines of text."""
    if as_json:
        say_json(found.as_dict())
    else:
        say_lines(found.as_text())


def _escaped(text: str) -> str:
    """Return JSON text with escapes for characters that could control a terminal."""
    return "\n".join(
        line
        if line.isprintable()
        else "".join(
            letter if visible(letter) == letter else json.dumps(letter)[1:-1]
            for letter in line
        )
        for line in text.split("\n")
    )


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the message on one line."""
        return printable(record.getMessage())


def listen() -> None:
    """Print log messages and warnings, also of other libraries, on standard error."""
    log = logging.getLogger("lentigo")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    # Set at each call, because standard error may have been replaced since the last.
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    if logging.lastResort is not None:  # what other libraries log
        logging.lastResort.setFormatter(_Plain())
    warnings.formatwarning = _warning  # type: ignore[assignment]


def _warning(message: Warning | str, category: type[Warning], *_: Any) -> str:
    return f"{printable(f'{category.__name__}: {message}')}\n"
