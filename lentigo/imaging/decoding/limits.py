"""Limits on the processor time and memory of decoding one file, and how they are enforced.

A decoder in an endless loop cannot report it. The operating system ends it: it measures the
processor time of the process and refuses memory. Where it cannot (Windows does not measure
time for us, macOS does not refuse memory), only the timeout of the waiting process remains.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


MOST_PIXELS = 250_000_000
"""The highest number of pixels that any setting or model folder can allow: at 40 bytes per
pixel they get 10 GB. The largest cameras have 150 million pixels."""

FREE_PIXELS = 1_000_000
"""Only the pixels beyond this number raise the limits of a file."""


# A member of a zip takes 47 bytes of its directory at least, and 7 µs and 700 bytes of
# memory to be listed: 0.15 µs and 15 bytes a byte (200,000 members on a 2-core server).
_OPENING_SECONDS, _OPENING_SECONDS_PER_BYTE, _LONGEST_OPENING = 5.0, 1e-6, 600.0
_OPENING_BYTES_PER_BYTE, _MOST_OPENING = 30, 4 * 2**30


@dataclass(frozen=True)
class Bounds:
    """Limits: seconds of processor time, and bytes of memory beyond those in use."""

    seconds: float
    memory: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for decoding one file: a minimum, and more for more pixels and more bytes.

    The minimum covers one megapixel. The pixels are those that the file claims, known
    before decoding; the bytes are the size of the file.
    """

    # Measured on one core of a 2-core server: the slowest whole files were JPEG 2000
    # inside DICOM (0.35 µs a pixel), WebP without loss (0.09), progressive JPEG (0.04);
    # the smallest took 0.02 s at most. Three times that leaves room for slow machines.
    seconds: float = 1.0
    """Seconds of processor time that the smallest file may take."""
    seconds_per_megapixel: float = 1.0
    """Further seconds for each megapixel; likewise for each megabyte of the file."""
    seconds_per_megabyte: float = 0.02

    # The most that whole files needed was 24 bytes a pixel (JPEG 2000).
    megabytes: float = 256
    """Memory that the smallest file may take, beyond what the process uses already."""
    bytes_per_pixel: float = 40
    """Further bytes of memory for each pixel; likewise for each byte of the file."""
    bytes_per_byte: float = 3

    # The clock runs on while the disk or other programs are at work.
    waiting: float = 15
    """Factor from the limit of processor time to the limit of elapsed time."""

    def opening(self, size: int) -> Bounds:
        """Return the limits for opening a container of `size` bytes, before any image."""
        return Bounds(
            min(_OPENING_SECONDS + size * _OPENING_SECONDS_PER_BYTE, _LONGEST_OPENING),
            int(self.megabytes * 1e6) + min(size * _OPENING_BYTES_PER_BYTE, _MOST_OPENING),
        )

    def bounds(self, pixels: int, size: int) -> Bounds:
        """Return the limits for a file of `size` bytes that claims `pixels` pixels."""
        return Bounds(self.work(pixels, size), self.memory(pixels, size))

    def work(self, pixels: int, size: int) -> float:
        """Return the seconds of processor time for a file of this size.

        `size` is its length in bytes, `pixels` the number of pixels that it claims.
        """
        more = max(0, pixels - FREE_PIXELS) * self.seconds_per_megapixel
        return self.seconds + (more + size * self.seconds_per_megabyte) / 1e6

    def memory(self, pixels: int, size: int) -> int:
        """Return the bytes of memory for a file; arguments as for `work`."""
        more = max(0, pixels - FREE_PIXELS) * self.bytes_per_pixel
        return int(self.megabytes * 1e6 + more + size * self.bytes_per_byte)


class Leash:
    """Enforces the limits in this process, for one file after another.

    A file that takes too long ends the process, by the signal `TOO_MUCH_WORK`; a file that
    needs too much memory causes a `MemoryError`. `announce` is called with the seconds of
    processor time that a large file may take, so that the waiting process extends its
    timeout.
    """

    def __init__(
        self, limits: Limits, *, announce: Callable[[float], None] = lambda _: None
    ) -> None:
        self._limits, self._announce = limits, announce
        self._pixels = self._size = 0
        self._tied = False
        self._memory = _open_memory()
        if TOO_MUCH_WORK is not None:
            signal.signal(TOO_MUCH_WORK, signal.SIG_DFL)
        if resource is not None:
            # The memory of a crashed decoder on the disk would help nobody.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    @contextmanager
    def tied(self, size: int) -> Iterator[None]:
        """Enforce the limits of a file of `size` bytes during a `with` block."""
        self._pixels, self._size = 0, size
        self._announce_if_large()
        self.tie()
        try:
            yield
        finally:
            self.untie()

    def allow(self, pixels: int) -> None:
        """Set the limits for a file that claims `pixels` pixels, before decoding them."""
        if pixels > FREE_PIXELS:
            self._pixels = pixels
            self._announce_if_large()
            self.tie()

    def tie(self) -> None:
        """Start, or restart, the measurement with the limits of the current file."""
        self._tied = True
        self._bind(self._limits.bounds(self._pixels, self._size))

    @contextmanager
    def opening(self, size: int) -> Iterator[None]:
        """Use the limits of a container of `size` bytes while a `with` block opens it.

        Afterwards the measurement for the current file starts again from zero.
        """
        bounds, tied = self._limits.opening(size), self._tied
        self._announce(bounds.seconds)
        self._bind(bounds)
        try:
            yield
        finally:
            self._announce(self._limits.work(self._pixels, self._size))
            if tied:
                self.tie()
            else:
                self.untie()

    def _bind(self, bounds: Bounds) -> None:
        if TOO_MUCH_WORK is not None:
            signal.setitimer(signal.ITIMER_PROF, bounds.seconds)
        if self._memory is not None:
            pages = int(os.pread(self._memory, 99, 0).split()[0])
            _set_memory(pages * resource.getpagesize() + bounds.memory)

    def untie(self) -> None:
        """Stop the measurement and lift the limits."""
        self._tied = False
        if TOO_MUCH_WORK is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if self._memory is not None:
            _set_memory(None)

    def _announce_if_large(self) -> None:
        work = self._limits.work(self._pixels, self._size)
        if work > 1.1 * self._limits.seconds:
            self._announce(work)


_leash: Leash | None = None
"""The leash of this process; limits apply to whole processes."""


def put_on(leash: Leash) -> None:
    """Let `leash` enforce the limits of this process from now on."""
    global _leash
    _leash = leash


def claim(pixels: int) -> None:
    """Report that the current file claims `pixels` pixels; does nothing without a leash."""
    if _leash is not None:
        _leash.allow(pixels)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Suspend the limits for work that is not the file's, such as importing a decoder."""
    if _leash is None:
        yield
        return
    _leash.untie()
    try:
        yield
    finally:
        _leash.tie()


@contextmanager
def opening(size: int) -> Iterator[None]:
    """Use the limits of a container of `size` bytes during a `with` block that opens it."""
    if _leash is None:
        yield
        return
    with _leash.opening(size):
        yield


TOO_MUCH_WORK: int | None = getattr(signal, "SIGPROF", None)
"""The signal that ends a process whose file took too long; None on systems without it."""


def _open_memory() -> int | None:
    """Open the file in which Linux gives this process's memory; None on other systems."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return None


def _set_memory(most: int | None) -> None:
    """Let this process map at most `most` bytes; None means its hard limit."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if most is None or (hard != resource.RLIM_INFINITY and most > hard):
        most = hard
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
