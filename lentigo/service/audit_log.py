"""An append-only log of answers in SQLite, whose rows form a hash chain.

A row holds the time, the model, the answer and the SHA-256 digests of the images; never the
images, their names, or data of a patient. The `hash` of a row is the SHA-256 of its content
and of the previous row's hash, so that a changed, removed or inserted row breaks the chain
from there on.

A chain alone does not reveal that its last rows were removed. So the number of rows and the
last hash are also in a second table, written in the same transaction. Somebody who can
write to the file can change both tables: to detect that, keep the end that `verify` prints
in another place, and give it to a later `verify`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lentigo.errors import ConfigError, DatasetNotFoundError, RunError, UnreadableFileError

_FORMAT = 1
_START = "0" * 64
"""The previous hash of the first row."""
_COLUMNS = (
    "number", "time", "request", "model", "version", "engine", "images", "answer", "before",
)  # fmt: skip
_SCHEMA = """
CREATE TABLE answers (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, request TEXT NOT NULL,
    model TEXT NOT NULL, version TEXT NOT NULL, engine TEXT NOT NULL,
    images TEXT NOT NULL, answer TEXT NOT NULL, before TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), rows INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER answers_stay BEFORE UPDATE ON answers
    BEGIN SELECT RAISE(ABORT, 'rows of the audit log are never changed'); END;
CREATE TRIGGER answers_remain BEFORE DELETE ON answers
    BEGIN SELECT RAISE(ABORT, 'rows of the audit log are never deleted'); END;
CREATE TRIGGER head_remains BEFORE DELETE ON head
    BEGIN SELECT RAISE(ABORT, 'the end of the audit log is never deleted'); END;
