"""Compare what a part of the package draws or says with what it drew or said before.

    LENTIGO_RECORD=1 python -m pytest tests/figures/test_recorded.py

writes the texts anew, after a change that was meant. Look at them before you commit them:
what was recorded is right only because somebody read it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "recorded"
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")

_MOST = 24
"""Of more values in a row than this, some are told, and how many there are."""

NEAR = 2e-4
"""Largest relative difference of two numbers that count as the same: another machine adds
in another order. Of rounded numbers the last digit may be another by one."""


OF_PIXELS = 1e-2
"""The same for numbers of a picture: processors round single pixels to either side."""


def check_recorded(name: str, said: str, *, near: float = NEAR) -> None:
    """Fail unless `said` is the text that was recorded under `name`.

    Numbers may differ by a share of `near`; all else is the same to the letter.
    """
    file = _FOLDER / f"{name}.txt"
    if os.environ.get("LENTIGO_RECORD"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said, "utf-8", newline="\n")
    before = file.read_text("utf-8")
    if _alike(before, said, near):
        return
    lines = difflib.unified_diff(
        before.splitlines(), said.splitlines(), "recorded", "now", n=1, lineterm=""
    )
    raise AssertionError(f"{name} is no longer what it was:\n" + "\n".join(lines))


def _alike(before: str, now: str, near: float) -> bool:
    if before == now:
        return True
    if _NUMBER.sub("#", before) != _NUMBER.sub("#", now):
        return False
    pairs = zip(_NUMBER.findall(before), _NUMBER.findall(now), strict=True)
    return all(_near(one, two, near) for one, two in pairs)


def _near(one: str, two: str, near: float) -> bool:
    apart = abs(float(one) - float(two))
    # What lies between two roundings may be rounded to either side.
    decimals = min(len(each.partition(".")[2]) for each in (one, two))
    step = 1.01 * 10.0**-decimals if decimals > 1 and "e" not in one + two else 1e-9
    return apart <= max(near * max(abs(float(one)), abs(float(two))), step)


def as_lines(value: Any, name: str = "") -> Iterator[str]:
    """Yield a line for each group of plain values in nested results, as JSON has them."""
    if isinstance(value, dict) and not all(_is_plain(each) for each in value.values()):
        for key, each in value.items():
            yield from as_lines(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and not all(_is_plain(each) for each in value):
        for place, each in enumerate(value):
            yield from as_lines(each, f"{name}[{place}]")
    else:
        yield f"{name}: {_in_short(value)}"


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list | tuple)


def _in_short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_short(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        numbers = [f"{len(value)} values"] if len(value) > _MOST else []
        step = -(-len(value) // _MOST) or 1
        return " ".join([*numbers, *(_in_short(each) for each in value[::step])])
    if isinstance(value, float):
        return f"{0.0 if abs(value) < 1e-9 else value:.6g}"
    return repr(value) if isinstance(value, str) else str(value)
