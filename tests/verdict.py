"""Run tests against a changed file, each time in a fork of one warm process.

The libraries take seconds to import; the fork has them already, and imports the package
and its tests anew.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import psutil
import pytest

WORK, CLOCK = 600, 1800
"""Seconds that one run of tests may take, of a core and by the clock. What takes longer is
told as such: a loop that never ends, or a machine that is very busy."""

NO_END = "no end"
TIME_UP = "the time was up"
"""Answer where no test failed, and not all that are near were run."""

_HUNG, _IDLE = "hung", 60
"""Answer for tests that wait for something that never comes, and the seconds by the clock
without any work after which that is so. Some libraries do not survive a fork of a fork;
such tests judge nothing, and the change counts as survived unless others fail."""

_NOT_FOUND = pytest.ExitCode.USAGE_ERROR

_LIBRARIES = (
    "hypothesis", "pandas", "pandera", "scipy.stats", "scipy.ndimage", "cv2", "numba",
    "sklearn.linear_model", "matplotlib.pyplot", "pyarrow.parquet", "torch", "torchvision",
    "timm", "lightning_fabric", "onnx", "onnxruntime", "typer", "fastapi", "httpx",
    "pydicom", "h5py",
)  # fmt: skip
"""Those that start no thread when they are imported: a fork would lose it."""


def warm_up() -> None:
    """Import what most tests need, as they would have it, so that forks have it."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["MPLBACKEND"] = "Agg"
    # Otherwise each fork would compile the package anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for name in _LIBRARIES:
        with suppress(ImportError):
            import_module(name)
    gc.disable()
    gc.freeze()  # a search for garbage in the fork would copy all pages


def cool_down() -> None:
    """Let libraries be taken down as usual, which otherwise tell of what is left."""
    gc.unfreeze()
    gc.enable()


class _Watched:
    """A plugin that notes the first failure, and ends when the time is up."""

    def __init__(self, seconds: float, failed: Path, names: list[str]) -> None:
        self._seconds, self._failed = seconds, failed
        self._place = {name: place for place, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run the files in the order given: the tests of a project may sort theirs."""
        items.sort(key=self._order)

    def _order(self, item: pytest.Item) -> int:
        test = item.nodeid.partition("[")[0]
        return self._place.get(test, self._place.get(test.partition("::")[0], 0))

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report.nodeid, report.failed)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report.nodeid, report.failed)
        if sum(os.times()[:4]) > self._seconds:
            self._session.shouldstop = "the time is up"

    def _note(self, nodeid: str, failed: bool) -> None:
        if failed and not self._failed.exists():
            self._failed.write_text(nodeid, "utf-8")


class Verdicts:
    """Judge changes in a copy of the project, with at most `seconds` of a core for each."""

    def __init__(self, copy: Path, *, seconds: float) -> None:
        self._copy, self._seconds = copy, seconds
        self._sound: dict[str, bool] = {}
        self._written = int(time.time())

    def of(self, file: Path, source: str, rings: list[list[Path]]) -> str:
        """Return the first test that fails with `source` in `file` and passes without.

        The rings of tests are run in turn. The answer is empty where none fails, and
        `TIME_UP` where none fails within the time.
        """
        place = self._copy / file
        before = place.read_text("utf-8")
        left = self._seconds
        for ring in rings:
            names = [str(path.relative_to(self._copy)) for path in ring]
            unfit: list[str] = []
            while left > 0:
                self._write(place, source)
                try:
                    failed, spent = self._run(names, left, unfit)
                finally:
                    self._write(place, before)
                left -= spent
                if not failed or failed == _HUNG:
                    break
                if failed == NO_END or self._is_sound(failed, names):
                    return failed
                if failed in unfit:
                    raise RuntimeError(f"{failed} cannot be left out.")
                unfit.append(failed)
        return "" if left > 0 else TIME_UP

    def _write(self, place: Path, text: str) -> None:
        """Write a module with a time of its own, so that its old bytecode is not taken.

        Python compares whole seconds and the size.
        """
        place.write_text(text, "utf-8")
        self._written += 1
        os.utime(place, (self._written, self._written))

    def _is_sound(self, failed: str, names: list[str]) -> bool:
        """Whether what failed passes in the project as it is."""
        crashed = failed.startswith("pytest ended")
        if crashed or failed not in self._sound:
            again = self._run(names if crashed else [failed], WORK, [])[0]
            if crashed and again == failed:
                raise RuntimeError(f"{failed} also without a change: {', '.join(names)}")
            self._sound[failed] = not again  # also not where it hangs
        return self._sound[failed]

    def _run(self, names: list[str], seconds: float, unfit: list[str]) -> tuple[str, float]:
        """Return what failed first, if anything, and the seconds of a core spent on it."""
        room = Path(tempfile.mkdtemp(prefix="m-"))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            _run_tests(names, self._copy, room, seconds, unfit)
        status = _ended(child)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the tests left running
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        noted = room / "failed"
        failed = noted.read_text("utf-8") if noted.exists() else ""
        shutil.rmtree(room, ignore_errors=True)
        if status == _HUNG:
            return _HUNG, spent
        if status is None or status == -signal.SIGXCPU:
            return NO_END, spent
        if status == _NOT_FOUND:
            raise RuntimeError(f"pytest finds no {' '.join(names)}")
        if not failed and status not in {0, 2, 5}:  # passed, time is up, no tests
            failed = f"pytest ended with {status}"
        return failed, spent


def _ended(child: int) -> int | str | None:
    """Wait for a process and return its exit status.

    It is killed where it does not end (None) or no longer works (`_HUNG`).
    """
    end, worked, since = time.monotonic() + CLOCK, 0.0, time.monotonic()
    looked = since
    while (now := time.monotonic()) < end and now - since < _IDLE:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if now - looked > _IDLE / 10:
            looked, so_far = now, _work_of(child)
            if so_far > worked + 0.1:
                worked, since = so_far, now
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None if now >= end else _HUNG


def _work_of(child: int) -> float:
    """Return the seconds of a core that a process and those that it started have taken."""
    seconds = 0.0
    with suppress(psutil.Error):
        whole = psutil.Process(child)
        for each in (whole, *whole.children(recursive=True)):
            with suppress(psutil.Error):
                seconds += sum(each.cpu_times()[:4])
    return seconds


def _run_tests(
    names: list[str], copy: Path, room: Path, seconds: float, unfit: list[str]
) -> None:
    """Run tests in this fork, in a room of its own, and end the process."""
    status = 3
    try:
        os.setsid()
        told = os.open(room / "told", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(told, stream)
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - as long as the process
        sys.stdout, sys.stderr = (os.fdopen(os.dup(told), "w") for _ in range(2))
        resource.setrlimit(resource.RLIMIT_CPU, (WORK, WORK))
        os.chdir(copy)
        os.environ.update(PYTHONPATH=str(copy), TMPDIR=str(room))
        tempfile.tempdir = None
        for name in list(sys.modules):
            if name.partition(".")[0] in {"lentigo", "tests"}:
                del sys.modules[name]
        sys.path[:0] = [str(copy)]
        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-m", "not slow",
                   f"--rootdir={copy}"]  # fmt: skip
        # Plugins that the warm process has already would each be told.
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        skipped = [word for name in unfit for word in ("--deselect", name)]
        plugin = _Watched(seconds, room / "failed", names)
        status = int(pytest.main([*options, *skipped, *names], plugins=[plugin]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
