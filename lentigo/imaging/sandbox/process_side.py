"""The parent process, as a decoding process sees it."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from PIL import AvifImagePlugin

from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.limits import Leash, Limits, put_on
from lentigo.progress import log

REMARK = "remark"
"""Key of a line that is no answer, but a sentence to be logged by the parent process."""


class Parent:
    """Standard input and output of a decoding process, and its limits.

    Questions and answers are lines of JSON, which raw bytes may follow.
    """

    def __init__(self) -> None:
        # Each thread needs memory of its own, and there is one process per core already.
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        # Whatever a decoder prints must not get between the answers.
        self._answers = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self.job, limits = json.loads(sys.argv[1])
        """Settings that hold for all questions."""
        self.leash = Leash(Limits(**limits), announce=self._announce)
        put_on(self.leash)
        log.addHandler(_Remarks(self))

    def questions(self) -> Iterator[Any]:
        """Yield the questions of the parent process, until there are no more."""
        for line in sys.stdin.buffer:
            yield json.loads(line)

    def read(self, count: int) -> bytes:
        """Return the `count` bytes that follow a question."""
        return sys.stdin.buffer.read(count)

    def answer(self, said: Any, pixels: memoryview | bytes = b"") -> None:
        """Send an answer to the parent process, and the bytes of an image behind it."""
        self._answers.write(json.dumps(said).encode() + b"\n")
        self._answers.write(pixels)
        self._answers.flush()

    def length(self, path: str) -> int:
        """Return the size of a file in bytes; 0 if it does not exist.

        For a file in a container it is the unpacked size, looked up under the limits of the
        smallest file.
        """
        with suppress(OSError, ValueError):
            return os.stat(path).st_size  # noqa: PTH116 (a Path for each file is slow)
        with suppress(*packed.BROKEN), self.leash.tied(0):
            return packed.length(path)
        return 0

    def _announce(self, seconds: float) -> None:
        self.answer({"may_take": seconds})


class _Remarks(logging.Handler):
    """Sends what is logged of a file to the parent process, which says it."""

    def __init__(self, parent: Parent) -> None:
        super().__init__(logging.WARNING)
        self._parent = parent

    def emit(self, record: logging.LogRecord) -> None:
        """Send the message of a record, before the answer about its file."""
        self._parent.answer({REMARK: record.getMessage()})
