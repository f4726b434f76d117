"""`lentigo --help` beside an empty typer program: `python benchmarks/start_up.py`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

REPEATS = 7
EMPTY = """
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False)
@app.command()
def nothing(name: str) -> None: ...
app(["--help"])
"""


def main() -> None:
    lentigo = [str(Path(sys.executable).parent / "lentigo"), "--help"]
    ours, empty = fastest(lentigo), fastest([sys.executable, "-c", EMPTY])
    print(f"lentigo --help            {ours:6.3f} s (promised: below 0.5 s)")
    print(f"an empty typer program    {empty:6.3f} s")
    print(f"ratio                     {ours / empty:6.2f}")


def fastest(command: list[str]) -> float:
    """The shortest of several runs, since other programs can only lengthen one."""
    laps = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        laps.append(time.perf_counter() - start)
    return min(laps)


if __name__ == "__main__":
    main()
