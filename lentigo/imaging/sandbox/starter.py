"""Start decoding processes, in milliseconds after the first.

To import what decoding needs takes a process 0.2 seconds of a core. So one process imports
it, and each decoding process is a fork of that one (`starter_process`), where the system
can tell one process from another that later gets its number (Linux). Elsewhere each is
started by itself. A fork has the rights, priority and processors that this process had when
it first started one.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import IO, Protocol

from lentigo.imaging.sandbox.starter_process import HEAD
from lentigo.isolated import command, environment

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

_SECONDS = 20.0
"""Seconds to wait for a process to be there before it is killed or waited for."""


class Process(Protocol):
    """The part of `subprocess.Popen` that a decoding process needs."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    @property
    def pid(self) -> int:
        """Its number."""

    def kill(self) -> None:
        """End the process now, if it still runs."""

    def wait(self) -> int:
        """Wait for the end; return the exit code, or minus the signal that ended it."""


def start(code: str, *arguments: str, errors: IO[bytes]) -> Process:
    """Run Python code in a process of its own and do not wait for it.

    It imports only this package and the libraries installed with it (`lentigo.isolated`).
    Its standard error goes to the file `errors`. Raises `OSError` if it cannot be started.
    """
    if starter := _starter():
        with suppress(OSError):
            return starter.fork(code, arguments, errors)
    return subprocess.Popen(
        command(code, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(**_ONE_THREAD),
        start_new_session=True,
    )


class Forked:
    """A process that a `Starter` forked."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], status: socket.socket) -> None:
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._status = status
        self._pid = 0
        """Its number; 0 as long as it is unknown, and if the process never was."""
        self._handle = -1
        """What stands for this process, and for no later one with the same number."""
        self._code: int | None = None
        self._met = False
        self._asking, self._handling = threading.Lock(), threading.Lock()

    @property
    def pid(self) -> int:
        """Its number; 0 if it could not be started."""
        self._meet()
        return self._pid

    def kill(self) -> None:
        """End the process now, if it still runs."""
        self._meet()
        with self._handling:
            if self._handle >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end; return the exit code, or minus the signal that ended it."""
        self._meet()
        with self._asking:
            if self._code is None:
                self._code = self._end()
        return self._code

    def _meet(self) -> None:
        """Learn which process it is, as soon as there is one."""
        if self._met:  # another thread may be waiting for the end
            return
        with self._asking:
            if self._met:
                return
            self._status.settimeout(_SECONDS)
            with suppress(OSError):
                number, handles, _, _ = socket.recv_fds(self._status, 4, 1)
                if handles:
                    os.set_inheritable(handles[0], False)
                    self._handle = handles[0]
                    self._pid = int.from_bytes(number, "little")
            self._met = True

    def _end(self) -> int:
        told = b""
        with self._status, suppress(OSError):
            if self._pid:
                self._status.settimeout(None)
                told = self._status.recv(4)
        with self._handling:
            if self._handle >= 0:
                if not told:  # whoever would tell is gone
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                os.close(self._handle)
            self._handle = -1
        return int.from_bytes(told, "little", signed=True) if told else -signal.SIGKILL


class Starter:
    """A process that has imported what decoding needs, and forks itself on request."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._asked, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command(_PROGRAM, str(theirs.fileno())),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment(**_ONE_THREAD),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except BaseException:
            self._asked.close()
            raise

    @property
    def lives(self) -> bool:
        """Whether it was not killed, and could import what it needs."""
        return self._process.poll() is None

    def fork(self, code: str, arguments: Sequence[str], errors: IO[bytes]) -> Forked:
        """Ask for a process that runs `code`; it is not waited for.

        Raises `OSError` if it cannot be asked for.
        """
        request = json.dumps({
            "code": code, "arguments": arguments, "folder": os.getcwd(),  # noqa: PTH109
            "environment": environment(**_ONE_THREAD),
        }).encode()  # fmt: skip
        with ExitStack() as given, ExitStack() as kept:
            stdin, write = os.pipe()
            given.callback(os.close, stdin)
            kept.callback(os.close, write)
            read, stdout = os.pipe()
            given.callback(os.close, stdout)
            kept.callback(os.close, read)
            status, theirs = socket.socketpair()
            given.enter_context(theirs)
            kept.enter_context(status)
            self._ask(request, [stdin, stdout, errors.fileno(), theirs.fileno()])
            kept.pop_all()
        return Forked(open(write, "wb"), open(read, "rb"), status)  # noqa: PTH123

    def _ask(self, request: bytes, files: Sequence[int]) -> None:
        whole = len(request).to_bytes(HEAD, "little") + request
        with self._asking:
            try:
                sent = socket.send_fds(self._asked, [whole], files)
                self._asked.sendall(whole[sent:])
            except OSError:
                raise
            except BaseException:  # Ctrl-C: it may have half a request
                self._process.kill()
                self._process.wait()
                raise

    def end(self) -> None:
        """End it; the processes that it forked go on, and nobody is told of their end."""
        self._asked.close()
        self._process.kill()
        self._process.wait()

    def leave(self) -> None:
        """Leave it to the process that started it, in a fork of that process."""
        self._asked.close()
        self._process.returncode = 0  # this process has no child of which to warn


_PROGRAM = "from lentigo.imaging.sandbox.starter_process import main\nmain()"


def _can() -> bool:
    """Tell whether the system can fork, and send signals to one process for certain.

    Linux can since version 5.3, unless a sandbox around this process forbids it.
    """
    try:
        handle = os.pidfd_open(os.getpid())
        signal.pidfd_send_signal(handle, 0)
        os.close(handle)
    except (AttributeError, OSError):
        return False
    return hasattr(socket, "recv_fds") and hasattr(os, "fork")


_CAN = _can()
_lock = threading.Lock()
_kept: Starter | None = None


def _starter() -> Starter | None:
    """Return the one starter of this process, running; None if there can be none."""
    global _kept
    if not _CAN:
        return None
    with _lock:
        if _kept is None:
            with suppress(OSError):
                _kept = Starter()
        return _kept if _kept is not None and _kept.lives else None


def forget() -> None:
    """End the starter of this process, if there is one; the next start makes another."""
    global _kept
    with _lock:
        if _kept is not None:
            _kept.end()
        _kept = None


def _begin_anew() -> None:
    """After a fork, leave the starter to the process that made it."""
    global _kept, _lock
    if _kept is not None:
        _kept.leave()
    _kept, _lock = None, threading.Lock()


atexit.register(forget)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
