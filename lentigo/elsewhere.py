"""Share work among worker processes, each a new Python interpreter and not a fork.

A fork is not safe beside the threads of torch and OpenCV. The interpreters that
`multiprocessing` and joblib start import modules from the working folder, and those of
`multiprocessing` run the caller's script again.

Questions and answers are pickles: they hold functions, tables and errors of this package,
which the JSON of `imaging.sandbox` cannot express. The workers decode no bytes of a user's
file, so their pickles can be trusted.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from lentigo.errors import RunError
from lentigo.isolated import command, could_not_start, environment

Item = TypeVar("Item")
Result = TypeVar("Result")


class ProcessDiedError(RunError):
    """A worker process ended before it had answered."""


_PROGRAM = "from lentigo.elsewhere import serve\nserve()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Generator[Result]:
    """Yield `function(item)` for each item, in the order of `items`, by worker processes.

    `function` has to be a function of this package, since the `workers` processes import
    nothing else. At most two items per process are taken ahead. An exception that
    `function` raises in a worker is raised by this generator.

    Raises `RunError` where a process cannot start, and `ProcessDiedError` where one ends
    too early.
    """
    waiting: deque[Future[Result]] = deque()
    with _helping(function, workers) as begin:
        for item in items:
            waiting.append(begin(item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _helping(
    function: Callable[[Any], Any], workers: int
) -> Iterator[Callable[[Any], Future[Any]]]:
    """Give a function that starts the work on an item and returns a future.

    At the end of the block the processes are killed.
    """
    helpers = [_Helper(function) for _ in range(workers)]
    free: queue.SimpleQueue[_Helper] = queue.SimpleQueue()
    for helper in helpers:
        free.put(helper)

    def ask(item: Any) -> Any:
        helper = free.get()
        try:
            return helper.ask(item)
        finally:
            free.put(helper)

    threads = ThreadPoolExecutor(workers)
    try:
        yield lambda item: threads.submit(ask, item)
    finally:
        for helper in helpers:
            helper.end()
        threads.shutdown(cancel_futures=True)
        for helper in helpers:
            helper.close()


class _Helper:
    """One worker process, started with its first question."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._process: subprocess.Popen[bytes] | None = None
        self._remarks = tempfile.TemporaryFile()  # noqa: SIM115
        self._ended = False

    def ask(self, item: Any) -> Any:
        """Return `function(item)`, computed by the worker process.

        Raises what `function` raises, and `RunError` where the process cannot start or
        ends.
        """
        if self._ended:
            raise ProcessDiedError("A process that was helping was ended.")
        process = self._started()
        try:
            pickle.dump((self._function, item), process.stdin, protocol=5)  # type: ignore[arg-type]
            process.stdin.flush()  # type: ignore[union-attr]
            fine, result = pickle.load(process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise self._died(process) from error
        if not fine:
            raise result
        return result

    def end(self) -> None:
        """Kill the process.

        A thread that waits for its answer gets a `ProcessDiedError`.
        """
        self._ended = True
        if self._process:
            self._process.kill()

    def close(self) -> None:
        """Wait for the killed process, and close its pipes and files."""
        if self._process:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
        self._remarks.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # In its own session: Ctrl-C reaches only this process, which then ends it.
            self._process = subprocess.Popen(
                command(_PROGRAM),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._remarks,
                env=environment(**_ONE_THREAD),
                start_new_session=True,
            )
            if self._ended:
                self._process.kill()
        return self._process

    def _died(self, process: subprocess.Popen[bytes]) -> RunError:
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        code = process.wait()
        self._remarks.seek(0)
        if error := could_not_start(self._remarks.read()[-2000:].decode(errors="replace")):
            return error
        return ProcessDiedError(
            f"A process that was helping was killed (exit code {code}), perhaps for want "
            "of memory. Close other programs and give the same command again."
        )


def serve() -> None:
    """Answer questions on standard input, each a pickled function and its argument."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    while True:
        try:
            function, item = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = pickle.dumps((True, function(item)), protocol=5)
        except Exception as error:
            answer = as_answer(error)
        answers.write(answer)
        answers.flush()


def as_answer(error: Exception) -> bytes:
    """Return the pickled answer that makes the asking process raise `error`."""
    try:
        return pickle.dumps((False, error), protocol=5)
    except Exception:  # some exceptions of libraries cannot be pickled
        return pickle.dumps((False, RuntimeError(repr(error))), protocol=5)
