"""Images a second of each engine, beside torch as it is, in one run.

    python benchmarks/engines.py [--backbone legacy_xception] [--size 299] [--seconds 4]
        [--rounds 3]
    taskset -c 0 python benchmarks/engines.py …    # on one core

The networks have random weights, for what they cost does not depend on them. The 8-bit
network takes its ranges from drawn lesions. All engines are measured in turn, in several
rounds, and medians are told. Where other programs are at work, images a second say little;
so ratios are those of processor time an image, and beside them those of the clock. `files`
is the share of the network's rate that `predict` reaches from JPEG files of 600 × 450
pixels, in processor time of all its processes, their start included. `first` is the time
from importing lentigo to the first answer, on a warm disk.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

import lentigo
from lentigo.config import Config, with_settings
from lentigo.inference.inputs import Source
from lentigo.machine import cores
from lentigo.models.backend import Predictor
from lentigo.models.cost import multiply_adds
from lentigo.models.description import DESCRIPTION, read_description, write_folder
from lentigo.models.engines import ENGINES, load_members
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import build_model
from lentigo.models.network_view import network_views
from lentigo.models.onnx_export import write_onnx
from lentigo.models.onnx_int8 import write_int8

_CARD = ModelCard(
    logit_shift=0.0, prevalence=0.1, training_images=1, training_groups=1, archives=[],
    best_epoch=1, validation_auc=0.5,
)  # fmt: skip
EAGER = "torch, eager"
_FIRST = """
import sys, time
began = time.perf_counter()
import numpy as np, lentigo
model = lentigo.load(sys.argv[1], engine=sys.argv[2])
model.predict(np.zeros((300, 400, 3), np.uint8), device="cpu")
print(time.perf_counter() - began)
"""


def squares(count: int, size: int) -> np.ndarray:
    """`count` blurred patches of noise, which have the ranges of photographs."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return np.stack([cv2.GaussianBlur(each, (0, 0), size / 20) for each in noise])


def views(images: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(images), 8):
        yield network_views(images[start : start + 8], size, view=("rgb",))


def made(folder: Path, backbone: str, size: int) -> None:
    """A model folder of a random network, with the files of every engine."""
    config = with_settings(
        Config(),
        {
            "model.backbone": backbone, "model.pretrained": False, "imaging.size": size,
            "training.image_size": size, "training.views": 1,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    network = build_model(config.model).eval()
    save_model_folder(network, folder, card=_CARD, config=config)
    write_onnx(network, folder / "model.onnx", size=size)
    write_int8(
        folder / "model.onnx",
        folder / "model-int8.onnx",
        views=views(squares(32, size), size),
    )
    known = read_description(folder).model_dump(mode="json")
    known.pop("files")
    known["members"][0]["files"] |= {
        "onnx": "model.onnx", "onnx_int8": "model-int8.onnx"
    }  # fmt: skip
    write_folder(folder, known)
    adds = multiply_adds(network, size=size)
    print(f"{backbone}, {size} px: {adds / 1e9:.2f} billion multiply-adds an image")


def first_answer(folder: Path, engine: str) -> float:
    """Seconds from importing lentigo to the first answer, the best of three."""
    found = [
        subprocess.run(
            [sys.executable, "-c", _FIRST, str(folder), engine],
            capture_output=True, text=True, check=True,
        ).stdout
        for _ in range(3)
    ]  # fmt: skip
    return min(map(float, found))


class Cost(NamedTuple):
    """Seconds an image, by the clock and of the processor."""

    clock: float
    processor: float


def used() -> Cost:
    """The clock, and what this process and those that it waited for have used."""
    times = os.times()
    children = times.children_user + times.children_system
    return Cost(time.perf_counter(), times.user + times.system + children)


def cost(work: Callable[[], int], seconds: float) -> Cost:
    """What an image costs that `work` does, which says how many it did each time."""
    before, done = used(), 0
    while not done or used().clock - before.clock < seconds:
        done += work()
    after = used()
    return Cost(*((then - now) / done for now, then in zip(before, after, strict=True)))


def eager(folder: Path, images: np.ndarray, size: int) -> Callable[[], int]:
    """Torch as it is: no channels-last, batches of eight."""
    network = load_members(folder, read_description(folder), "torch")[0].network  # type: ignore[attr-defined]
    network = network.to(memory_format=torch.contiguous_format)
    batch = torch.from_numpy(next(views(images, size)))

    def work() -> int:
        with torch.inference_mode():
            network(batch)
        return len(batch)

    return work


def photographs(folder: Path, count: int = 40) -> list[Path]:
    """JPEG files of 600 × 450 pixels."""
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path, image in zip(paths, squares(count, 600), strict=True):
        cv2.imwrite(str(path), image[:450], [cv2.IMWRITE_JPEG_QUALITY, 92])
    return paths


def from_files(folder: Path, engine: str, paths: list[Path], count: int) -> Cost:
    """What an image costs in `predict`, from files."""
    sources = [Source(str(place), path=paths[place % len(paths)]) for place in range(count)]
    model = lentigo.load(folder, engine=engine)

    def work() -> int:
        model.answers(sources, device="cpu")
        return count

    return cost(work, 0)


def one_round(
    folder: Path, images: np.ndarray, paths: list[Path], given: argparse.Namespace
) -> dict[str, tuple[Cost, float]]:
    """What an image costs each engine, and the share of its rate that files leave."""
    found = {EAGER: (cost(eager(folder, images, given.size), given.seconds), math.nan)}
    known = read_description(folder)
    for engine in ENGINES.values():
        (predictor,) = load_members(folder, known, engine.name)
        predictor.answers(images)

        def work(predictor: Predictor = predictor) -> int:
            return predictor.answers(images).shape[1]

        alone = cost(work, given.seconds)
        whole = from_files(folder, engine.name, paths, given.files)
        found[engine.name] = alone, alone.processor / whole.processor
    return found


def line(name: str, rounds: list[dict[str, tuple[Cost, float]]]) -> str:
    """What all rounds say of an engine, beside torch as it is."""
    rate = np.median([1 / each[name][0].clock for each in rounds])
    clock, processor = (
        [each[EAGER][0][which] / each[name][0][which] for each in rounds]
        for which in (0, 1)
    )
    share = np.median([each[name][1] for each in rounds])
    return (
        f"{name:14s} {rate:7.1f} images/s   {np.median(processor):4.1f} × "
        f"({min(processor):.1f}–{max(processor):.1f}), by the clock "
        f"{np.median(clock):4.1f} × ({min(clock):.1f}–{max(clock):.1f})   files {share:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="legacy_xception")
    parser.add_argument("--size", type=int, default=299)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=128)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, pictures = Path(place, "model"), Path(place, "images")
        for each in (folder, pictures):
            each.mkdir()
        made(folder, given.backbone, given.size)
        images, paths = squares(8, given.size), photographs(pictures)
        print(f"{cores()} cores; {DESCRIPTION} of {len(list(folder.iterdir()))} files")
        rounds = [one_round(folder, images, paths, given) for _ in range(given.rounds)]
        for name in (EAGER, *ENGINES):
            first = (
                f"   first {first_answer(folder, name):.1f} s" if name in ENGINES else ""
            )
            print(line(name, rounds) + first, flush=True)


if __name__ == "__main__":
    main()
