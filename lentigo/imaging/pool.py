"""Several decoding processes at once, and what is done when one of them dies."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from lentigo.imaging.worker import Answer, Job

# Threads are simpler, but reached only 0.8 of the speed of processes on 200 × 150 JPEGs
# and 0.45 on 256 × 256 (two cores), and one crashing decoder would end the whole run.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop()); "
    "from lentigo.imaging.worker import main; main()"
)
_ROOT = str(Path(__file__).resolve().parents[2])
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

CHUNK = 8
"""Files asked for at once, so that a process need not wait for the next line."""

SECONDS_PER_FILE = 60.0
"""A file that takes longer is given up."""

File = tuple[int, str]
"""A row of the store, and the path of the file that belongs there."""


def decode_files(files: Sequence[File], job: Job, *, workers: int) -> Generator[Answer]:
    """Decode files in `workers` processes; an answer a file, in no particular order.

    A file that kills its process, or keeps it longer than `SECONDS_PER_FILE`, is tried
    once more and then answered with an error; the others never notice.

    Raises:
        OSError: a process could not write its pixels (a full disk).
        RuntimeError: a process ended although no file can be blamed.
    """
    chunks: queue.SimpleQueue[Sequence[File]] = queue.SimpleQueue()
    for start in range(0, len(files), CHUNK):
        chunks.put(files[start : start + CHUNK])
    results: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    processes = [_Process(job) for _ in range(workers)]
    threads = ThreadPoolExecutor(workers)
    served = [threads.submit(_serve, each, chunks, results) for each in processes]
    try:
        for _ in files:
            yield _next(results, processes, served)
    finally:
        for process in processes:
            process.end()
        threads.shutdown()
        for process in processes:
            process.close()


def _next(
    results: queue.SimpleQueue[Answer],
    processes: Sequence[_Process],
    served: Sequence[Future[None]],
) -> Answer:
    while True:
        for process in processes:
            process.check_time()
        try:
            return results.get(timeout=0.5)
        except queue.Empty:
            for future in served:
                if future.done():
                    future.result()  # raises what went wrong there


def _serve(
    process: _Process,
    chunks: queue.SimpleQueue[Sequence[File]],
    results: queue.SimpleQueue[Answer],
) -> None:
    with suppress(queue.Empty):
        while not process.ended:
            for answer in _answers(process, chunks.get_nowait()):
                results.put(answer)


def _answers(process: _Process, files: Sequence[File]) -> Iterator[Answer]:
    """An answer a file, whatever becomes of the process meanwhile."""
    left, second_try = deque(files), False
    while left and not process.ended:
        for answer in process.ask(list(left)):
            yield answer
            left.popleft()
            second_try = False
        if not left or process.ended:
            return
        # Files are decoded in order, so the first one without an answer is to blame.
        row, path = left[0]
        reason = process.bury()
        if second_try:
            yield Answer(row, error=f"{path} cannot be decoded: {reason}.")
            left.popleft()
        second_try = not second_try


class _Process:
    """One decoding process, started when there is something to ask."""

    def __init__(self, job: Job) -> None:
        self.ended = False
        self._job = json.dumps(asdict(job))
        self._child: subprocess.Popen[bytes] | None = None
        self._remarks = tempfile.TemporaryFile()  # noqa: SIM115
        self._busy_since: float | None = None
        self._too_slow = False

    def ask(self, files: Sequence[File]) -> Iterator[Answer]:
        """An answer a file, in order; they end early if the process dies.

        Raises `OSError` if the process says that it cannot write.
        """
        child = self._child = self._child or self._start()
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("A decoding process has no pipes.")
        self._busy_since = time.monotonic()
        with suppress(OSError):  # it is dead; reading will show how far it came
            child.stdin.write(b"".join(json.dumps(file).encode() + b"\n" for file in files))
            child.stdin.flush()
        for _ in files:
            line = child.stdout.readline()
            if not line.endswith(b"\n"):
                return
            answer = json.loads(line)
            if "cannot_write" in answer:
                raise OSError(*answer["cannot_write"])
            self._busy_since = time.monotonic()
            yield Answer(**answer)
        self._busy_since = None

    def bury(self) -> str:
        """Why the process died; the next question starts another one.

        Raises `RuntimeError` if it was not a file that ended it but a fault of ours.
        """
        code = self._child.wait() if self._child else 0
        self._clear_up()
        if self._too_slow:
            self._too_slow = False
            return f"it took longer than {SECONDS_PER_FILE:g} seconds"
        if 0 <= code < 256:
            self._remarks.seek(0)
            text = self._remarks.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"A decoding process ended with code {code}:\n{text}")
        return f"the decoder crashed or was killed (exit code {code})"

    def check_time(self) -> None:
        """Kill the process if one file has kept it too long."""
        since, child = self._busy_since, self._child
        if since and child and time.monotonic() - since > SECONDS_PER_FILE:
            self._too_slow, self._busy_since = True, None
            child.kill()

    def end(self) -> None:
        """Start nothing more, and kill what runs; whoever waits for an answer gets none."""
        self.ended = True
        if self._child:
            self._child.kill()

    def close(self) -> None:
        """Give back what the ended process held."""
        self._clear_up()
        self._remarks.close()

    def _clear_up(self) -> None:
        child, self._child, self._busy_since = self._child, None, None
        if child is None:
            return
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own, so that Ctrl-C reaches us alone and we end it in order.
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, self._job, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._remarks,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,
        )
