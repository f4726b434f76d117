"""A newcomer finds on the page where a line of `imaging` belongs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_module_of_imaging_is_named_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    part = page.partition("### Inside `imaging`")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)/?`", part)) - {"GuardedReader", "imaging"}
    there = {
        path.stem
        for path in (ROOT / "lentigo/imaging").iterdir()
        if not path.name.startswith("_")
    }
    assert named == there
