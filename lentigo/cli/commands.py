"""All commands by name. A new one is a file in this folder and a line here.

The command `NAME` is the function `NAME_command` of its module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

COMMANDS = {
    "audit": "audit",
    "card": "card",
    "combine": "combine",
    "demo": "demo",
    "evaluate": "evaluate",
    "explore": "explore",
    "export": "export",
    "grid": "grid",
    "list": "list_names",
    "predict": "predict",
    "prepare": "prepare",
    "read": "read",
    "run": "run",
    "split": "split",
    "train": "train",
    "view": "view",
}
"""Name of a command, and the module of `lentigo.cli` that holds it."""


def load_command(name: str) -> Any:
    """Import the command `name` and make of its function what typer calls."""
    module = import_module(f"lentigo.cli.{COMMANDS[name]}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(getattr(module, f"{name}_command"))
    return typer.main.get_command(alone)
