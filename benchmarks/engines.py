"""Images a second of each engine, beside torch as it is, in one run.

    python benchmarks/engines.py [--backbone legacy_xception] [--size 299] [--seconds 4]

The networks have random weights: what they cost does not depend on them. The 8-bit network
takes its ranges from drawn lesions. `first` is the time from the start of a process to the
first answer, on a warm disk.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from lentigo.config import Config, with_settings
from lentigo.machine import cores
from lentigo.models.cost import multiply_adds
from lentigo.models.description import DESCRIPTION, read_description, write_folder
from lentigo.models.engines import ENGINES, load_members
from lentigo.models.fastest import images_a_second
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import build_model
from lentigo.models.network_view import network_views
from lentigo.models.onnx_export import write_onnx
from lentigo.models.onnx_int8 import write_int8

_CARD = ModelCard(
    logit_shift=0.0, prevalence=0.1, training_images=1, training_groups=1, archives=[],
    best_epoch=1, validation_auc=0.5,
)  # fmt: skip
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


def eager(folder: Path, images: np.ndarray, size: int, seconds: float) -> float:
    """Images a second of torch as it is: no channels-last, batches of eight."""
    network = load_members(folder, read_description(folder), "torch")[0].network  # type: ignore[attr-defined]
    network = network.to(memory_format=torch.contiguous_format)
    batch = torch.from_numpy(next(views(images, size)))
    with torch.inference_mode():
        network(batch)
        began, looked = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            network(batch)
            looked += len(batch)
    return looked / passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="legacy_xception")
    parser.add_argument("--size", type=int, default=299)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made(folder, given.backbone, given.size)
        images = squares(8, given.size)
        base = eager(folder, images, given.size, given.seconds)
        print(f"{cores()} cores; {DESCRIPTION} of {len(list(folder.iterdir()))} files")
        print(f"{'torch, eager':14s} {base:7.1f} images/s   1.0 ×")
        known = read_description(folder)
        for engine in ENGINES.values():
            (predictor,) = load_members(folder, known, engine.name)
            rate = images_a_second(predictor, images, seconds=given.seconds)
            first = first_answer(folder, engine.name)
            print(
                f"{engine.name:14s} {rate:7.1f} images/s {rate / base:5.1f} ×   "
                f"first {first:.1f} s"
            )


if __name__ == "__main__":
    main()
