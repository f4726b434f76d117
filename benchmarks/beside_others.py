"""Training steps alone and beside busy programs: `python benchmarks/beside_others.py`.

The threads of torch wait for each other by computing, which takes the cores from the thread
that is waited for where other programs want them, too. The peer is the same step with the
waiting as the OpenMP library has it; lentigo sets it shorter (`lentigo.machine`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lentigo.machine import cores

ROUNDS, STEPS, SIZE, BATCH = 3, 6, 160, 32
ASKED = "--step"


def main() -> None:
    if ASKED in sys.argv:
        print(*step_seconds())
        return
    print(f"tf_efficientnet_lite0, {SIZE} px, batches of {BATCH}, {cores()} threads; "
          "seconds a step by the clock, and of processor")  # fmt: skip
    for busy in (0, cores()):
        with busy_programs(busy):
            compare(f"beside {busy} busy programs" if busy else "alone")


def compare(situation: str) -> None:
    """Time both in turns, and print the fastest of each."""
    laps: dict[str, list[tuple[float, float]]] = {"lentigo": [], "the library": []}
    for _ in range(ROUNDS):
        for who, given in (("lentigo", {}), ("the library", {"GOMP_SPINCOUNT": "300000"})):
            laps[who].append(timed(given))
    for who, each in laps.items():
        clock, processor = min(each)
        print(f"{situation:24} {who:12} {clock:6.3f} s {processor:6.3f} s")
    ratio = min(laps["the library"])[0] / min(laps["lentigo"])[0]
    print(f"{situation:24} ratio        {ratio:6.2f}")


def timed(given: dict[str, str]) -> tuple[float, float]:
    """Return what `step_seconds` does in a process of its own."""
    waits = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    kept = {name: value for name, value in os.environ.items() if name not in waits}
    said = subprocess.run(
        [sys.executable, __file__, ASKED], check=True, capture_output=True, text=True,
        env={**kept, **given},
    )  # fmt: skip
    clock, processor = said.stdout.split()
    return float(clock), float(processor)


def step_seconds() -> tuple[float, float]:
    """Return the seconds of a training step by the clock and of processor time."""
    import torch

    from lentigo.config import ModelConfig
    from lentigo.models.network import build_model

    torch.set_num_threads(cores())
    model = build_model(ModelConfig(backbone="tf_efficientnet_lite0", pretrained=False))
    images = torch.randint(0, 256, (BATCH, SIZE, SIZE, 3), dtype=torch.uint8)

    def step() -> None:
        torch.autograd.backward(model(images.permute(0, 3, 1, 2)).square().mean())

    step()
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        step()
    return (
        (time.perf_counter() - clock) / STEPS,
        (time.process_time() - processor) / STEPS,
    )


@contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Let `count` programs compute during the `with` block."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)
    ]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


if __name__ == "__main__":
    main()
