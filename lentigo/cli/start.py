"""Start of the command line; a signal to stop while it loads prints one line and ends it.

Loading takes a moment, in which Python would answer a stop with a traceback. Nothing has
been written by then, so the process may end at once.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from lentigo.isolated import keep_out_the_surroundings


def main() -> object:
    """Run the command line with the arguments of this process."""
    for each in _STOPS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _end)
    # Before anything heavy is imported: an empty place in PYTHONPATH is the working folder.
    keep_out_the_surroundings()
    from lentigo.cli.app import app

    # A command sets its own handlers; these are active before and after it.
    try:
        return app()
    except SystemExit as end:
        if isinstance(end.code, int) and (end.code in _STOPPED or _computes_on()):
            _leave(end.code)
        raise
    finally:
        # Python gives its handlers up while it takes itself down, which takes a moment
        # with torch. The work is done by then, and its exit code is what counts.
        for each in _STOPS - {signal.SIGINT}:
            signal.signal(each, signal.SIG_IGN)


_STOPS = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
_STOPPED = {128 + each for each in _STOPS}


def _computes_on() -> bool:
    """Tell whether a network still computes that took too long (`models.patience`)."""
    import sys
    import threading

    patience = sys.modules.get("lentigo.models.patience")
    return patience is not None and any(
        each.name == patience.UNFINISHED for each in threading.enumerate()
    )


def _leave(code: int) -> None:
    """End the process after a stop, as soon as Python's own files are closed.

    Threads of libraries may still compute; taken down beside them, C++ aborts (code 134).
    """
    import atexit
    import sys

    atexit._run_exitfuncs()  # temporary folders, and processes of ours
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _end(number: int, _frame: object) -> None:
    try:
        os.write(2, b"Stopped. Nothing is half written.\n")
    finally:
        os._exit(128 + number)
