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

COMMANDS = {
    "abcd": "abcd",
    "ablate": "ablate",
    "audit": "audit",
    "audit-log": "audit_log",
    "calibrate": "calibrate",
    "card": "card",
    "change": "change",
    "combine": "combine",
    "compare": "compare",
    "demo": "demo",
    "drift": "drift",
    "duckling": "duckling",
    "evaluate": "evaluate",
    "explain": "explain",
    "explore": "explore",
    "export": "export",
    "find-rate": "find_rate",
    "grid": "grid",
    "list": "list_names",
    "outline": "outline",
    "lock": "lock",
    "power": "power",
    "predict": "predict",
    "prepare": "prepare",
    "read": "read",
    "readers": "readers",
    "run": "run",
    "runs": "runs",
    "serve": "serve",
    "similar": "similar",
    "split": "split",
    "stress": "stress",
    "train": "train",
    "tune": "tune",
    "view": "view",
    "watch": "watch",
}
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
