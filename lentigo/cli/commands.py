"""Table of all commands by name. A new one is a module in this folder and a line here.

The command `NAME` is the function `NAME_command` of its module (`audit_log_command` of
`audit-log`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import typer

from lentigo.extras import DATA, TRAIN, libraries, require

GROUPS = {
    "Everything at once": {
        "demo": "demo",
        "run": "run",
    },
    "Look after the data": {
        "read": "read",
        "combine": "combine",
        "audit": "audit",
        "explore": "explore",
        "grid": "grid",
        "split": "split",
        "prepare": "prepare",
        "lock": "lock",
    },
    "Train": {
        "train": "train",
        "runs": "runs",
        "ablate": "ablate",
        "find-rate": "find_rate",
        "tune": "tune",
        "export": "export",
        "calibrate": "calibrate",
    },
    "Use a model": {
        "card": "card",
        "predict": "predict",
        "similar": "similar",
        "duckling": "duckling",
        "serve": "serve",
        "watch": "watch",
        "drift": "drift",
        "audit-log": "audit_log",
    },
    "Judge": {
        "evaluate": "evaluate",
        "compare": "compare",
        "readers": "readers",
        "power": "power",
    },
    "Look into a model": {
        "explain": "explain",
        "stress": "stress",
    },
    "Measure and change images": {
        "view": "view",
        "outline": "outline",
        "abcd": "abcd",
        "change": "change",
    },
    "Names to choose from": {
        "list": "list_names",
    },
}
"""Heading in `lentigo --help` → name of each command → its module in `lentigo.cli`."""

COMMANDS = {name: module for group in GROUPS.values() for name, module in group.items()}
"""Name of each command, and the module of `lentigo.cli` that holds it."""

_WITHOUT_DATA = {
    "audit-log",
    "card",
    "combine",
    "compare",
    "evaluate",
    "list",
    "lock",
    "power",
    "predict",
    "read",
    "readers",
    "runs",
    "serve",
    "similar",
    "watch",
}
"""Commands that work without the extra `data`. The others check for its libraries when they
are called, before they work for an hour."""

_WITH_TORCH = {"ablate", "demo", "export", "find-rate", "run", "train", "tune"}
"""Commands that need the extra `train`, which brings `data`: it is named first, so that
nobody installs one extra to be told of the other."""


def load_command(name: str) -> Any:
    """Import the command `name` and return it as an object that typer can call."""
    module = import_module(f"lentigo.cli.{COMMANDS[name]}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(getattr(module, f"{name.replace('-', '_')}_command"))
    command = typer.main.get_command(alone)
    if name not in _WITHOUT_DATA and command.callback is not None:
        command.callback = _asking_first(name, command.callback)
    return command


def _asking_first(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def asking(*args: Any, **kwargs: Any) -> Any:
        train = libraries(TRAIN) if name in _WITH_TORCH else []
        for library in (*train, *libraries(DATA)):
            require(library, what=f"lentigo {name}")
        return function(*args, **kwargs)

    return asking