"""
_AT_ONCE = 5_000
"""Rows that `verify` reads in one transaction, for which a service may have to wait."""
_WAIT = 2_000
"""Milliseconds for which an answer waits if another program has locked the file."""
_END = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Entry:
    """One answer, as it is recorded in the log."""

    request: str
    """Id of the request."""
    model: str
    version: str
    """Digest of the model, which changes with its weights, calibration or thresholds."""
    engine: str
    images: tuple[str, ...]
    """SHA-256 of the bytes of each image."""
    answer: Mapping[str, Any]
    """Probabilities, calls and reasons; no patient or lesion id of the request."""


@dataclass(frozen=True)
class Verified:
    """What `verify` found in an intact log."""

    rows: int
    """Number of rows."""
    first: str
    """Time of the first row; empty if the log has no rows."""
    last: str
    """Time of the last row; empty if the log has no rows."""
    end: str
    """Number of rows and last hash, as `ROWS:HASH`, to be given to a later `verify`."""


class AuditLog:
    """An open log; one process at a time adds to it."""

    def __init__(self, path: Path) -> None:
        """Open the log at `path`, or create it.

        Raises `RunError` if the file cannot be written, and `UnreadableFileError` if it is
        no audit log or its last row does not match the second table.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=10
            )
            with self._translated():
                self._prepare()
            self._connection.execute(f"PRAGMA busy_timeout = {_WAIT}")
        except sqlite3.OperationalError as error:
            raise RunError(
                f"{path} cannot be written: {error}. Give --audit-log another place."
            ) from error

    def add(self, entry: Entry) -> None:
        """Add an answer; it is on the disk when this returns. Threads add in turn.

        Raises `sqlite3.OperationalError` if the file cannot be written now.
        """
        with self._lock, self._translated(), self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            rows, before = _head(connection)
            row = (
                rows + 1,
                datetime.now(UTC).isoformat(timespec="milliseconds"),
                entry.request,
                entry.model,
                entry.version,
                entry.engine,
                json.dumps(list(entry.images)),
                json.dumps(entry.answer, sort_keys=True, ensure_ascii=False),
                before,
            )
            found = _hash(row)
            connection.execute(
                f"INSERT INTO answers VALUES ({','.join('?' * 10)})", (*row, found)
            )
            connection.execute("UPDATE head SET rows = ?, hash = ?", (rows + 1, found))

    def close(self) -> None:
        """Close the file, after what is being added."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        connection = self._connection
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(f"BEGIN; {_SCHEMA}")
            connection.execute("INSERT INTO head VALUES (1, 0, ?)", (_START,))
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("COMMIT")
        elif version != _FORMAT:
            raise UnreadableFileError(
                f"{self._path} is no audit log of this lentigo; give another file."
            )
        connection.execute("PRAGMA synchronous = FULL")
        with _snapshot(connection):  # another process may add a row between two queries
            last = connection.execute(
                "SELECT number, hash FROM answers ORDER BY number DESC LIMIT 1"
            ).fetchone()
            head = _head(connection)
        if (last or (0, _START)) != head:
            raise _broken(self._path, "its end does not fit its last row")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise UnreadableFileError(f"{self._path} is no audit log: {error}.") from error


def verify(path: Path, *, end: str = "") -> Verified:
    """Check every row of a log, its hash chain and its end.

    A service may add rows at the same time. `end` is `Verified.end` of an earlier call: the
    log must still have that row with that hash.

    Raises:
        DatasetNotFoundError: there is no file at `path`.
        UnreadableFileError: it is no audit log, or was changed; the message says where.
        RunError: the log cannot be read now, such as after a loss of power.
        ConfigError: `end` does not have the form ROWS:HASH.
    """
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no audit log {path}.")
    noted = _noted(end)
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.isolation_level = None
            return _checked(path, connection, noted)
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise UnreadableFileError(f"{path} is no audit log: {error}.") from error
        raise RunError(
            f"{path} cannot be read now: {error}. After a kill or a loss of power start "
            "the service once, which mends what was half written; then verify again."
        ) from error
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error):
            raise _broken(path, "it is damaged, or was cut off") from error
        raise UnreadableFileError(f"{path} is no audit log: {error}.") from error


def _checked(
    path: Path, connection: sqlite3.Connection, noted: tuple[int, str] | None
) -> Verified:
    before, rows, first, last = _START, 0, "", ""
    if noted == (0, _START):
        noted = None
    for *row, found in _all_rows(path, connection):
        rows += 1
        if row[0] != rows:
            raise _broken(path, f"row {rows} is missing")
        if row[-1] != before or _hash(tuple(row)) != found:
            raise _broken(path, f"row {rows} was changed, or is not the one written")
        before, last, first = found, row[1], first or row[1]
        if noted is not None and noted[0] == rows and noted[1] != found:
            raise _broken(path, f"row {rows} is another one than when its end was noted")
    if noted is not None and noted[0] > rows:
        raise _broken(path, f"it had {noted[0]} rows once, and has {rows}")
    return Verified(rows, first, last, f"{rows}:{before}")


def _all_rows(path: Path, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield every row in order; raise `UnreadableFileError` if the end does not match."""
    columns = ", ".join((*_COLUMNS, "hash"))
    query = f"SELECT {columns} FROM answers WHERE number > ? ORDER BY number LIMIT ?"
    last, end = -(2**63), (0, _START)
    while True:
        with _snapshot(connection):
            part = connection.execute(query, (last, _AT_ONCE)).fetchall()
            head = _head(connection)
        yield from part
        if part:
            last, end = part[-1][0], (part[-1][0], part[-1][-1])
        if len(part) == _AT_ONCE:
            continue
        if head != end:
            raise _broken(
                path, f"rows after row {end[0]} were cut off, or its end was changed"
            )
        return


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one transaction, so that all its reads see the same state."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _noted(end: str) -> tuple[int, str] | None:
    if not end:
        return None
    found = _END.fullmatch(end)
    if found is None:
        raise ConfigError(
            "--end takes what an earlier 'lentigo audit-log verify' gave: ROWS:HASH."
        )
    return int(found[1]), found[2]


def _head(connection: sqlite3.Connection) -> tuple[int, str]:
    found = connection.execute("SELECT rows, hash FROM head").fetchone()
    return found if found is not None else (-1, "")


def _hash(row: tuple[Any, ...]) -> str:
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _broken(path: Path, what: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is not the log that was written: {what}. Compare it with its backup."
    )
