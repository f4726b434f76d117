"""The generated page is the one in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_reference_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "92")
    assert reference() == PAGE.read_text(encoding="utf-8"), "run make docs"


def test_every_setting_says_what_it_does() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert not [
        row for row in rows if row.split("|")[2].strip() in {"", "Default: `None`."}
    ]
