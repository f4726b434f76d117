"""The one door to the terminal: whatever is printed goes through here."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import Any, Protocol

import typer

from lentigo.visible import printable, visible


def say(line: object = "", *, err: bool = False) -> None:
    r"""Print one line. What a name could do to a terminal is written out, such as \x1b."""
    typer.echo(printable(str(line)), err=err)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print a text of several lines, each as `say` prints it."""
    for line in text.split("\n"):
        say(line, err=err)


def say_json(value: Any) -> None:
    """Print one JSON object; letters that steer a terminal are escaped as JSON does it."""
    from lentigo.json_files import to_json

    typer.echo(_escaped(to_json(value)))


class Shown(Protocol):
    """A result that can be said as plain values and as lines to read."""

    def as_dict(self) -> dict[str, Any]:
        """The result as plain values, ready for JSON."""
        ...

    def as_text(self) -> str:
        """The result as lines for a terminal."""
        ...


def show(found: Shown, *, as_json: bool) -> None:
    """Print a result: one JSON object with `--json`, otherwise lines to read."""
    if as_json:
        say_json(found.as_dict())
    else:
        say_lines(found.as_text())


def _escaped(text: str) -> str:
    """JSON text with the letters that JSON leaves alone but a terminal obeys."""
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
        """One line a message."""
        return printable(record.getMessage())


def listen() -> None:
    """Show on standard error what the library logs and what others warn of, as lines."""
    log = logging.getLogger("lentigo")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    # Set anew at each call: within one process standard error may have been exchanged.
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    if logging.lastResort is not None:  # what other libraries log
        logging.lastResort.setFormatter(_Plain())
    warnings.formatwarning = _warning  # type: ignore[assignment]


def _warning(message: Warning | str, category: type[Warning], *_: Any) -> str:
    return f"{printable(f'{category.__name__}: {message}')}\n"
