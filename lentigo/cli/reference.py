"""`python -m lentigo.cli.reference FILE`: write the reference of all commands to FILE."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from lentigo.cli.commands import COMMANDS, load_command
from lentigo.cli.list_names import KINDS
from lentigo.config import Config
from lentigo.files import write_text
from lentigo.run_layout import CONFIG

HEAD = """# Reference

Written by `make docs` from the code itself; a test holds it to being up to date.
"""


def reference() -> str:
    """Return the whole page: commands, formats, recipes, metrics, figures, settings."""
    parts = [HEAD, "## Commands\n", *_commands()]
    for kind in ("formats", "recipes", "metrics", "figures"):
        parts += [
            f"## {kind.capitalize()}\n",
            _table(("name", "what it is"), KINDS[kind]()),
        ]
    parts += ["## Settings\n", _SETTINGS, *_settings(Config)]
    return "\n".join(parts).rstrip() + "\n"


_SETTINGS = f"Change one with `--set NAME=VALUE`; `{CONFIG}` in a run holds them all.\n"


def _commands() -> Iterator[str]:
    for name in sorted(COMMANDS):
        command = load_command(name)
        context = command.make_context(
            f"lentigo {name}", [], resilient_parsing=True, terminal_width=92
        )
        yield f"### lentigo {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    rows = {}
    sections = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections.append((name, field.annotation))
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        said = " ".join((field.description or "").split())
        rows[f"{prefix}{name}"] = f"{said} Default: `{default}`."
    said = " ".join((model.__doc__ or "").split())
    yield f"### {prefix.rstrip('.') or 'the run'}\n\n{said}\n\n" + _table(
        ("setting", "what it does"), rows
    )
    for name, section in sections:
        yield from _settings(section, f"{prefix}{name}.")


def _table(head: tuple[str, str], rows: dict[str, str]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [
        f"| `{name}` | {said.replace('|', chr(92) + '|')} |" for name, said in rows.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # The page must not depend on the width of the terminal.
    os.environ["COLUMNS"] = "92"
    write_text(Path(sys.argv[1]), reference())
