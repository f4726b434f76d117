"""The audit log is checked while a service adds to it, and opened by a second one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lentigo.config.serving import ServingConfig
from lentigo.errors import RunError
from lentigo.service import audit_log
from lentigo.service.answered import Answered
from lentigo.service.asked import Asked
from lentigo.service.audit_log import AuditLog, verify
from lentigo.service.core import Service, _decision
from lentigo.service.problems import ProblemError
from lentigo.service.telemetry import Telemetry
from tests.service.test_audit_log import ENTRY
from tests.service.test_queue import HOSTED


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    found = AuditLog(tmp_path / "log.sqlite")
    for _ in range(5):
        found.add(ENTRY)
    return found


@pytest.mark.parametrize("at_once", [2, 5, 5000])
def test_a_row_that_is_added_meanwhile_is_no_fault(
    tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(audit_log, "_AT_ONCE", at_once)
    own = audit_log._hash
    added: list[tuple[Any, ...]] = []

    def adding(row: tuple[Any, ...]) -> str:
        if row[0] == 3 and not added:
            added.append(row)
            log.add(ENTRY)  # must not wait for the check, either
        return own(row)

    monkeypatch.setattr(audit_log, "_hash", adding)
    assert verify(tmp_path / "log.sqlite").rows in {5, 6}
    assert added
    monkeypatch.undo()
    assert verify(tmp_path / "log.sqlite").rows == 6


def test_a_second_service_opens_it_while_the_first_one_adds(
    tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = audit_log._head

    def late(connection: sqlite3.Connection) -> tuple[int, str]:
        other = sqlite3.connect(tmp_path / "log.sqlite", timeout=0, isolation_level=None)
        try:
            row = other.execute("SELECT * FROM answers WHERE number = 5").fetchone()
            other.execute("BEGIN IMMEDIATE")
            other.execute(
                f"INSERT INTO answers VALUES ({','.join('?' * 10)})", (6, *row[1:])
            )
            other.execute("UPDATE head SET rows = 6")
            other.execute("COMMIT")
        except sqlite3.OperationalError:
            pass  # it waits until the end was read
        other.close()
        return own(connection)

    monkeypatch.setattr(audit_log, "_head", late)
    AuditLog(tmp_path / "log.sqlite").close()


def test_a_log_that_cannot_be_read_now_is_not_called_none(
    tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(audit_log, "_head", busy)
    with pytest.raises(RunError, match="start the service once"):
        verify(tmp_path / "log.sqlite")


def test_while_another_program_holds_the_log_the_service_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_WAIT", 10)
    config = ServingConfig(audit_log=tmp_path / "log.sqlite")
    other = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)

    async def live() -> None:
        service = Service([], config, Telemetry())
        answered = Answered("r", Asked(), HOSTED, _decision(HOSTED, Asked()), [], [], [])
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ProblemError, match="audit log cannot be written") as problem:
            await service._noted(answered)
        assert problem.value.status == 503
        assert problem.value.headers["retry-after"]
        other.execute("COMMIT")
        await service._noted(answered)
        await service.close()

    asyncio.run(live())
    other.close()
    assert verify(tmp_path / "log.sqlite").rows == 1


def test_who_waits_while_the_log_cannot_be_written_fails_with_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four at once fail after one wait, not after one, two, three and four."""
    monkeypatch.setattr(audit_log, "_WAIT", 300)
    config = ServingConfig(audit_log=tmp_path / "log.sqlite")
    other = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)

    async def live() -> float:
        service = Service([], config, Telemetry())
        answered = Answered("r", Asked(), HOSTED, _decision(HOSTED, Asked()), [], [], [])
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        four = [service._noted(answered) for _ in range(4)]
        found = await asyncio.gather(*four, return_exceptions=True)
        took = time.monotonic() - begun
        assert all(isinstance(each, ProblemError) for each in found)
        other.execute("COMMIT")
        await service._noted(answered)  # the next is tried again
        await service.close()
        return took

    assert asyncio.run(live()) < 0.3 * 3
    other.close()
    assert verify(tmp_path / "log.sqlite").rows == 1


def test_a_request_out_of_time_spoils_no_other(
    tmp_path: Path, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread is still writing when the next request comes, and ends first."""
    own = audit_log._head

    def slow(connection: sqlite3.Connection) -> tuple[int, str]:
        time.sleep(0.2)
        return own(connection)

    async def live() -> None:
        service = Service([], ServingConfig(audit_log=tmp_path / "log.sqlite"), Telemetry())
        monkeypatch.setattr(audit_log, "_head", slow)
        answered = Answered("r", Asked(), HOSTED, _decision(HOSTED, Asked()), [], [], [])

        async def hurried() -> None:
            async with asyncio.timeout(0.1):
                await service._noted(answered)

        found = await asyncio.gather(
            hurried(), service._noted(answered), return_exceptions=True
        )
        assert list(map(type, found)) == [TimeoutError, type(None)]
        await service.close()

    asyncio.run(live())
    assert verify(tmp_path / "log.sqlite").rows == 5 + 2


def test_threads_add_in_turn(tmp_path: Path, log: AuditLog) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(log.add, [ENTRY] * 8))
    assert verify(tmp_path / "log.sqlite").rows == 5 + 8
