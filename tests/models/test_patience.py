"""A network that computes without end is not waited for; a busy machine is."""

from __future__ import annotations

import time

import pytest

from lentigo.models.patience import within


def test_work_that_waits_for_the_cores_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Threads that other tests have left behind may be at work in this process.
    monkeypatch.setattr(time, "process_time", lambda: 0.0)

    def starved() -> str:
        time.sleep(0.2)  # takes no processor time, as on a machine that is busy otherwise
        return "done"

    assert within(0.05, starved) == "done"


def test_work_that_computes_too_long_is_not() -> None:
    ends = time.monotonic() + 2

    def endless() -> None:
        while time.monotonic() < ends:
            pass

    with pytest.raises(TimeoutError, match="took more than"):
        within(0.05, endless)
    assert time.monotonic() < ends


def test_the_clock_counts_in_the_end() -> None:
    with pytest.raises(TimeoutError):
        within(0.01, lambda: time.sleep(2))
