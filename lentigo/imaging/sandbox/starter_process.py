"""Fork decoding processes from a process that has imported what they need.

It runs for `lentigo.imaging.sandbox.starter`, whose requests come through a socket: a line
of JSON each, with the files of the new process. It holds one thread and no image, so its
forks begin like a new Python that has done its imports, in 10 instead of 200 milliseconds.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

FILES = 4
"""Files of a request: standard input, output and error, and where its end is told."""

HEAD = 8
"""Bytes in which the length of a request stands."""


def main() -> None:
    """Answer requests until the process that asks is gone."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    with suppress(ImportError):  # a process that lacks a library says so itself
        import lentigo.imaging.decoding.square  # noqa: F401
    woken, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    told: dict[int, socket.socket] = {}
    waiting = select.poll()  # select refuses a file with a number above 1,023
    waiting.register(asked, select.POLLIN)
    waiting.register(woken, select.POLLIN)
    while True:
        ready = dict(waiting.poll())
        if woken in ready:
            os.read(woken, 1024)
            _tell_ends(told)
        if asked.fileno() in ready:
            found = _request(asked)
            if found is None:
                return
            _fork(*found, told)


def _request(asked: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next request and its files; None if there is no more."""
    head, files, _, _ = socket.recv_fds(asked, HEAD, FILES)
    left, text = int.from_bytes(head, "little"), bytearray()
    while len(text) < left:
        part = asked.recv(left - len(text))
        if not part:
            return None
        text += part
    return (json.loads(text), files) if len(files) == FILES else None


def _fork(
    request: dict[str, Any], files: list[int], told: dict[int, socket.socket]
) -> None:
    status, number = socket.socket(fileno=files[3]), 0
    try:
        number = os.fork()
        if number == 0:
            _become(request, files)
        # Nobody but this process ends the wait for it, so the number is still its own.
        handle = os.pidfd_open(number)
        told[number] = status
        with suppress(OSError):
            socket.send_fds(status, [number.to_bytes(4, "little")], [handle])
        os.close(handle)
    except OSError:
        if number:  # nobody else could end it
            os.kill(number, signal.SIGKILL)
        status.close()  # it is told as a process that died at once
    for file in files[:3]:
        os.close(file)


def _tell_ends(told: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(ended[1])
            if status := told.pop(ended[0], None):
                with status, suppress(OSError):
                    status.send(code.to_bytes(4, "little", signed=True))


def _become(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the process that was asked for, from its first line to its end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # Ctrl-C reaches only the process that asked, which ends it
        for place, file in enumerate(files[:3]):
            os.dup2(file, place)
        _close_the_rest()
        os.environ.clear()
        os.environ.update(request["environment"])
        with suppress(OSError):
            os.chdir(request["folder"])
        sys.argv = ["-c", *request["arguments"]]
        exec(request["code"], {"__name__": "__main__"})  # as python -c does
        code = 0
    except SystemExit as ended:
        code = _exit_code(ended)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _close_the_rest() -> None:
    """Close all files but standard input, output and error.

    Some builds of Python close each possible number in turn, a thousand million of them
    where a container sets no limit.
    """
    try:
        there: Iterable[int] = map(int, os.listdir("/proc/self/fd"))  # noqa: PTH208
    except OSError:
        there = range(3, os.sysconf("SC_OPEN_MAX"))
    for file in there:
        if file > 2:
            with suppress(OSError):
                os.close(file)


def _exit_code(ended: SystemExit) -> int:
    """Return the exit code that Python gives it, after saying what it says."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    sys.stderr.write(f"{ended.code}\n")
    return 1
