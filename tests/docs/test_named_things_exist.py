"""Paths, commands and options that a page names are there to be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from lentigo.cli.app import app
from lentigo.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    if not page.name.startswith("add-a-")
]
"""Without those that have their reader write something new: `test_how_to` follows them."""


def code_of(page: Path) -> list[str]:
    """The spans and lines of a page that are code; a line that goes on is one."""
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for each in fences for line in each.replace("\\\n", " ").splitlines()]
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`]+)`", rest)
    return [" ".join(each.split()) for each in (*lines, *spans)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"\b(?:tests|benchmarks|lentigo|docs)/[\w/.-]+\.(?:py|md|csv|json)\b",
        page.read_text(encoding="utf-8"),
    )
    assert [name for name in named if not (ROOT / name).exists()] == []
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_and_option_that_a_page_names_is_there(page: Path) -> None:
    group = get_command(app)
    for code in code_of(page):
        found = re.match(r"(?:\$ )?lentigo ([a-z][\w-]*)\b(.*)", code)
        if found is None:
            continue
        name, rest = found.groups()
        assert name in COMMANDS, code
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        known = {
            word for each in command.params for word in (*each.opts, *each.secondary_opts)
        }
        given = rest.partition(" #")[0].partition("; ")[0].partition(" && ")[0]
        asked = set(re.findall(r"(?<![\w'-])--[a-z][a-z0-9-]*", given))
        assert asked <= known | {"--help"}, code


def test_each_make_target_that_a_page_names_is_there() -> None:
    targets = re.findall(
        r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE
    )
    for page in PAGES:
        for code in code_of(page):
            if found := re.match(r"make ([a-z-]+)\b", code):
                assert found.group(1) in targets, (page.name, code)
