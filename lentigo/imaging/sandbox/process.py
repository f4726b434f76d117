"""A decoding process as its parent sees it: questions, timeouts and its cause of death.

It is started by `sandbox.starter`, never by `multiprocessing`: it imports only what
decoding needs, from the installed package, works in scripts without a `__main__` guard and
in notebooks, is safe beside the threads of a network library, and may be killed.

Both programs that decode use this one protocol, lines of JSON that bytes may follow.
`lentigo.elsewhere` uses another, pickles: if a file took over the decoder, its pickle could
run any code in this process. Raw pixels are also faster: 36 MB in 19 ms, pickled and back
in 59 ms.
"""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from lentigo.imaging.decoding.limits import TOO_MUCH_WORK, Limits
from lentigo.imaging.sandbox.starter import Process, start
from lentigo.isolated import could_not_start
from lentigo.progress import log
from lentigo.visible import printable

_WATCH = 0.25
"""Seconds between two checks of the timeout."""

_START_UP = 20.0
"""Extra seconds for the start of a process; it usually takes 0.4, more on a busy disk."""


def program(module: str) -> str:
    """Return the Python code that runs `main` of a module of this package."""
    return f"from {module} import main\nmain()"


@dataclass(frozen=True)
class Death:
    """Why a process ended while it was decoding a file."""

    reason: str
    """The reason, as the end of a sentence."""
    certain: bool = False
    """Whether the file is certainly the cause, so that a second try is useless."""


class Child:
    """One decoding process, started with the first question.

    `code` is the Python code that it runs and `job` its argument. A question and an answer
    are a line of JSON each, and raw bytes may follow either. While it works, a timeout
    runs; the process reports a file for which `limits` allow more time than for the
    smallest.
    """

    def __init__(self, code: str, job: Any, *, limits: Limits) -> None:
        self.ended = False
        self._limits = limits
        self._code, self._given = code, json.dumps([job, asdict(limits)])
        self._process: Process | None = None
        self._remarks = tempfile.TemporaryFile()  # noqa: SIM115
        self._work = limits.seconds
        self._deadline: float | None = None
        self._too_slow = False
        self._closed = threading.Event()

    def start(self) -> None:
        """Start the process now rather than with the first question."""
        if self._process is not None:
            return
        self._process = start(self._code, self._given, errors=self._remarks)
        if self.ended:  # `end` was called while it started
            self._process.kill()
        self._closed = threading.Event()
        _widen(self._process.stdout)
        arguments = (self._process, self._closed)
        threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def send(self, *parts: bytes | memoryview) -> None:
        """Send a question; if the process is dead, the next `answer` returns None."""
        self.start()
        self.begin_file()
        with suppress(OSError):
            for part in parts:
                self._pipes[0].write(part)
            self._pipes[0].flush()

    def answer(self) -> Any:
        """Return the next answer; None if the process died."""
        while True:
            line = self._pipes[1].readline()
            if not line.endswith(b"\n"):
                return None
            said = json.loads(line)
            if "remark" in said:  # as `process_side.REMARK`, which only the process imports
                log.warning("%s", printable(str(said["remark"])))
                continue
            if "may_take" not in said:
                return said
            self._work = float(said["may_take"])
            self._deadline = time.monotonic() + self._limits.waiting * self._work

    def fill(self, place: memoryview) -> bool:
        """Read the bytes that follow an answer into `place`; False if the process died."""
        while place:
            count = self._pipes[1].readinto(place)
            if not count:
                return False
            place = place[count:]
        return True

    def begin_file(self) -> None:
        """Start the timeout for a file."""
        self._work = self._limits.seconds
        self._deadline = time.monotonic() + _START_UP + self._limits.waiting * self._work

    def rest(self) -> None:
        """Stop the timeout: the process has nothing to do."""
        self._deadline = None

    def bury(self) -> Death:
        """Return why the process died; the next question starts another process.

        Raises `RunError` if it could not start because a library is missing, and
        `RuntimeError` if it ended by an error of lentigo and not because of a file.
        """
        code = self._process.wait() if self._process else 0
        self._clear_up()
        slow, self._too_slow = self._too_slow, False
        if slow:
            seconds = self._limits.waiting * self._work
            return Death(f"it took longer than {seconds:,.3g} seconds by the clock")
        if TOO_MUCH_WORK is not None and code == -TOO_MUCH_WORK:
            reason = f"it takes more than {self._work:,.3g} seconds of work"
            return Death(reason, certain=True)
        if 0 <= code < 256:
            self._remarks.seek(0)
            text = self._remarks.read()[-2000:].decode(errors="replace")
            if error := could_not_start(text):
                raise error
            raise RuntimeError(f"A decoding process ended with code {code}:\n{text}")
        return Death(f"the decoder crashed or was killed (exit code {code})")

    def drop(self) -> None:
        """Kill the process and discard its answer; the next question starts another."""
        if self._process:
            self._process.kill()
        self._clear_up()
        self._too_slow = False

    def end(self) -> None:
        """Kill the process for good; a thread that waits for an answer gets None."""
        self.ended = True
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Release the pipes and files of the ended process."""
        self._clear_up()
        self._remarks.close()

    @property
    def _pipes(self) -> tuple[IO[bytes], io.BufferedReader]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("A decoding process has no pipes.")
        return process.stdin, cast("io.BufferedReader", process.stdout)

    def _watch(self, process: Process, closed: threading.Event) -> None:
        while not closed.wait(_WATCH):
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline:
                self._too_slow = True
                process.kill()
                return

    def _clear_up(self) -> None:
        process, self._process, self._deadline = self._process, None, None
        self._closed.set()
        if process is None:
            return
        process.kill()  # whatever it is doing: no one waits for its answer
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe buffer a megabyte: large images pass through it 15 % faster."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        if pipe is not None:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 2**20)
