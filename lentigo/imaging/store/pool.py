"""Run several decoding processes at once, and recover when one of them dies."""

from __future__ import annotations

import json
import queue
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict

from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.sandbox.process import Child, program
from lentigo.imaging.store.decode_process import DecodedFile, Job

# Threads are simpler, but reached only 0.8 of the speed of processes on 200 × 150 JPEGs
# and 0.45 on 256 × 256 (two cores), and one crashing decoder would end the whole run.
_PROGRAM = program("lentigo.imaging.store.decode_process")

CHUNK = 8
"""Number of files sent at once, so that a process need not wait for the next line."""

LIMITS = Limits()
"""Limits of decoding one file; a file that exceeds them gets an error."""

File = tuple[int, str]
"""A row of the store, and the path of the file to decode into it."""


def decode_files(
    files: Sequence[File], job: Job, *, workers: int
) -> Generator[DecodedFile]:
    """Decode files in `workers` processes; yield one result per file, in no fixed order.

    A file that takes more processor time than `LIMITS` allow gets an error. So does a file
    that kills its process or exceeds the timeout, after a second try; other files are not
    affected.

    Raises:
        OSError: a process could not write its pixels (for example, the disk is full).
        RunError: a process could not start because a library is missing.
        RuntimeError: a process ended by an error of lentigo, not because of a file.
    """
    chunks: queue.SimpleQueue[Sequence[File]] = queue.SimpleQueue()
    for start in range(0, len(files), CHUNK):
        chunks.put(files[start : start + CHUNK])
    results: queue.SimpleQueue[DecodedFile] = queue.SimpleQueue()
    processes = [Child(_PROGRAM, asdict(job), limits=LIMITS) for _ in range(workers)]
    threads = ThreadPoolExecutor(workers)
    served = [threads.submit(_serve, each, chunks, results) for each in processes]
    try:
        for _ in files:
            yield _next(results, served)
    finally:
        for process in processes:
            process.end()
        threads.shutdown()
        for process in processes:
            process.close()


def _next(
    results: queue.SimpleQueue[DecodedFile], served: Sequence[Future[None]]
) -> DecodedFile:
    while True:
        try:
            return results.get(timeout=0.5)
        except queue.Empty:
            for future in served:
                if future.done():
                    future.result()  # raises what went wrong there


def _serve(
    process: Child,
    chunks: queue.SimpleQueue[Sequence[File]],
    results: queue.SimpleQueue[DecodedFile],
) -> None:
    with suppress(queue.Empty):
        while not process.ended:
            for answer in _answers(process, chunks.get_nowait()):
                results.put(answer)


def _answers(process: Child, files: Sequence[File]) -> Iterator[DecodedFile]:
    """Yield one result per file, even if the process dies meanwhile."""
    left, second_try = deque(files), False
    while left and not process.ended:
        for answer in _ask(process, list(left)):
            yield answer
            left.popleft()
            second_try = False
        if not left or process.ended:
            return
        # Files are decoded in order, so the first one without an answer is to blame.
        row, path = left[0]
        death = process.bury()
        if second_try or death.certain:
            yield DecodedFile(row, error=f"{path} cannot be decoded: {death.reason}.")
            left.popleft()
        second_try = not (second_try or death.certain)


def _ask(process: Child, files: Sequence[File]) -> Iterator[DecodedFile]:
    """Yield one result per file, in the order of `files`, until the process dies.

    Raises `OSError` if the process reports that it cannot write.
    """
    process.send(*(json.dumps(file).encode() + b"\n" for file in files))
    for _ in files:
        answer = process.answer()
        if answer is None:
            return
        if "cannot_write" in answer:
            raise OSError(*answer["cannot_write"])
        process.begin_file()
        yield DecodedFile(**answer)
    process.rest()
