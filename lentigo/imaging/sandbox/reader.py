"""Read untrusted images so that no file can crash, block or exhaust this process."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError, ImageError
from lentigo.imaging.decoding.image import MAX_PIXELS, Source, name_of
from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.decoding.square import Fit
from lentigo.imaging.sandbox.process import Child, Death, program

_PROGRAM = program("lentigo.imaging.sandbox.reader_process")

PixelsAndSize = tuple[NDArray[np.uint8], tuple[int, int]]


class GuardedReader:
    """Reads untrusted images, in processes that may be killed.

        with GuardedReader() as reader:
            pixels = reader.read_image("upload.jpg")

    A file is decoded in a separate process, which takes 0.3 to 0.5 seconds to start and
    then decodes one file after another. The operating system enforces `limits`: a file that
    takes more processor time or memory, or kills its process, ends in an `ImageError` that
    names it, and the next file is read as usual.

    Several threads may read at once, in up to `workers` processes. The processes have the
    rights of the user: they do not contain an attacker who has taken over a decoder. Where
    the system cannot enforce the limits (Windows; for memory, macOS too), only a timeout
    ends a file. `max_pixels` is the largest number of pixels of an image.

    Raises `ConfigError` if `workers` is below 1.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        max_pixels: int = MAX_PIXELS,
        limits: Limits | None = None,
    ) -> None:
        self._max_pixels, self._owner = max_pixels, os.getpid()
        if workers < 1:
            raise ConfigError(f"workers is {workers}; give 1 or more.")
        limits = limits or Limits()
        self._children = [Child(_PROGRAM, None, limits=limits) for _ in range(workers)]
        # Last in, first out: who reads one by one needs one process only.
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in reversed(self._children):
            self._free.put(child)

    def read_image(
        self, source: Source, *, at_least: int | None = None
    ) -> NDArray[np.uint8]:
        """Read an image like `lentigo.read_image`: upright, (height, width, 3) RGB.

        Raises `ImageError` for every problem of `source`.
        """
        return self._read(source, at_least=at_least)[0]

    def read_mask(self, source: Source) -> NDArray[np.uint8]:
        """Read the file of a mask, (height, width, 3) RGB; transparent pixels are black.

        See `lentigo.imaging.decoding.mask`. Raises `ImageError` for every problem of
        `source`.
        """
        return self._read(source, mask=True)[0]

    def read_square(
        self,
        source: Source,
        *,
        size: int,
        fit: Fit = "stretch",
        max_pixels: int | None = None,
    ) -> PixelsAndSize:
        """Return the square of a pixel store, (size, size, 3), and the full size.

        The full size is (width, height) of the upright image in the file, in pixels.
        `max_pixels` replaces the reader's own limit for this file. Raises `ImageError` for
        every problem of `source`.
        """
        most = self._max_pixels if max_pixels is None else max_pixels
        return self._read(source, size=size, fit=fit, max_pixels=most)

    def start(self) -> Self:
        """Start a process now, so that the first file need not wait; return `self`."""
        with self._child() as child:
            child.start()
        return self

    def close(self) -> None:
        """End the processes; a later read raises `ValueError`."""
        for child in self._children:
            child.end()
        for child in self._children:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, source: Source, **options: Any) -> PixelsAndSize:
        name = name_of(source)
        question = {"name": name, "max_pixels": self._max_pixels, **options}
        content: bytes | memoryview = b""
        if isinstance(source, str | os.PathLike):
            # The process may have been started in another folder.
            question["path"] = os.path.abspath(source)  # noqa: PTH100
        else:
            content = _content(source, name)
            question["bytes"] = len(content)
        line = json.dumps(question).encode() + b"\n"
        with self._child() as child:
            answer = _ask(child, line, content)
            if isinstance(answer, Death) and not answer.certain:
                answer = _ask(child, line, content)  # an earlier file may be to blame
        if isinstance(answer, Death):
            raise ImageError(
                f"{name} cannot be decoded: {answer.reason}. Open it in a program that you "
                "trust and save it anew."
            )
        return answer

    @contextmanager
    def _child(self) -> Iterator[Child]:
        if os.getpid() != self._owner:
            raise RuntimeError(
                "A GuardedReader serves the process that made it; make one in each process."
            )
        child = self._free.get()
        try:
            if child.ended:
                raise ValueError("This GuardedReader is closed.")
            yield child
        except ImageError:
            raise
        except BaseException:
            child.drop()  # half an answer may still be on its way
            raise
        finally:
            self._free.put(child)


def read_untrusted(
    source: Source, *, max_pixels: int = MAX_PIXELS, at_least: int | None = None
) -> NDArray[np.uint8]:
    """Read one untrusted file like `lentigo.read_image`.

    It is decoded in a separate process, which takes 0.3 to 0.5 seconds to start: for more
    than a few files use one `GuardedReader`. Raises only `ImageError`.
    """
    with GuardedReader(max_pixels=max_pixels) as reader:
        return reader.read_image(source, at_least=at_least)


def _ask(child: Child, line: bytes, content: bytes | memoryview) -> PixelsAndSize | Death:
    child.send(line, content)
    said = child.answer()
    if said is None:
        return child.bury()
    if "error" in said:
        child.rest()
        raise ImageError(said["error"])
    height, width, bands = said["shape"]
    pixels = np.empty((height, width, bands), np.uint8)
    if not child.fill(pixels.data.cast("B")):
        return child.bury()
    child.rest()
    return pixels, tuple(said["full"])


def _content(source: Any, name: str) -> memoryview:
    """Return the bytes of an open file or a bytes object, without a copy if possible."""
    try:
        content = source.read() if hasattr(source, "read") else source
        view = memoryview(content)
        return (view if view.c_contiguous else memoryview(view.tobytes())).cast("B")
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ImageError(
            f"{name} cannot be read: {reason}. Give a path, bytes, or a file that is open "
            "in binary mode."
        ) from error
