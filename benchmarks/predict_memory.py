"""Peak memory of `lentigo predict` over few and many images.

    python benchmarks/predict_memory.py [--counts 1000,50000] [--model FOLDER]

A table lists the same 40 JPEG files of 200 × 150 under as many ids as are asked for. The
network is a small one with random weights, computed by ONNX Runtime; the peak is that of
the process that predicts, the largest one. Promised: the same within 10 %.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
from engines import made
from predict import draw

_LENTIGO = str(Path(sys.executable).parent / "lentigo")


def peak(arguments: list[str]) -> tuple[float, float]:
    """Run `lentigo`; return the largest memory that it had, in MB, and seconds."""
    began, most = time.perf_counter(), 0.0
    process = subprocess.Popen([_LENTIGO, *arguments], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        # What the system says at the end counts the process that started it, too.
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            most = int(found[1]) / 1024 if found else most
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"lentigo ended with {process.returncode}.")
    return most, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,50000")
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = given.model or folder / "model"
        if given.model is None:
            model.mkdir()
            made(model, "test_resnet", 64)
        paths = [str(source.path) for source in draw(folder, count=40, size=(200, 150))]
        first = None
        for count in map(int, given.counts.split(",")):
            names = [f"image-{number}" for number in range(count)]
            files = [paths[number % len(paths)] for number in range(count)]
            table = folder / f"{count}.csv"
            pd.DataFrame({"image_id": names, "path": files}).to_csv(table, index=False)
            out = folder / f"{count}-predictions.csv"
            used, seconds = peak(
                ["predict", str(model), str(table), "--engine", "onnx", "--out", str(out)]
            )
            first = first or used
            print(
                f"{count:7,} images: {used:6.0f} MB ({used / first:.3f} ×), "
                f"{seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
