"""Fixtures that any test may ask for."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

# Collecting imports millions of objects that stay: garbage is searched for only after it.
gc.disable()

# Examples are counted, not timed: a busy machine must not fail a test.
# The same examples each time, so that a change is not refused for what it did not change;
# HYPOTHESIS_PROFILE=search draws new ones (make test-slow does).
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", BUSY, derandomize=True, max_examples=50)
settings.register_profile("search", BUSY, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# One test a core: threads that wait for each other by spinning take the cores from the
# tests beside them (a training of two epochs took 27 s so, and 3 s with one thread).
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Figures are drawn to files only; a display is never there on a server.
os.environ.setdefault("MPLBACKEND", "Agg")

# Where matplotlib keeps its list of fonts, which takes a second to make: found before the
# folder for all other memories is replaced.
_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("MPLCONFIGDIR", str(_HOME / "matplotlib"))

# What commands remember of earlier ones is not that of whoever runs the tests.
_CACHE = tempfile.TemporaryDirectory()
os.environ["XDG_CACHE_HOME"] = _CACHE.name

# What the processes of a session share: the first makes the folder, the others inherit its
# name.
_SHARED_TRACES = "LENTIGO_TEST_TRACES"
if _SHARED_TRACES not in os.environ:
    _TRACES = tempfile.TemporaryDirectory()
    os.environ[_SHARED_TRACES] = _TRACES.name

_ROOT = Path(__file__).parents[1]
_LEFT = (".csv", ".json", ".png", ".parquet", ".svg", ".html", ".xlsx")
_THERE = {path.name for path in _ROOT.iterdir()}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test has left a file in the repository: one of these was committed."""
    new = sorted({path.name for path in _ROOT.iterdir()} - _THERE)
    if left := [name for name in new if name.endswith(_LEFT)]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nTests left files in {_ROOT}: {', '.join(left)}")


_LONG = ("audit", "training", "service", "export", "imaging", "cli", "reports")
"""Rooms whose files of tests take longest, beside those of whole commands in no room."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first: at the end they would keep one core, and others none."""

    def place(item: pytest.Item) -> int:
        room, *others = item.path.relative_to(Path(__file__).parent).parts
        return _LONG.index(room) if room in _LONG else len(_LONG) + bool(others)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of all later searches for garbage.

    torch, pandas and SciPy are millions of objects that stay. Of 418 tests this spared 8 %
    of the processor time in one pair of runs, and nothing in another, on a busy machine.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    if "lentigo.models.onnx_export" in sys.modules:
        from tests.traces import trace_once  # imports torch, which few files of tests need

        trace_once(Path(os.environ[_SHARED_TRACES]))


_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals to stop are heard, also where the tests were started so that they are not.

    Around nohup, or behind an ampersand, all processes inherit that they are passed over.
    """
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real images and tables, kept out of the project."""
    if not (_SHARED / "data").is_dir():
        pytest.skip("no folder 'shared' with real images and tables beside the project")
    return _SHARED


@pytest.fixture(scope="session")
def siim(shared: Path) -> pd.DataFrame:
    """The 33,126 training images of SIIM-ISIC 2020, read once; change a copy only."""
    from lentigo.datasets import read_table

    return read_table("siim2020", shared / "data" / "siim2020")


@pytest.fixture
def no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as if no font had a letter beyond Arabic, whatever is installed."""
    from lentigo.figures import lettering

    monkeypatch.setattr(lettering, "_letters", lambda: frozenset(range(0x700)))
