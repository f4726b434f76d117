"""A command that nobody documented fails here."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.cli.commands import COMMANDS, GROUPS
from lentigo.cli.list_names import KINDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_row_a_page_and_an_example(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `lentigo {name}\b", readme, flags=re.MULTILINE), "README.md"
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert f"### lentigo {name}\n" in reference, "make docs"
    command = getattr(
        import_module(f"lentigo.cli.{COMMANDS[name]}"), f"{name.replace('-', '_')}_command"
    )
    said, example = (command.__doc__ or "").split("Example:")
    assert said.strip()
    assert example.strip().startswith(f"lentigo {name}")


def test_the_readme_names_no_command_and_no_list_that_is_not_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `lentigo ([\w-]+)", readme, flags=re.MULTILINE)) == set(
        COMMANDS
    )
    (row,) = re.findall(r"^\| `lentigo list ([^`]+)`", readme, flags=re.MULTILINE)
    assert row.split("\\|") == list(KINDS)


def test_each_command_is_under_one_heading_in_the_help_and_in_the_readme() -> None:
    assert len(COMMANDS) == sum(map(len, GROUPS.values()))
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for heading, names in GROUPS.items():
        below = said.split(f"\n{heading}:\n")[1].split("\n\n")[0]
        assert re.findall(r"^  ([\w-]+) ", below, flags=re.MULTILINE) == list(names)
        table = readme.split(f"\n| {heading} | |\n")[1].split("\n\n")[0]
        assert re.findall(r"^\| `lentigo ([\w-]+)", table, flags=re.M) == list(names)


def test_the_help_cuts_no_sentence_and_a_command_has_one_line() -> None:
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    lines = said.split("\n\n", maxsplit=3)[3].splitlines()
    rows = [line for line in lines if line.startswith("  ")]
    assert len(rows) == len(COMMANDS)
    assert all(row.endswith(".") and not row.endswith("...") for row in rows)


def test_help_is_a_word_too_and_list_alone_names_what_it_lists() -> None:
    run = CliRunner().invoke
    assert run(app, ["help"]).output == run(app, ["--help"]).output
    assert run(app, ["help", "view"]).output == run(app, ["view", "--help"]).output
    assert run(app, ["help", "view"]).exit_code == 0
    named = run(app, ["list"]).output.split()
    assert named[2::3] == list(KINDS)
    assert json.loads(run(app, ["list", "--json"]).output) == {"kinds": list(KINDS)}


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")))
def test_each_how_to_page_is_linked(page: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "docs" / "architecture.md"]
    linked = "".join(each.read_text(encoding="utf-8") for each in pages)
    assert f"how-to/{page.name}" in linked
