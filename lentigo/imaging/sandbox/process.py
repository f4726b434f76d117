"""A decoding process seen from outside: asked, watched, and buried when it dies.

It is started by `lentigo.isolated`, never by `multiprocessing`: it imports only what
decoding needs, from where it is installed, works from scripts without a `__main__` guard
and from notebooks, is safe beside the threads of a network library, and may be killed.

Both programs that decode speak this one protocol, lines of JSON that bytes may follow.
`lentigo.elsewhere` speaks another, pickles: from a decoder that a file has taken over, a
pickle would run whatever it liked in this process. Pixels also come cheaper as they are:
36 MB in 19 ms, pickled and back in 59 ms.
"""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

from lentigo.imaging.decoding.limits import TOO_MUCH_WORK, Limits
from lentigo.isolated import command, could_not_start, environment

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

_WATCH = 0.25
"""Seconds between two looks at the clock."""

_START_UP = 20.0
"""Seconds that a process may take to start, on top; 0.4 by day, more on a busy disk."""


def program(module: str) -> str:
    """The Python code of a process that runs `main` of a module of this package."""
    return f"from {module} import main\nmain()"


@dataclass(frozen=True)
class Death:
    """Why a process ended while it had a file before it."""

    reason: str
    certain: bool = False
    """Whether the file is to blame beyond doubt, so that no second try is worth it."""


class Child:
    """One decoding process, started when there is something to ask.

    `code` is what it runs and `job` its argument. A question and an answer are a line of
    JSON each, and plain bytes may follow either. The clock runs while it has something to
    do; a file for which `limits` allow more than for the smallest is announced by it.
    """

    def __init__(self, code: str, job: Any, *, limits: Limits) -> None:
        self.ended = False
        self._limits = limits
        given = json.dumps([job, asdict(limits)])
        self._command = command(code, given)
        self._process: subprocess.Popen[bytes] | None = None
        self._remarks = tempfile.TemporaryFile()  # noqa: SIM115
        self._work = limits.seconds
        self._deadline: float | None = None
        self._too_slow = False
        self._closed = threading.Event()

    def start(self) -> None:
        """Start it now rather than with the first question."""
        if self._process is not None:
            return
        # A session of its own, so that Ctrl-C reaches us alone and we end it in order.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._remarks,
            env=environment(**_ONE_THREAD),
            start_new_session=True,
        )
        if self.ended:  # while it was being started
            self._process.kill()
        self._closed = threading.Event()
        _widen(self._process.stdout)
        arguments = (self._process, self._closed)
        threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def send(self, *parts: bytes | memoryview) -> None:
        """Ask it; if it is dead, the missing answer will show that."""
        self.start()
        self.begin_file()
        with suppress(OSError):
            for part in parts:
                self._pipes[0].write(part)
            self._pipes[0].flush()

    def answer(self) -> Any:
        """The next line of its answer; None if it died."""
        while True:
            line = self._pipes[1].readline()
            if not line.endswith(b"\n"):
                return None
            said = json.loads(line)
            if "may_take" not in said:
                return said
            self._work = float(said["may_take"])
            self._deadline = time.monotonic() + self._limits.waiting * self._work

    def fill(self, place: memoryview) -> bool:
        """Read the bytes that follow a line into `place`; whether all of them came."""
        while place:
            count = self._pipes[1].readinto(place)
            if not count:
                return False
            place = place[count:]
        return True

    def begin_file(self) -> None:
        """From now on it is busy with a file."""
        self._work = self._limits.seconds
        self._deadline = time.monotonic() + _START_UP + self._limits.waiting * self._work

    def rest(self) -> None:
        """It has nothing to do."""
        self._deadline = None

    def bury(self) -> Death:
        """Why the process died; the next question starts another one.

        Raises `RunError` if it could not start for want of a library, and `RuntimeError` if
        it was not a file that ended it but a fault of ours.
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
        """Kill what runs, whatever it was about to say; the next question starts anew."""
        if self._process:
            self._process.kill()
        self._clear_up()
        self._too_slow = False

    def end(self) -> None:
        """Start nothing more, and kill what runs; whoever waits for an answer gets none."""
        self.ended = True
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Give back what the ended process held."""
        self._clear_up()
        self._remarks.close()

    @property
    def _pipes(self) -> tuple[IO[bytes], io.BufferedReader]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("A decoding process has no pipes.")
        return process.stdin, cast("io.BufferedReader", process.stdout)

    def _watch(self, process: subprocess.Popen[bytes], closed: threading.Event) -> None:
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
        process.kill()  # whatever it is at: nobody listens any more
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a megabyte: large pictures pass through it 15 % faster."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        if pipe is not None:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 2**20)
