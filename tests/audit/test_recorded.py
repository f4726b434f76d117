"""The page and the lists of an audit of a set that was spoilt on purpose.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.tables import write_table
from tests.audit.test_audit import spoilt
from tests.record import check_recorded
from tests.written import called


def test_what_an_audit_says_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "given"
    place.mkdir()
    write_table(spoilt(place / "images"), place / "table.csv")
    monkeypatch.chdir(place)
    line = "audit table.csv --by part --size 96 --out OUT"
    check_recorded("audit/spoilt", called(line, place, tmp_path / "made" / "out"))
