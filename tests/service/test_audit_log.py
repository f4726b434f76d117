"""The audit log finds whatever is done to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from lentigo.errors import ConfigError, DatasetNotFoundError, UnreadableFileError
from lentigo.service.audit_log import AuditLog, Entry, verify
from tests.cli.test_commands import call, fails

ENTRY = Entry("id", "model", "v1", "onnx", ("0" * 64,), {"probability": 0.25})
UNLOCK = "DROP TRIGGER answers_stay; DROP TRIGGER answers_remain;"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = AuditLog(tmp_path / "log.sqlite")
    for _ in range(3):
        log.add(ENTRY)
    log.close()
    return tmp_path / "log.sqlite"


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(UNLOCK + statement)
    connection.commit()
    connection.close()


def test_what_was_written_is_intact_and_goes_on_after_a_restart(path: Path) -> None:
    before = verify(path)
    log = AuditLog(path)
    log.add(ENTRY)
    log.close()
    after = verify(path, end=before.end)
    assert (before.rows, after.rows) == (3, 4)
    assert before.end != after.end


def test_the_file_itself_refuses_to_forget(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        for statement in ("DELETE FROM answers", "UPDATE answers SET answer = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE answers SET answer = '{}' WHERE number = 2", "row 2 was changed"),
        ("UPDATE answers SET time = 'x' WHERE number = 1", "row 1 was changed"),
        ("DELETE FROM answers WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM answers WHERE number = 3", "after row 2 were cut off"),
        ("UPDATE head SET rows = 2", "cut off, or its end was changed"),
    ],
)
def test_every_change_is_found(path: Path, statement: str, found: str) -> None:
    change(path, statement)
    with pytest.raises(UnreadableFileError, match=found):
        verify(path)


def test_an_end_cut_off_with_its_count_is_found_by_an_end_noted_elsewhere(
    path: Path,
) -> None:
    end = verify(path).end
    cut = "DELETE FROM answers WHERE number = 3;"
    last = "(SELECT hash FROM answers WHERE number = 2)"
    change(path, f"{cut} UPDATE head SET rows = 2, hash = {last}")
    assert verify(path).rows == 2
    with pytest.raises(UnreadableFileError, match="had 3 rows once, and has 2"):
        verify(path, end=end)


def test_a_file_that_was_cut_off_is_no_longer_the_log(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableFileError, match=r"damaged, or was cut off.*backup"):
        verify(path)


def test_what_is_no_log_is_refused(tmp_path: Path, path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        verify(tmp_path / "none")
    (tmp_path / "text").write_text("no database, and longer than a header of SQLite " * 30)
    with pytest.raises(UnreadableFileError, match="no audit log"):
        verify(tmp_path / "text")
    with pytest.raises(UnreadableFileError, match="no audit log"):
        AuditLog(tmp_path / "text")
    with pytest.raises(ConfigError, match="ROWS:HASH"):
        verify(path, end="3")


def test_the_command_says_what_it_found(path: Path) -> None:
    said = call("audit-log", "verify", path)
    assert said.exit_code == 0
    assert "is intact: 3 answers" in said.output
    change(path, "DELETE FROM answers WHERE number = 1")
    assert "row 1 is missing" in fails("audit-log", "verify", path)
