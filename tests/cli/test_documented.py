"""A command that nobody documented fails here."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from lentigo.cli.commands import COMMANDS
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


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")))
def test_each_how_to_page_is_linked(page: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "docs" / "architecture.md"]
    linked = "".join(each.read_text(encoding="utf-8") for each in pages)
    assert f"how-to/{page.name}" in linked
