"""The journal of an unfinished store: what a kill may have left of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.imaging.store.decode_process import DecodedFile
from lentigo.imaging.store.journal import Entry, end_last_line, read_journal


def entry(row: int, *, size: int = 5) -> Entry:
    answer = DecodedFile(row, sha256="ab" * 32, width=4, height=3, error=None)
    return Entry(size, 7, answer)


@pytest.mark.parametrize(
    ("left", "ended"),
    [(b"", b""), (b"\n", b"\n"), (b"[1]\n", b"[1]\n"), (b"[1]\n[2", b"[1]\n[2\n")],
    ids=["empty", "one end", "whole", "cut off"],
)
def test_the_next_line_begins_on_a_line_of_its_own(
    tmp_path: Path, left: bytes, ended: bytes
) -> None:
    path = tmp_path / "journal"
    path.write_bytes(left)
    end_last_line(path)
    assert path.read_bytes() == ended


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    end_last_line(tmp_path / "journal")
    assert not (tmp_path / "journal").exists()
    assert list(read_journal(tmp_path / "journal", count=3)) == []


def test_the_last_of_two_lines_about_a_row_holds_in_the_order_of_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal"
    lines = [entry(0, size=1), entry(2), entry(0, size=2), entry(3)]
    path.write_text("".join(each.as_line() for each in lines) + '[5, 7, {"row"')
    assert list(read_journal(path, count=3)) == [entry(2), entry(0, size=2)]


def test_a_row_before_the_first_is_none_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(entry(-1).as_line() + entry(1).as_line())
    assert list(read_journal(path, count=2)) == [entry(1)]
