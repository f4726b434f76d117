"""A newcomer finds on the page where a line of `imaging` belongs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_module_of_imaging_is_named_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    part = page.partition("### Inside `imaging`")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(?:imaging/)?(\w+)/?`", part)) - {"GuardedReader", "imaging"}
    shown_whole = ("decoding", "sandbox", "store")
    folders = [
        ROOT / "lentigo/imaging",
        *(ROOT / "lentigo/imaging" / n for n in shown_whole),
    ]
    there = {
        path.stem
        for folder in folders
        for path in folder.iterdir()
        if not path.name.startswith("_")
    }
    assert named == there


def test_every_file_at_the_top_and_every_room_is_named() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    block = page.partition("## The rooms")[2].partition("```text\n")[2].partition("```")[0]
    named = set(re.findall(r"^  (\w+)(?:\.py|/)", block, flags=re.MULTILINE))
    there = {
        path.stem
        for path in (ROOT / "lentigo").iterdir()
        if path.name != "py.typed" and not path.name.startswith("_")
    }
    assert named == there


def test_the_readme_names_every_room_and_no_other() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = (
        page.partition("## What is where")[2].partition("```text\n")[2].partition("```")[0]
    )
    named = set(re.findall(r"^  (\w+)/", block, flags=re.MULTILINE))
    rooms = {path.parent.name for path in (ROOT / "lentigo").glob("*/__init__.py")}
    assert named == rooms
