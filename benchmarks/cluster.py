"""How work on a Ray cluster grows: `python benchmarks/cluster.py [IMAGES ...]`.

JPEGs of 600 × 450 are drawn, and predicted by a mobilenetv3_small_100 of 224 px with random
weights in ONNX Runtime, and decoded into a pixel store: alone on one core and on two, and
on clusters of one and two nodes of this machine's processes, each kept to one core. The
answers have to be the same to the byte. Then Ray tasks stand beside Ray Data, at 40 items
of 0.2 s each, also with a node killed half-way.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lentigo.cluster import on_ray
from lentigo.export import export
from tests.cohorts import tiny_config
from tests.inference.test_predict import save
from tests.ray_nodes import Nodes, ray_nodes

SIZES = (100, 400, 1600)
LENTIGO = (sys.executable, "-c", "from lentigo.cli.start import main; main()")
ITEMS, SECONDS = 40, 0.2

DATA = f"""
import time
import ray
ray.init(log_to_driver=False, configure_logging=False)
ray.data.DataContext.get_current().execution_options.preserve_order = True
ray.data.DataContext.get_current().enable_progress_bars = False
def wait(row):
    time.sleep({SECONDS})
    return row
items = ray.data.from_items(list(range({ITEMS})), override_num_blocks={ITEMS})
for row in items.map(wait).iter_rows():
    print(row["item"], flush=True)
"""


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        draw(place / "images", count=max(sizes))
        config = tiny_config(
            model__backbone="mobilenetv3_small_100", training__image_size=224,
            imaging__size=256,
        )  # fmt: skip
        save(place / "trained", config=config)
        shown = sorted((place / "images").iterdir())[:16]
        export(place / "trained", place / "model", images=shown)
        for count in sizes:
            write_table(place, count)
        grow(place, sizes)
    compare()


def draw(folder: Path, *, count: int) -> None:
    """Soft colours with grain."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        soft = Image.fromarray(rng.integers(90, 230, (24, 36, 3), np.uint8))
        pixels = np.asarray(soft.resize((600, 450))).astype(np.int16)
        pixels += rng.integers(-6, 7, (450, 600, 1), np.int16)
        path = folder / f"{number:05}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)


def write_table(place: Path, count: int) -> None:
    names = [f"{number:05}" for number in range(count)]
    paths = [str(place / "images" / f"{name}.jpg") for name in names]
    labels = [number % 9 == 0 for number in range(count)]
    table = pd.DataFrame({"image_id": names, "path": paths, "melanoma": labels})
    table.to_csv(place / f"{count}.csv", index=False)


def grow(place: Path, sizes: list[int]) -> None:
    print("  images  where             predict s  prepare s")
    for count in sizes:
        step(place, count, "alone, 1 core", {}, cores={0})
        step(place, count, "alone, 2 cores", {}, cores={0, 1})
    for nodes in (1, 2):
        with ray_nodes(nodes, pinned=True) as cluster:
            for count in sizes:
                step(place, count, f"{nodes} of 1 core", cluster.environment)


def step(
    place: Path,
    count: int,
    name: str,
    surroundings: Mapping[str, str],
    cores: Iterable[int] | None = None,
) -> None:
    there = ["--on", "ray"] if surroundings else []
    out = place / f"{count}-{name}"
    predict = [
        "predict",
        "model",
        f"{count}.csv",
        "--engine",
        "onnx",
        "--out",
        f"{out}.csv",
    ]
    prepare = ["prepare", f"{count}.csv", "--size", "256", "--out", str(out)]
    found = []
    for words in (predict, prepare):
        found.append(timed([*LENTIGO, *words, *there], place, surroundings, cores))
    first = place / f"{count}-alone, 1 core"
    for one, other in ((f"{first}.csv", f"{out}.csv"), (first / PIXELS, out / PIXELS)):
        if not filecmp.cmp(one, other, shallow=False):
            raise SystemExit(f"{other} is not {one}.")
    print(f"  {count:6}  {name:16} {found[0]:10.1f} {found[1]:10.1f}", flush=True)


PIXELS = "images.npy"


def timed(
    command: list[str],
    place: Path,
    surroundings: Mapping[str, str],
    cores: Iterable[int] | None,
) -> float:
    """Return the seconds that a command takes."""
    keep: Callable[[], None] = lambda: os.sched_setaffinity(0, cores or {0, 1})  # noqa: E731
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=place, env={**os.environ, **surroundings}, preexec_fn=keep,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - began


def compare() -> None:
    print(f"\n  {ITEMS} items of {SECONDS} s, two nodes of one core: first answer, all")
    for name, answers in (("Ray tasks", by_tasks), ("Ray Data", by_data)):
        for killed in (False, True):
            with ray_nodes(2) as nodes:
                first, whole, order = watched(answers(nodes), nodes, killed)
            said = "a node killed" if killed else ""
            print(f"  {name:10} {first:6.1f} s {whole:6.1f} s, {order} {said}", flush=True)


def watched(answers: Iterator[int], nodes: Nodes, killed: bool) -> tuple[float, float, str]:
    began, first, found = time.perf_counter(), 0.0, []
    for answer in answers:
        found.append(answer)
        first = first or time.perf_counter() - began
        if killed and len(found) == ITEMS // 4:
            nodes.kill_one(decoding=False)
    order = "all in order" if found == list(range(ITEMS)) else f"{len(found)} answers"
    return first, time.perf_counter() - began, order


def by_tasks(nodes: Nodes) -> Iterator[int]:
    os.environ.update(nodes.environment)
    try:
        with closing(on_ray(time.sleep, [SECONDS] * ITEMS)) as answers:
            yield from (number for number, _ in enumerate(answers))
    finally:
        del os.environ["RAY_ADDRESS"]


def by_data(nodes: Nodes) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", DATA], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=nodes.environment, text=True,
    )  # fmt: skip
    lines = (line.strip() for line in process.stdout or ())
    yield from (int(line) for line in lines if line.isdecimal())  # Ray prints, too
    process.wait()


if __name__ == "__main__":
    main()
