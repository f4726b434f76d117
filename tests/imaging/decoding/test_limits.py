"""What a file may cost, and how a process holds itself to it."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import textwrap

import pytest

from lentigo.imaging.decoding import limits
from lentigo.imaging.decoding.limits import Leash, Limits


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Limits belong to whole processes, so each case has one of its own."""
    door = "from lentigo.imaging.decoding"
    start = f"{door} import limits\n{door}.limits import *\n"
    return subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_file_may_cost_a_floor_and_more_for_pixels_and_bytes() -> None:
    asked = Limits(
        seconds=2, seconds_per_megapixel=3, seconds_per_megabyte=5, megabytes=7,
        bytes_per_pixel=11, bytes_per_byte=13,
    )  # fmt: skip
    assert asked.work(1_000_000, 0) == 2
    assert asked.work(3_000_000, 4_000_000) == 2 + 2 * 3 + 4 * 5
    assert asked.memory(1_000_000, 0) == 7_000_000
    assert asked.memory(1_000_010, 100) == 7_000_000 + 10 * 11 + 100 * 13


def test_a_container_is_bounded_by_its_size_and_not_without_end() -> None:
    small, large, endless = (Limits().opening(size) for size in (0, 10**7, 10**15))
    assert small.seconds == 5
    assert large.seconds == 15
    assert large.memory == small.memory + 300_000_000
    assert endless.seconds == 600
    assert endless.memory == small.memory + 4 * 2**30


def test_only_large_files_are_announced() -> None:
    said: list[float] = []
    leash = Leash(Limits(seconds=1, seconds_per_megapixel=2), announce=said.append)
    with leash.tied(100):
        leash.allow(1_000_000)
        assert said == []
        leash.allow(4_000_000)
    assert said == [pytest.approx(1 + 3 * 2)]
    with leash.tied(0), leash.opening(10**6):
        assert said[1:] == [6.0]
    assert said[1:] == [6.0, 1.0]
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_too_much_work_ends_the_process_and_what_is_unmeasured_does_not() -> None:
    work = "import time\ndef work():\n    end = time.process_time() + 0.4\n"
    work += "    while time.process_time() < end: pass\n"
    leash = "leash = Leash(Limits(seconds=0.2)); put_on(leash)\n"
    ended = run(f"{work}{leash}with leash.tied(0): work()")
    assert ended.returncode == -signal.SIGPROF
    for door in ("unmeasured()", "opening(1000)"):
        ended = run(f"{work}{leash}with leash.tied(0), limits.{door}: work()\nprint('ok')")
        assert ended.stdout == "ok\n", ended.stderr
        again = f"{work}{leash}with leash.tied(0):\n  with limits.{door}: work()\n  work()"
        assert run(again).returncode == -signal.SIGPROF


def test_an_opening_that_does_not_end_is_ended() -> None:
    code = """
    limits._OPENING_SECONDS = 0.2
    leash = Leash(Limits()); put_on(leash)
    with limits.opening(1000):
        for _ in iter(int, 1): pass
    """
    assert run(code).returncode == -signal.SIGPROF


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone refuses memory")
def test_memory_is_refused_and_given_again() -> None:
    code = """
    import json
    leash = Leash(Limits(megabytes=50)); put_on(leash)
    def fits():
        try: return len(bytearray(200_000_000)) > 0
        except MemoryError: return False
    with leash.tied(0):
        said = [fits()]
        with limits.unmeasured(): said.append(fits())
        said.append(fits())
        with limits.opening(10_000_000): said.append(fits())
        said.append(fits())
    said.append(fits())
    print(json.dumps(said))
    """
    ended = run(code)
    assert json.loads(ended.stdout) == [False, True, False, True, False, True]


def test_what_is_unmeasured_may_fail_and_the_rest_is_measured_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leash = Leash(Limits())
    monkeypatch.setattr(limits, "_leash", leash)
    with leash.tied(0):
        with pytest.raises(ModuleNotFoundError), limits.unmeasured():
            importlib.import_module("a_decoder_that_is_not_there")
        assert signal.getitimer(signal.ITIMER_PROF)[0] > 0


def test_without_a_leash_nothing_is_bounded() -> None:
    with limits.unmeasured(), limits.opening(10):
        limits.claim(10**9)
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
