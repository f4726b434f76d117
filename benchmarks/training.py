"""Whole trainings beside those of others, in one run: `python benchmarks/training.py`.

    python benchmarks/training.py [--images N] [--size PX] [--epochs N]
        [--tensorflow PYTHON] [--fastai PYTHON] [--only NAME]

Each trains Xception from random weights on the same drawn lesions (JPEG files), with the
same batches, mirrored at random, for as many epochs, and judges the same validation images
after each: `lentigo train` as it chooses by itself and in 32 bits, the loop that everybody
writes (timm, torchvision), tf.keras with tf.data (the pipeline of the system before
lentigo), and fastai. The last two need a Python in which they are installed (TensorFlow;
fastai and timm); lentigo needs neither, and without one it is left out and named.

For each it prints the images learnt from in a second of the epochs, validation included;
the seconds from the start of the program until a validation AUC of 0.75, 0.8 and 0.85; the
processor time; and the peak memory of all its processes, shared pages counted once.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from lentigo.curation import read_split
from lentigo.datasets.synthetic import draw_dataset
from lentigo.tables import write_table

PEERS = Path(__file__).parent / "peers"
LENTIGO = str(Path(sys.executable).parent / "lentigo")
AUCS = (0.75, 0.8, 0.85)
BATCH = 32
_JUDGED = re.compile(r"validation.* AUC (\d\.\d+)")


@dataclass
class Told:
    """What one training showed from outside."""

    begins: float = 0.0
    """Seconds from the start of the program to the first step."""
    epochs: list[tuple[float, float]] = field(default_factory=list)
    """Seconds from the start to the end of each epoch, and its validation AUC."""
    work: float = 0.0
    """Seconds of processor time of all processes, imports included."""
    peak: float = 0.0
    """MB."""


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--images", type=int, default=1200)
    asked.add_argument("--size", type=int, default=72)
    asked.add_argument("--epochs", type=int, default=3)
    asked.add_argument("--tensorflow", help="a Python with TensorFlow")
    asked.add_argument("--fastai", help="a Python with fastai and timm")
    asked.add_argument("--only", action="append", help="name of a training; repeatable")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="lentigo-training-") as place:
        learnt = _parts(Path(place), given.images)
        cores = len(os.sched_getaffinity(0))
        print(f"legacy_xception, {given.size} px, {learnt} drawn images, {given.epochs} "
              f"epochs, batches of {BATCH}, {cores} cores")  # fmt: skip
        contestants = _contestants(Path(place), given)
        for name, line in contestants.items():
            if given.only and name not in given.only:
                continue
            if not line:
                print(f"{name:22} left out: no Python with it was given", flush=True)
                continue
            print(f"{name:22} {_said(watch(line), learnt)}", flush=True)


def _parts(place: Path, images: int) -> int:
    """Draw lesions and divide them; return how many are learnt from."""
    table = draw_dataset(place / "drawn", images=images, size=96)
    write_table(table, place / "table.parquet")
    split = [LENTIGO, "split", "table.parquet", "--out", "split.csv", "--scheme", "holdout",
             "--folds", "0.75,0.15,0.1"]  # fmt: skip
    subprocess.run(split, cwd=place, check=True, capture_output=True)
    role = read_split(place / "split.csv").set_index("image_id")["role"]
    table = table.assign(role=table["image_id"].map(role))
    for part in ("train", "validation"):
        own = table[table["role"] == part]
        listed = own[["path", "melanoma"]].astype({"melanoma": int})
        listed.to_csv(place / f"{part}.csv", index=False)
    return int((table["role"] == "train").sum())


def _contestants(place: Path, given: argparse.Namespace) -> dict[str, list[str]]:
    told = [str(place), str(given.size), str(given.epochs), str(BATCH)]
    settings = {
        "model.backbone": "legacy_xception", "model.pretrained": "false",
        "model.metadata": "none", "model.hidden": 0, "training.image_size": given.size,
        "imaging.size": given.size, "training.epochs": given.epochs,
        "training.frozen_epochs": 0, "training.patience": 0, "training.optimizer": "adam",
        "training.learning_rate": 1e-3, "training.backbone_rate": 1,
        "training.schedule": "constant", "training.batch_size": BATCH, "training.views": 1,
    }  # fmt: skip
    ours = [LENTIGO, "train", str(place / "table.parquet"), "--recipe", "seed",
            "--split", str(place / "split.csv")]  # fmt: skip
    for name, value in settings.items():
        ours += ["--set", f"{name}={value}"]
    exact = ["--set", "training.precision=32-true"]
    return {
        "lentigo": [*ours, "--out", str(place / "run")],
        "lentigo, 32 bits": [*ours, *exact, "--out", str(place / "run-32")],
        "timm and torchvision": [sys.executable, str(PEERS / "torch_peer.py"), *told],
        "tf.keras and tf.data": given.tensorflow
        and [given.tensorflow, str(PEERS / "keras_peer.py"), *told],
        "fastai and timm": given.fastai
        and [given.fastai, str(PEERS / "fastai_peer.py"), *told],
    }


def watch(line: list[str]) -> Told:
    """Run a training to the end of its last epoch and beyond; return what it showed."""
    told, began = Told(), time.perf_counter()
    before = os.times()
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        done = threading.Event()
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, told, done))
        watcher.start()
        assert process.stdout is not None
        last: list[str] = []
        for said in process.stdout:
            now = time.perf_counter() - began
            last = [*last, said][-15:]
            if said.startswith("begins") or re.match(r"fold-0: train", said):
                told.begins = now
            elif found := _JUDGED.search(said):
                told.epochs.append((now, float(found[1])))
        code = process.wait()
        done.set()
        watcher.join()
    if code or not told.epochs:
        raise SystemExit(f"{line} ended with {code}:\n{''.join(last)}")
    after = os.times()
    told.work = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return told


def _watch_memory(process: int, told: Told, done: threading.Event) -> None:
    while not done.wait(2.0):  # the kernel counts for half a second
        told.peak = max(told.peak, sum(map(_share, _family(process))) / 1e3)


def _family(process: int) -> list[int]:
    """Return the numbers of a process and of all that it has started."""
    found = [process]
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, thread.read_text().split())
            except OSError:
                continue
    return found


def _share(process: int) -> float:
    """Return the memory of a process in kB; what n share counts as an nth for each."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _said(told: Told, learnt: int) -> str:
    ends = [end for end, _ in told.epochs]
    rate = learnt * len(ends) / (ends[-1] - told.begins)
    reached = [
        f"{aim}: "
        + next((f"{end:.0f} s" for end, auc in told.epochs if auc >= aim), "never")
        for aim in AUCS
    ]
    aucs = " ".join(f"{auc:.3f}" for _, auc in told.epochs)
    return (f"{rate:5.1f} images/s, first step after {told.begins:.0f} s; AUC "
            f"{', '.join(reached)} ({aucs}); {told.work:.0f} s of processor time, "
            f"{told.peak:,.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
